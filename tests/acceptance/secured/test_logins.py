"""Who is let in, and what whoever is not let in is told: one sentence, the exit code, no password."""

from __future__ import annotations

from pathlib import Path

import pytest

from processor.devstack.certificates import Certificates
from processor.devstack.databases import with_database
from processor.devstack.doors import USER
from processor.errors import PostgresUnreachable
from processor.kafka.connection import connected_client
from processor.kafka.producing import EventSender
from processor.kafka.topics import check_topics
from processor.postgres.connection import opened
from tests.acceptance.secured.conftest import Doors

CHECK = ("topics", "check")


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates of an authority that the stack has never heard of."""
    certificates = Certificates(tmp_path_factory.mktemp("strangers"))
    certificates.make(USER)
    return certificates


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_a_password_lets_every_kind_of_client_in(doors: Doors, mechanism: str) -> None:
    told = await doors.installation.type(*CHECK, CROUPIER_KAFKA_SASL_MECHANISM=mechanism)
    assert told.code == 0, told.err
    settings = doors.settings.model_copy(update={"kafka_sasl_mechanism": mechanism})
    async with EventSender(settings) as sender:
        await sender.send_and_wait(b"{}", key=b"p-1")


async def test_a_certificate_lets_in_without_a_password(doors: Doors) -> None:
    shown = Certificates(doors.stack.directory / "tls")
    changed = {
        "kafka_bootstrap": f"127.0.0.1:{doors.stack.kafka.ports.mutual}",
        "kafka_security_protocol": "SSL",
        "kafka_certificate_file": shown.certificate(USER),
        "kafka_key_file": shown.key(USER),
    }
    await check_topics(doors.settings.model_copy(update=changed), 4)


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"CROUPIER_KAFKA_SASL_PASSWORD": "wrong-password"}, "does not let the user croupier in"),
        ({"CROUPIER_KAFKA_SASL_USERNAME": "nobody"}, "does not let the user nobody in"),
        ({"CROUPIER_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, "does not answer as SASL_PLAINTEXT"),
        ({"CROUPIER_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"}, "does not answer as PLAINTEXT"),
    ],
)
async def test_whoever_is_not_let_in_is_told_why_in_one_sentence(
    doors: Doors, variables: dict[str, str], sentence: str
) -> None:
    told = await doors.installation.type(*CHECK, **variables)
    assert told.code == 3
    assert sentence in told.err
    assert told.err.count("\n") == 1
    assert "wrong-password" not in told.err


async def test_a_broker_of_a_strange_authority_is_not_trusted(doors: Doors, strangers: Certificates) -> None:
    told = await doors.installation.type(*CHECK, CROUPIER_KAFKA_CA_FILE=str(strangers.authority))
    assert told.code == 3
    assert "shows a certificate that is not trusted" in told.err


async def test_a_certificate_of_a_strange_authority_opens_nothing(
    doors: Doors, strangers: Certificates
) -> None:
    told = await doors.installation.type(
        *CHECK,
        CROUPIER_KAFKA_BOOTSTRAP=f"127.0.0.1:{doors.stack.kafka.ports.mutual}",
        CROUPIER_KAFKA_SECURITY_PROTOCOL="SSL",
        CROUPIER_KAFKA_CERTIFICATE_FILE=str(strangers.certificate(USER)),
        CROUPIER_KAFKA_KEY_FILE=str(strangers.key(USER)),
    )
    assert told.code == 3


async def test_the_controllers_door_opens_to_no_password(doors: Doors) -> None:
    told = await doors.installation.type(
        *CHECK, CROUPIER_KAFKA_BOOTSTRAP=f"127.0.0.1:{doors.stack.kafka.ports.controller}"
    )
    assert told.code == 3


async def test_the_database_is_reached_over_tls_that_is_checked(doors: Doors) -> None:
    async with opened(doors.settings.postgres_dsn.get_secret_value()) as connection:
        assert await connection.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")


def other_tls(doors: Doors, tls: str) -> str:
    """The worker's DSN with another word about TLS."""
    return doors.settings.postgres_dsn.get_secret_value().split("?")[0] + tls


async def test_a_database_of_a_strange_authority_is_not_trusted(
    doors: Doors, strangers: Certificates
) -> None:
    dsn = other_tls(doors, f"?sslmode=verify-full&sslrootcert={strangers.authority}")
    with pytest.raises(PostgresUnreachable, match="its certificate is not trusted"):
        async with opened(dsn):
            pass


async def test_the_database_takes_nobody_without_tls(doors: Doors) -> None:
    with pytest.raises(PostgresUnreachable, match=r"pg_hba\.conf has no line for"):
        async with opened(other_tls(doors, "?sslmode=disable")):
            pass


async def test_a_wrong_password_of_the_database_is_called_one(doors: Doors) -> None:
    dsn = doors.settings.postgres_dsn.get_secret_value()
    user = dsn.split("//")[1].split(":")[0]
    wrong = f"postgresql://{user}:wrong-password@{dsn.split('@')[1]}"
    told = await doors.installation.type("balance", "anna", CROUPIER_POSTGRES_DSN=wrong)
    assert told.code == 3
    assert "check the user and the password in the DSN" in told.err
    assert "wrong-password" not in told.err
    assert with_database(wrong, "x").endswith(str(Path("tls/ca.pem")))


async def test_a_user_without_rights_is_let_in_and_told_what_it_lacks(doors: Doors) -> None:
    name = "no-rights"
    from tests.acceptance.secured.conftest import principal

    assert (await doors.apply(principal(name))).code == 0
    async with connected_client(doors.as_user(name)):
        pass
    told = await doors.acting_as(name).type(*CHECK)
    assert told.code == 4
    assert "the right to a topic" in told.err
    assert "croupier access apply" in told.err
