"""How clients are told to reach the cluster, and what people are told when they cannot."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    ProducerFenced,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
from pydantic import SecretStr, ValidationError

from processor.errors import WrongUsage
from processor.kafka.connection import client_options
from processor.kafka.refusals import root_cause, unreachable
from processor.kafka.security import as_admin
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
    with pytest.raises(WrongUsage, match="CROUPIER_KAFKA_CA_FILE cannot be used"):
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


SECURED = Settings.model_validate(
    {
        "kafka_bootstrap": "k1:9092",
        "kafka_security_protocol": "SASL_SSL",
        "kafka_sasl_username": "worker",
        "kafka_sasl_password": "hush",
    }
)


@pytest.mark.parametrize(
    ("error", "exit_code", "words"),
    [
        (SaslAuthenticationFailed("invalid credentials"), 3, "does not let the user worker in"),
        (TopicAuthorizationFailedError("wallet.events"), 4, "the right to a topic"),
        (GroupAuthorizationFailedError("croupier"), 4, "the right to the group"),
        (TransactionalIdAuthorizationFailed(), 4, "the right to a transactional id"),
        (ssl.SSLCertVerificationError(1, "self-signed"), 3, "CROUPIER_KAFKA_CA_FILE"),
        (ssl.SSLError(1, "wrong version number"), 3, "does not speak SASL_SSL"),
    ],
)
def test_each_shut_door_is_told_apart_in_one_sentence_without_the_password(
    error: BaseException, exit_code: int, words: str
) -> None:
    told = unreachable(SECURED, error)
    assert told.exit_code == exit_code
    assert words in str(told)
    assert "hush" not in str(told)


def test_the_administrators_user_takes_the_workers_place_where_one_is_named() -> None:
    admin = {"kafka_admin_username": "admin", "kafka_admin_password": SecretStr("quiet")}
    assert as_admin(SECURED) is SECURED
    options = client_options(as_admin(SECURED.model_copy(update=admin)))
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("admin", "quiet")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"kafka_security_protocol": "SASL_SSL"}, "CROUPIER_KAFKA_SASL_USERNAME"),
        ({"kafka_certificate_file": "client.pem"}, "CROUPIER_KAFKA_KEY_FILE"),
        ({"kafka_admin_username": "admin"}, "CROUPIER_KAFKA_ADMIN_PASSWORD"),
    ],
)
def test_half_a_login_is_refused_by_name(given: dict[str, str], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        Settings.model_validate(given)


def test_a_certificate_that_is_not_there_is_named(tmp_path: Path) -> None:
    absent = SECURED.model_copy(
        update={"kafka_certificate_file": tmp_path / "c.pem", "kafka_key_file": tmp_path / "k.pem"}
    )
    with pytest.raises(WrongUsage, match="CROUPIER_KAFKA_CERTIFICATE_FILE"):
        client_options(absent)
