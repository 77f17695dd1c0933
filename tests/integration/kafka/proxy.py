"""A TCP proxy that understands just enough of Kafka's protocol to lose one answer at the worst moment."""

from __future__ import annotations

import asyncio
import struct
from contextlib import suppress

END_TXN = 26
PRODUCE = 0


class AnswerLosingProxy:
    """Passes requests on; when told, lets one reach the broker and cuts the connection before its answer."""

    def __init__(self, port: int, broker_port: int) -> None:
        self._port = port
        self._broker_port = broker_port
        self._server: asyncio.Server | None = None
        self._lose_answer_to: int | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.lost = 0

    async def __aenter__(self) -> AnswerLosingProxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def lose_next_answer_to(self, api_key: int) -> None:
        """The next request with this key reaches the broker; its answer reaches nobody."""
        self._lose_answer_to = api_key

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        broker_reader, broker_writer = await asyncio.open_connection("127.0.0.1", self._broker_port)
        answers = asyncio.create_task(_copy(broker_reader, writer))
        try:
            await self._pass_requests(reader, broker_writer, answers)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            answers.cancel()
            for one in (writer, broker_writer):
                one.close()
            self._tasks.discard(task)

    async def _pass_requests(
        self, reader: asyncio.StreamReader, broker: asyncio.StreamWriter, answers: asyncio.Task[None]
    ) -> None:
        while True:
            size = await reader.readexactly(4)
            request = await reader.readexactly(struct.unpack(">i", size)[0])
            loses = struct.unpack(">h", request[:2])[0] == self._lose_answer_to
            if loses:
                answers.cancel()
                self._lose_answer_to = None
                self.lost += 1
            broker.write(size + request)
            await broker.drain()
            if loses:
                return


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
