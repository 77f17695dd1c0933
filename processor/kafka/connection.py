"""How every client of this room reaches the cluster: addresses, security, bounds, and what to say when it does not."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from processor.errors import KafkaUnreachable
from processor.settings import Settings


def client_options(settings: Settings) -> dict[str, Any]:
    """Keyword arguments that aiokafka's consumer, producer and plain client all take."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap,
        "request_timeout_ms": milliseconds(settings.request_timeout_seconds),
        "security_protocol": settings.kafka_security_protocol,
    }
    if settings.kafka_security_protocol in ("SSL", "SASL_SSL"):
        authority = settings.kafka_ca_file
        options["ssl_context"] = ssl.create_default_context(cafile=str(authority) if authority else None)
    if settings.kafka_security_protocol.startswith("SASL"):
        password = settings.kafka_sasl_password
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"] = settings.kafka_sasl_username
        options["sasl_plain_password"] = password.get_secret_value() if password else None
    return options


def milliseconds(seconds: float) -> int:
    """Kafka's unit of time, from ours."""
    return round(seconds * 1000)


def unreachable(settings: Settings, cause: BaseException | None = None) -> KafkaUnreachable:
    """The error that names the address and what to do."""
    why = f" ({root_cause(cause)})" if cause is not None and str(root_cause(cause)) else ""
    return KafkaUnreachable(
        f"Kafka at {settings.kafka_bootstrap} does not answer as {settings.kafka_security_protocol}{why}. "
        "Start it (`croupier stack up` starts one on this machine), or point CROUPIER_KAFKA_BOOTSTRAP at the "
        "right host:port and check CROUPIER_KAFKA_SECURITY_PROTOCOL and its user and password."
    )


def root_cause(error: BaseException) -> BaseException:
    """The error behind aiokafka's wrapping ("Unexpected error during batch delivery" and the like)."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


@asynccontextmanager
async def connected_client(settings: Settings) -> AsyncIterator[AIOKafkaClient]:
    """A plain client for questions of our own, closed at the end. Raises `errors.KafkaUnreachable`."""
    client = AIOKafkaClient(**client_options(settings))
    try:
        try:
            await client.bootstrap()
        except (KafkaError, OSError) as error:
            raise unreachable(settings, error) from error
        yield client
    finally:
        await client.close()
