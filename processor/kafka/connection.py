"""How every client of this room reaches the cluster: addresses, security, bounds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from processor.kafka.inside_aiokafka import close_client, mend_connections
from processor.kafka.refusals import explained
from processor.kafka.security import security_options
from processor.settings import Settings

# Before any connection is made, and every one of ours is made with what is in this module.
mend_connections()


def client_options(settings: Settings) -> dict[str, Any]:
    """Keyword arguments that aiokafka's consumer, producer and plain client all take."""
    return {
        "bootstrap_servers": settings.kafka_bootstrap,
        "request_timeout_ms": milliseconds(settings.request_timeout_seconds),
        **security_options(settings),
    }


def milliseconds(seconds: float) -> int:
    """Kafka's unit of time, from ours."""
    return round(seconds * 1000)


@asynccontextmanager
async def connected_client(settings: Settings) -> AsyncIterator[AIOKafkaClient]:
    """A plain client for questions of our own, closed at the end.

    Raises `errors.KafkaUnreachable`, `errors.AccessDenied`, also for what goes wrong with Kafka within the block.
    """
    client = AIOKafkaClient(**client_options(settings))
    try:
        await client.bootstrap()
        yield client
    except (KafkaError, OSError) as error:
        raise await explained(settings, error) from error
    finally:
        await close_client(client)
