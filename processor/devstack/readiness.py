"""Whether a Kafka or a Postgres answers: the one question that devstack asks its servers itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

_TIMEOUT_SECONDS = 5.0


async def kafka_answers(bootstrap: str, security: Mapping[str, Any] | None = None) -> str | None:
    """None if one of the brokers (host:port, comma separated) answers a metadata request, else what is wrong.

    ``security`` are aiokafka's keyword arguments for a secured one.
    """
    problems = [await _port_problem(address) for address in bootstrap.split(",")]
    if all(problems):
        return "; ".join(filter(None, problems))
    client = AIOKafkaAdminClient(
        bootstrap_servers=bootstrap, request_timeout_ms=int(_TIMEOUT_SECONDS * 1000), **(security or {})
    )
    try:
        await client.start()
        cluster = await client.describe_cluster()
    except KafkaError as reason:
        return f"{bootstrap}: {reason}"
    finally:
        await client.close()
    return None if cluster["brokers"] else f"{bootstrap}: no broker has joined the cluster"


async def _port_problem(address: str) -> str | None:
    host, _, port = address.strip().rpartition(":")
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            _, writer = await asyncio.open_connection(host, int(port))
    except TimeoutError:
        return f"{address}: no answer within {_TIMEOUT_SECONDS:.0f} seconds"
    except (OSError, ValueError) as reason:
        return f"{address}: {reason}"
    writer.close()
    return None


async def postgres_answers(dsn: str) -> str | None:
    """None if the database lets us in, else what is wrong."""
    try:
        connection = await asyncpg.connect(dsn, timeout=_TIMEOUT_SECONDS)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as reason:
        return str(reason) or type(reason).__name__
    await connection.close()
    return None
