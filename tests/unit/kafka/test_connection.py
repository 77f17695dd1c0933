"""How clients are told to reach the cluster, and what people are told when they cannot."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiokafka.errors import KafkaConnectionError, KafkaError, ProducerFenced

from processor.kafka.connection import client_options, root_cause, unreachable
from processor.settings import Settings


def test_plain_clients_are_told_the_address_and_no_secret() -> None:
    options = client_options(Settings(kafka_bootstrap="k1:9092,k2:9092", request_timeout_seconds=2.5))
    assert options["bootstrap_servers"] == "k1:9092,k2:9092"
    assert options["request_timeout_ms"] == 2500
    assert not {"ssl_context", "sasl_mechanism", "sasl_plain_password"} & options.keys()


def test_secured_clients_log_in_over_tls() -> None:
    options = client_options(
        Settings.model_validate(
            {
                "kafka_security_protocol": "SASL_SSL",
                "kafka_sasl_mechanism": "SCRAM-SHA-256",
                "kafka_sasl_username": "worker",
                "kafka_sasl_password": "hush",
            }
        )
    )
    assert options["ssl_context"].check_hostname
    assert (options["sasl_mechanism"], options["sasl_plain_username"]) == ("SCRAM-SHA-256", "worker")
    assert options["sasl_plain_password"] == "hush"


def test_an_authority_that_is_not_there_is_not_passed_over() -> None:
    settings = Settings(kafka_security_protocol="SSL", kafka_ca_file=Path("no-such-file.pem"))
    with pytest.raises(FileNotFoundError):
        client_options(settings)


def test_who_cannot_be_reached_is_named_without_the_password() -> None:
    settings = Settings.model_validate(
        {
            "kafka_bootstrap": "k1:9092",
            "kafka_security_protocol": "SASL_PLAINTEXT",
            "kafka_sasl_username": "worker",
            "kafka_sasl_password": "hush",
        }
    )
    told = str(unreachable(settings, KafkaConnectionError("no route")))
    assert told.startswith(
        "Kafka at k1:9092 does not answer as SASL_PLAINTEXT (KafkaConnectionError: no route)."
    )
    assert "CROUPIER_KAFKA_BOOTSTRAP" in told
    assert "hush" not in told
    assert unreachable(settings).exit_code == 3


def test_the_error_behind_the_wrapping_is_found() -> None:
    wrapped = KafkaError("Unexpected error during batch delivery")
    wrapped.__cause__ = ProducerFenced()
    assert root_cause(wrapped) is wrapped.__cause__
