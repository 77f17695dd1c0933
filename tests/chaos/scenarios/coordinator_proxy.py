"""A TCP proxy that knows Kafka's frames, and speaks for the coordinators of groups and transactions when told to.

    load      it answers their requests with COORDINATOR_LOAD_IN_PROGRESS: a broker that has just become coordinator.
              An OffsetFetch is answered so with no topics at all, which must not be taken for "no offsets"
    hush      it takes their requests and answers nothing; the connection stays, and what is asked on it behind such a
              request stays unanswered, too: a broker answers in order

All else is passed on: records are produced and fetched, metadata are read.
"""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from contextlib import suppress
from io import BytesIO
from typing import Any, Final, Literal, NamedTuple, Self

from aiokafka.protocol import commit, coordination, group, transaction
from aiokafka.protocol.api import RequestHeader_v1, RequestHeader_v2, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Bytes, CompactBytes, CompactString, String, TaggedFields

from processor.kafka import wire

_ANSWERED: Final = (commit, coordination, group, transaction, wire)
#: OffsetCommit, OffsetFetch, JoinGroup, Heartbeat, LeaveGroup, SyncGroup; InitProducerId, AddPartitionsToTxn,
#: AddOffsetsToTxn, EndTxn, TxnOffsetCommit. (FindCoordinator says who it is, and that is known.)
_COORDINATORS: Final = frozenset({8, 9, 11, 12, 13, 14, 22, 24, 25, 26, 28})
_LOAD_IN_PROGRESS: Final = 14


def _known_requests() -> dict[tuple[int, int], Any]:
    """The class of each request by key and version (aiokafka comes without types, so they have none here)."""
    found = [one for module in _ANSWERED for one in vars(module).values() if isinstance(one, type)]
    requests: list[Any] = [
        one for one in found if issubclass(one, RequestStruct) and one is not RequestStruct
    ]
    return {(one.API_KEY, one.API_VERSION): one for one in requests}


_REQUESTS: Final = _known_requests()


class _Asked(NamedTuple):
    """A request in the order of a connection; ``answer`` is ours, None where the broker's is waited for."""

    correlation: int
    answer: bytes | None
    never: bool = False


def loading(frame: bytes) -> bytes:
    """The answer to a coordinator's request (a whole frame) that says: not yet. Raises KeyError if it is unknown."""
    key, version, correlation = struct.unpack_from(">hhi", frame, 4)
    asked = _REQUESTS[key, version]
    body = BytesIO(frame[4:])
    for field in (RequestHeader_v2 if asked.FLEXIBLE_VERSION else RequestHeader_v1).SCHEMA.fields:
        field.decode(body)
    request = asked.decode(body)
    answered: bytes = _filled(asked.RESPONSE_TYPE, request).encode()
    header = struct.pack(">i", correlation) + (b"\x00" if asked.FLEXIBLE_VERSION else b"")
    whole = header + answered
    return struct.pack(">i", len(whole)) + whole


def _filled(kind: type[Response], request: RequestStruct) -> Response:
    values = {name: _blank(type_) for name, type_ in zip(kind.SCHEMA.names, kind.SCHEMA.fields, strict=True)}
    if "error_code" in values:
        return kind(**{**values, "error_code": _LOAD_IN_PROGRESS})
    # These name their error at every partition.
    names = [(topic, [_number(one) for one in partitions]) for topic, partitions in request.topics]
    errors = [(topic, [(one, _LOAD_IN_PROGRESS) for one in numbers]) for topic, numbers in names]
    return kind(**{**values, "errors": errors})


def _number(partition: int | tuple[int, ...]) -> int:
    return partition[0] if isinstance(partition, tuple) else partition


def _blank(type_: object) -> Any:
    """The emptiest value of a field."""
    kind = type_ if isinstance(type_, type) else type(type_)
    if issubclass(kind, Array):
        return []
    if issubclass(kind, (String, CompactString)):
        return ""
    if issubclass(kind, (Bytes, CompactBytes)):
        return b""
    if issubclass(kind, TaggedFields):
        return {}
    return False if issubclass(kind, Boolean) else 0


class CoordinatorProxy:
    """Listens on a free port of the loopback address; used as ``async with``. ``spoiled`` counts requests."""

    def __init__(self, broker_port: int) -> None:
        self.port = 0
        self.spoiled = 0
        self._broker_port = broker_port
        self._mood: Literal["load", "hush"] | None = None
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def load(self) -> None:
        """From now on, coordinators are loading."""
        self._mood = "load"

    def hush(self) -> None:
        """From now on, coordinators say nothing."""
        self._mood = "hush"

    def heal(self) -> None:
        """They answer again, on every connection that has not been left without an answer."""
        self._mood = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            broker_reader, broker_writer = await asyncio.open_connection("127.0.0.1", self._broker_port)
        except OSError:
            writer.close()
            self._tasks.discard(task)
            return
        asked: deque[_Asked] = deque()
        answers = asyncio.create_task(self._answer(broker_reader, writer, asked))
        try:
            while True:
                await self._pass(await _frame(reader), broker_writer, writer, asked)
        except (OSError, asyncio.IncompleteReadError):
            pass  # either side went away: so does the other
        finally:
            answers.cancel()
            writer.close()
            broker_writer.close()
            self._tasks.discard(task)

    async def _pass(
        self,
        frame: bytes,
        broker: asyncio.StreamWriter,
        client: asyncio.StreamWriter,
        asked: deque[_Asked],
    ) -> None:
        key, _version, correlation = struct.unpack_from(">hhi", frame, 4)
        if self._mood is None or key not in _COORDINATORS:
            asked.append(_Asked(correlation, None))
            broker.write(frame)
            await broker.drain()
            return
        self.spoiled += 1
        hushed = self._mood == "hush"
        asked.append(_Asked(correlation, None if hushed else loading(frame), never=hushed))
        _say_what_is_due(client, asked)

    async def _answer(
        self, broker: asyncio.StreamReader, client: asyncio.StreamWriter, asked: deque[_Asked]
    ) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                answer = await _frame(broker)
                if asked[0].never:
                    continue
                asked.popleft()
                client.write(answer)
                _say_what_is_due(client, asked)
                await client.drain()
        client.close()


def _say_what_is_due(client: asyncio.StreamWriter, asked: deque[_Asked]) -> None:
    while asked and (answer := asked[0].answer) is not None:
        asked.popleft()
        client.write(answer)


async def _frame(reader: asyncio.StreamReader) -> bytes:
    size = await reader.readexactly(4)
    return size + await reader.readexactly(struct.unpack(">i", size)[0])
