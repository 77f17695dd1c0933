"""The worker's small HTTP server: `/livez`, `/readyz`, `/metrics`. GET only, one answer per connection,
bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

import orjson

from processor.errors import WrongUsage
from processor.telemetry.health import Health

_REQUEST_BYTES = 8192
_REQUEST_SECONDS = 5.0
_PHRASES = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    503: "Service Unavailable",
}


class Page(NamedTuple):
    """One answer: HTTP status, content type, body."""

    status: int
    content_type: str
    body: bytes


Pages = Mapping[str, Callable[[], Page]]


def pages(health: Health, metrics: Callable[[], tuple[str, bytes]]) -> Pages:
    """The pages by path; ``metrics`` gives the content type and the text of all metrics."""

    def live() -> Page:
        verdict = health.live()
        return Page(200 if verdict.good else 503, "application/json", orjson.dumps(verdict.body))

    def ready() -> Page:
        verdict = health.readiness()
        return Page(200 if verdict.good else 503, "application/json", orjson.dumps(verdict.body))

    def text() -> Page:
        content_type, body = metrics()
        return Page(200, content_type, body)

    return {"/livez": live, "/readyz": ready, "/metrics": text}


@asynccontextmanager
async def serving(host: str, port: int, served: Pages) -> AsyncIterator[int]:
    """Serve the pages until the block ends; yields the port (of use where ``port`` is 0: any free one).

    Raises `WrongUsage` where the port cannot be had.
    """
    try:
        server = await asyncio.start_server(_Handler(served).handle, host, port, limit=_REQUEST_BYTES)
    except OSError as error:
        raise WrongUsage(
            f"The probes' server cannot listen on {host}:{port} ({error.strerror or error}): "
            "set CROUPIER_HTTP_HOST and CROUPIER_HTTP_PORT to an address that is free, or the port to 0."
        ) from error
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


class _Handler:
    def __init__(self, served: Pages) -> None:
        self._pages = served

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                page = self._answer(head.split(b"\r\n", 1)[0])
                writer.write(_response(page, with_body=not head.startswith(b"HEAD ")))
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.write(_response(Page(400, "text/plain", b"not a request\n"), with_body=True))
        except (TimeoutError, ConnectionError):
            pass  # a prober that is slow or gone needs no answer
        finally:
            writer.close()

    def _answer(self, request_line: bytes) -> Page:
        words = request_line.split(b" ")
        if len(words) != 3:
            return Page(400, "text/plain", b"not a request\n")
        if words[0] not in (b"GET", b"HEAD"):
            return Page(405, "text/plain", b"GET only\n")
        page = self._pages.get(words[1].split(b"?", 1)[0].decode("ascii", "replace"))
        if page is None:
            return Page(404, "text/plain", b"see /livez, /readyz, /metrics\n")
        return page()


def _response(page: Page, *, with_body: bool) -> bytes:
    head = (
        f"HTTP/1.1 {page.status} {_PHRASES[page.status]}\r\n"
        f"Content-Type: {page.content_type}\r\nContent-Length: {len(page.body)}\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + (page.body if with_body else b"")
