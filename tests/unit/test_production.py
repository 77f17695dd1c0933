"""Production mode: each unsafe setting is refused with a sentence that says what to set; a safe one is not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from processor.bootstrap import serve
from processor.devstack.installation import Installation, StackDirectory, is_embedded
from processor.errors import UnsafeProduction
from processor.ops.run import refuse_playthings
from processor.ops.runtime import not_in_production
from processor.production import is_encrypted, refusals
from processor.settings import Settings

SAFE: dict[str, Any] = {
    "environment": "production",
    "signing": "required",
    "keys_directory": "/keys",
    "kafka_security_protocol": "SASL_SSL",
    "kafka_sasl_username": "croupier",
    "kafka_sasl_password": "s3cret-of-kafka",
    "postgres_dsn": "postgresql://croupier_worker:s3cret-of-postgres@db:5432/croupier?sslmode=verify-full",
}
PLAIN_DSN = "postgresql://w:s3cret-of-postgres@db/croupier"


def settings(**changes: Any) -> Settings:
    return Settings.model_validate({**SAFE, **changes})


def test_what_is_safe_is_not_refused() -> None:
    assert refusals(settings()) == []
    mutual = {
        "kafka_security_protocol": "SSL", "kafka_certificate_file": "/c", "kafka_key_file": "/k",
    }  # fmt: skip
    assert refusals(settings(**mutual)) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"signing": "off"}, "set CROUPIER_SIGNING=required"),
        ({"kafka_security_protocol": "PLAINTEXT"}, "set CROUPIER_KAFKA_SECURITY_PROTOCOL=SASL_SSL"),
        ({"kafka_security_protocol": "SASL_PLAINTEXT"}, "set CROUPIER_KAFKA_SECURITY_PROTOCOL=SASL_SSL"),
        ({"kafka_security_protocol": "SSL"}, "CROUPIER_KAFKA_CERTIFICATE_FILE"),
        ({"postgres_dsn": PLAIN_DSN}, "add sslmode=verify-full (or require) to CROUPIER_POSTGRES_DSN"),
        ({"postgres_migrator_dsn": PLAIN_DSN}, "to CROUPIER_POSTGRES_MIGRATOR_DSN"),
        ({"postgres_replica_dsn": PLAIN_DSN}, "to CROUPIER_POSTGRES_REPLICA_DSN"),
    ],
)
async def test_each_unsafe_setting_is_refused_with_one_sentence_that_says_what_to_set(
    changes: dict[str, Any], says: str
) -> None:
    (sentence,) = refusals(settings(**changes))
    assert says in sentence
    assert sentence.count(". ") == 0
    with pytest.raises(UnsafeProduction, match="This is production") as refused:
        await serve(settings(**changes), stopping=asyncio.Event())
    assert sentence in str(refused.value)
    assert refused.value.exit_code == 4
    assert "s3cret" not in str(refused.value)


def test_all_are_told_at_once() -> None:
    told = refusals(settings(signing="off", kafka_security_protocol="PLAINTEXT", postgres_dsn=PLAIN_DSN))
    assert len(told) == 3


@pytest.mark.parametrize("environment", ["development", "staging"])
def test_elsewhere_nothing_is_refused(environment: str) -> None:
    assert refusals(Settings.model_validate({"environment": environment})) == []


@pytest.mark.parametrize(
    ("dsn", "encrypted"),
    [
        ("postgresql://w@db/c?sslmode=require", True),
        ("postgresql://w@db/c?sslmode=verify-ca&sslrootcert=/ca.pem", True),
        ("postgresql://w@db/c?sslmode=prefer", False),
        ("postgresql://w@db/c?sslmode=disable", False),
        ("postgresql://w@db/c?sslmode=require&sslmode=disable", False),
        ("postgresql://w@db/c", False),
        ("postgresql://w@/c?host=/run/postgresql", True),
        ("postgresql://w@%2Frun%2Fpostgresql/c", True),
        ("postgresql://w@%2Frun%2Fpostgresql,db/c", False),
        ("postgresql://w@/c?host=/run/postgresql,db", False),
        ("postgresql://w@db1:5432,db2:5432/c?sslmode=require&target_session_attrs=primary", True),
        ("postgresql://[broken/c", False),
    ],
)
def test_a_dsn_is_encrypted_only_where_it_is_in_any_case(dsn: str, encrypted: bool) -> None:
    assert is_encrypted(dsn) is encrypted


def test_the_embedded_stack_and_trouble_on_order_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROUPIER_STACK_DIRECTORY", str(tmp_path))
    refuse_playthings(settings(), {})
    with pytest.raises(UnsafeProduction, match="CROUPIER_TROUBLE"):
        refuse_playthings(settings(), {"CROUPIER_TROUBLE": "kill:8:before:12"})
    installation = Installation.new()
    StackDirectory(tmp_path).write(installation)
    refuse_playthings(settings(), {})
    at_kafka = settings(kafka_bootstrap=f"broker:9092, localhost:{installation.kafka_port}")
    at_postgres = settings(
        postgres_dsn=f"postgresql://w@127.0.0.1:{installation.postgres_port}/c?sslmode=require"
    )
    at_one_of_two = settings(
        postgres_dsn=f"postgresql://w:p@db:5432,[::1]:{installation.postgres_port}/c?sslmode=require"
    )
    for embedded in (at_kafka, at_postgres, at_one_of_two):
        with pytest.raises(UnsafeProduction, match="servers of your own"):
            refuse_playthings(embedded, {})
    assert not is_embedded(f"elsewhere:{installation.kafka_port}", PLAIN_DSN)


def test_what_is_for_trying_out_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    not_in_production("The demo")
    monkeypatch.setenv("CROUPIER_ENVIRONMENT", "production")
    with pytest.raises(UnsafeProduction, match="The demo is for trying things out"):
        not_in_production("The demo")
