"""Production mode: what a worker that moves real money refuses to start with, each with what to set instead."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from processor.settings import Settings

#: Values of a DSN's sslmode that never speak in the clear.
_ENCRYPTED = frozenset({"require", "verify-ca", "verify-full"})


def refusals(settings: Settings) -> list[str]:
    """One sentence for each setting that is not safe in production; nothing where this is no production."""
    if settings.environment != "production":
        return []
    return [*_signing(settings), *_kafka(settings), *_postgres(settings)]


def _signing(settings: Settings) -> Iterator[str]:
    if settings.signing != "required":
        yield "Events are believed unsigned: set CROUPIER_SIGNING=required and CROUPIER_KEYS_DIRECTORY."


def _kafka(settings: Settings) -> Iterator[str]:
    protocol = settings.kafka_security_protocol
    if protocol in ("PLAINTEXT", "SASL_PLAINTEXT"):
        yield (
            f"Kafka is spoken to in the clear ({protocol}): set CROUPIER_KAFKA_SECURITY_PROTOCOL=SASL_SSL, or SSL "
            "with CROUPIER_KAFKA_CERTIFICATE_FILE."
        )
    elif protocol == "SSL" and settings.kafka_certificate_file is None:
        yield (
            "Kafka does not learn who we are (SSL without a certificate of ours): set "
            "CROUPIER_KAFKA_SECURITY_PROTOCOL=SASL_SSL, or name CROUPIER_KAFKA_CERTIFICATE_FILE and "
            "CROUPIER_KAFKA_KEY_FILE."
        )


def _postgres(settings: Settings) -> Iterator[str]:
    named: dict[str, SecretStr | None] = {
        "CROUPIER_POSTGRES_DSN": settings.postgres_dsn,
        "CROUPIER_POSTGRES_MIGRATOR_DSN": settings.postgres_migrator_dsn,
        "CROUPIER_POSTGRES_REPLICA_DSN": settings.postgres_replica_dsn,
    }
    for name, dsn in named.items():
        if dsn is not None and not is_encrypted(dsn.get_secret_value()):
            yield f"Postgres may be spoken to in the clear: add sslmode=verify-full (or require) to {name}."


def is_encrypted(dsn: str) -> bool:
    """Whether a connection by this DSN is encrypted in any case, or never leaves the machine (Unix sockets)."""
    try:
        parts = urlsplit(dsn)
        query = parse_qs(parts.query)
    except ValueError:
        return False
    hosts = query.get("host", [parts.netloc.rpartition("@")[2]])[-1].split(",")
    return query.get("sslmode", [""])[-1] in _ENCRYPTED or all(
        host.startswith(("/", "%2f", "%2F")) for host in hosts
    )
