"""The probes' server answers what it is asked, briefly, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest

from processor.errors import WrongUsage
from processor.telemetry.health import Health
from processor.telemetry.http import pages, serving


@pytest.fixture
async def health() -> Health:
    return Health(stall_seconds=10)


@pytest.fixture
async def port(health: Health) -> AsyncIterator[int]:
    served = pages(health, lambda: ("text/plain; version=0.0.4", b"croupier_up 1\n"))
    async with serving("127.0.0.1", 0, served) as number:
        yield number


async def ask(port: int, request: bytes) -> tuple[int, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), body


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


async def test_livez_answers_with_the_verdict(port: int) -> None:
    status, body = await ask(port, get("/livez"))
    assert (status, orjson.loads(body)["alive"]) == (200, True)


async def test_readyz_is_503_with_reasons_until_the_worker_is_ready(port: int, health: Health) -> None:
    status, body = await ask(port, get("/readyz"))
    assert status == 503
    assert orjson.loads(body)["reasons"]
    health.rebalanced(0)
    assert (await ask(port, get("/readyz?verbose=1")))[0] == 200


async def test_metrics_are_served_as_they_are(port: int) -> None:
    assert await ask(port, get("/metrics")) == (200, b"croupier_up 1\n")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"POST /livez HTTP/1.1\r\n\r\n", 405),
        (b"GET /secrets HTTP/1.1\r\n\r\n", 404),
        (b"nonsense\r\n\r\n", 400),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n", 400),
    ],
)
async def test_anything_else_is_refused(port: int, sent: bytes, status: int) -> None:
    assert (await ask(port, sent))[0] == status


async def test_head_has_no_body(port: int) -> None:
    assert await ask(port, b"HEAD /livez HTTP/1.1\r\n\r\n") == (200, b"")


async def test_a_taken_port_is_one_clear_sentence(port: int) -> None:
    with pytest.raises(WrongUsage, match="CROUPIER_HTTP_PORT"):
        async with serving("127.0.0.1", port, {}):
            pass
