"""A TCP proxy that knows Kafka's frames: it loses the answer to EndTxn, or delivers an EndTxn when nobody expects it.

    lose    the broker has got the request and has answered; the connection ends before the client has the answer
    hold    the connection ends before the broker has got the request; it gets it later, on the connection that the
            client believes dead: just before the same transactional id adds offsets to its *next* transaction

The second is how a commit that the client retried in silence comes to commit half of the next transaction.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

_ADD_OFFSETS_TO_TXN: Final = 25
_END_TXN: Final = 26


class _Request(NamedTuple):
    """A frame from a client: its whole bytes, and what its header says; ``name`` is the body's first string."""

    frame: bytes
    key: int
    correlation: int
    name: str

    @classmethod
    def read_from(cls, frame: bytes) -> _Request:
        key, _version, correlation, client = struct.unpack_from(">hhih", frame, 4)
        name = ""
        if key in (_ADD_OFFSETS_TO_TXN, _END_TXN):
            place = 14 + max(client, 0)
            (length,) = struct.unpack_from(">h", frame, place)
            name = frame[place + 2 : place + 2 + length].decode()
        return cls(frame, key, correlation, name)


@dataclass
class _Line:
    """A connection to the broker."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, request: _Request) -> int:
        """Send an EndTxn and read answers until its own; gives its error code."""
        self.writer.write(request.frame)
        await self.writer.drain()
        while True:
            answer = await _frame(self.reader)
            correlation, _throttled, error = struct.unpack_from(">iih", answer, 4)
            if correlation == request.correlation:
                return int(error)


@dataclass
class Held:
    """An EndTxn that the broker has not got yet; ``answer`` is the broker's error code once it has."""

    request: _Request
    line: _Line
    answer: int | None = None


class EndTxnProxy:
    """Listens where the broker's second listener is advertised, or on any free port (0); used as ``async with``."""

    def __init__(self, port: int, broker_port: int) -> None:
        self.lost = 0
        self.held: Held | None = None
        self.port = port
        self._broker_port = broker_port
        self._order: str | None = None
        self._when_delivered: Callable[[], None] = lambda: None
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.held is not None:
            self.held.line.writer.close()

    def lose_next_answer(self) -> None:
        """The next EndTxn is carried out, and its sender does not hear of it."""
        self._order = "lose"

    def hold_next(self, when_delivered: Callable[[], None]) -> None:
        """The next EndTxn comes too late; ``when_delivered`` is called right then, the connection at hand ends."""
        self._order, self._when_delivered = "hold", when_delivered

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            line = _Line(*await asyncio.open_connection("127.0.0.1", self._broker_port))
        except OSError:
            writer.close()
            self._tasks.discard(task)
            return
        answers = asyncio.create_task(_copy(line.reader, writer))
        try:
            await self._pass_requests(reader, line, answers)
        except (OSError, asyncio.IncompleteReadError):
            pass  # either side went away: so does the other
        finally:
            answers.cancel()
            writer.close()
            if self.held is None or self.held.line is not line:
                line.writer.close()
            self._tasks.discard(task)

    async def _pass_requests(
        self, reader: asyncio.StreamReader, line: _Line, answers: asyncio.Task[None]
    ) -> None:
        while True:
            request = _Request.read_from(await _frame(reader))
            if request.key == _END_TXN and self._order is not None:
                await self._spoil(request, line, answers)
                return
            if request.key == _ADD_OFFSETS_TO_TXN and self._is_time_for(request.name):
                assert self.held is not None
                self.held.answer = await self.held.line.ask(self.held.request)
                self._when_delivered()
                return
            line.writer.write(request.frame)
            await line.writer.drain()

    async def _spoil(self, request: _Request, line: _Line, answers: asyncio.Task[None]) -> None:
        order, self._order = self._order, None
        answers.cancel()
        await asyncio.wait([answers])
        if order == "hold":
            self.held = Held(request, line)
        else:
            await line.ask(request)
            self.lost += 1

    def _is_time_for(self, name: str) -> bool:
        return self.held is not None and self.held.answer is None and self.held.request.name == name


async def _frame(reader: asyncio.StreamReader) -> bytes:
    size = await reader.readexactly(4)
    return size + await reader.readexactly(struct.unpack(">i", size)[0])


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
