"""A plain idempotent producer of events, as a game server would have one: for `croupier send`, traffic and tests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self, TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    RequestTimedOutError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from aiokafka.partitioner import murmur2

from processor.errors import CroupierError, PublishFailed, WrongUsage
from processor.kafka import inside_aiokafka
from processor.kafka.connection import client_options
from processor.kafka.questions import missing
from processor.kafka.refusals import explained, root_cause, unreachable
from processor.settings import Settings

_T = TypeVar("_T")
Headers = Sequence[tuple[str, bytes | None]]
#: Gives the headers that sign a value.
Signer = Callable[[bytes | None], Sequence[tuple[str, bytes]]]

_CLOSED_DOORS = (
    KafkaConnectionError,
    KafkaTimeoutError,
    RequestTimedOutError,
    TopicAuthorizationFailedError,
    OSError,
)
_LINGER_MS = 2
_BATCH_BYTES = 256 * 1024
# Tests and replays send what the broker refuses, too; it is the broker's to refuse.
_REQUEST_BYTES = 8 * 1024 * 1024
_STOP_TIMEOUT_SECONDS = 5.0
_KNOWN_KEYS = 65_536


class Sent(Protocol):
    """Where the broker put a record; ``timestamp`` is the broker's, Unix milliseconds."""

    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...


class OutEvent(NamedTuple):
    """One event to send; ``partition`` None means the key's."""

    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None


@lru_cache(maxsize=_KNOWN_KEYS)
def partition_for(key: bytes, partitions: int) -> int:
    """The partition of a key as the Java client's default partitioner has it (murmur2)."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


class EventSender:
    """Sends bytes to ``topic`` (the events topic unless told), used as ``async with``; ``signer`` adds its headers to
    each record's own.

    Raises `errors.KafkaUnreachable`, `errors.TopicMissing`, `errors.WrongUsage` (a record the broker takes from
    nobody), `errors.PublishFailed`.
    """

    def __init__(self, settings: Settings, *, topic: str | None = None, signer: Signer | None = None) -> None:
        self._settings = settings
        self._signer = signer
        self._topic = topic or settings.events_topic
        self._producer: AIOKafkaProducer | None = None
        self._partitions = 0
        # The producer itself never gives up on a record; so this does.
        self._patience_seconds = 3 * settings.request_timeout_seconds

    async def __aenter__(self) -> Self:
        self._producer = AIOKafkaProducer(
            **client_options(self._settings),
            enable_idempotence=True,
            acks="all",
            linger_ms=_LINGER_MS,
            max_batch_size=_BATCH_BYTES,
            max_request_size=_REQUEST_BYTES,
        )
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._producer.start()
                self._partitions = len(await self._producer.partitions_for(self._topic))
        except (KafkaError, OSError) as error:
            await self._let_go()
            raise await self._told(error) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                await self.flush()
        finally:
            await self._let_go()

    async def send(
        self, value: bytes | None, *, key: bytes | None, headers: Headers = (), partition: int | None = None
    ) -> asyncio.Future[Sent]:
        """Queue a record; the future says where it went. Waits only while too much is queued."""
        if partition is None:
            partition = self.partition_of(key)
        try:
            sending = await self._started().send(
                self._topic, value, key=key, partition=partition, headers=self._all_headers(value, headers)
            )
        except (KafkaError, AssertionError) as error:
            raise self._translated(error) from error
        answer: asyncio.Future[Sent] = asyncio.get_running_loop().create_future()
        sending.add_done_callback(lambda done: self._pass_on(done, answer))
        return answer

    def _pass_on(self, done: asyncio.Future[Any], answer: asyncio.Future[Sent]) -> None:
        if answer.done():
            return
        error = done.exception()
        if error is None:
            answer.set_result(done.result())
        else:
            answer.set_exception(self._translated(error))

    async def send_and_wait(
        self, value: bytes | None, *, key: bytes | None, headers: Headers = (), partition: int | None = None
    ) -> Sent:
        """Send one record and wait for the broker's answer."""
        sending = await self.send(value, key=key, headers=headers, partition=partition)
        return await self._patiently(sending)

    async def send_many(self, events: Sequence[OutEvent]) -> None:
        """Send these, in order within each partition, in as few batches as possible; returns when all are kept."""
        by_partition: dict[int, list[OutEvent]] = {}
        for event in events:
            place = event.partition if event.partition is not None else self.partition_of(event.key)
            by_partition.setdefault(place, []).append(event)
        answers = [
            answer
            for place, theirs in by_partition.items()
            for answer in await self._send_batches(place, theirs)
        ]
        await self._patiently(asyncio.gather(*answers))

    async def _send_batches(self, partition: int, events: Sequence[OutEvent]) -> list[asyncio.Future[Any]]:
        producer, now_ms = self._started(), int(time.time() * 1000)
        answers: list[asyncio.Future[Any]] = []
        batch = producer.create_batch()
        for event in events:
            headers = self._all_headers(event.value, event.headers)
            while batch.append(timestamp=now_ms, key=event.key, value=event.value, headers=headers) is None:
                answers.append(await producer.send_batch(batch, self._topic, partition=partition))
                batch = producer.create_batch()
        answers.append(await producer.send_batch(batch, self._topic, partition=partition))
        return answers

    def _all_headers(self, value: bytes | None, headers: Headers) -> list[tuple[str, bytes | None]]:
        return list(headers) if self._signer is None else [*headers, *self._signer(value)]

    async def flush(self) -> None:
        """Wait until everything queued has been answered."""
        await self._patiently(asyncio.ensure_future(self._started().flush()))

    def partition_of(self, key: bytes | None) -> int:
        """The partition a key belongs to; a record without one goes to the first."""
        return partition_for(key, self._partitions) if key is not None else 0

    async def _patiently(self, work: Awaitable[_T]) -> _T:
        try:
            async with asyncio.timeout(self._patience_seconds):
                return await work
        except (KafkaError, OSError) as error:
            raise self._translated(error) from error

    async def _told(self, error: BaseException) -> CroupierError:
        """The same of a producer that could not start, with the reason that aiokafka keeps to itself."""
        if isinstance(root_cause(error), KafkaConnectionError):
            return await explained(self._settings, error)
        return self._translated(error)

    def _translated(self, error: BaseException) -> CroupierError:
        cause = root_cause(error)
        if isinstance(cause, ClusterAuthorizationFailedError):
            # What a broker says to a producer of idempotent records who may not write to any topic (KIP-679).
            cause = TopicAuthorizationFailedError(self._topic)
        if isinstance(cause, CroupierError):
            return cause
        if isinstance(cause, UnknownTopicOrPartitionError):
            return missing(self._topic)
        if isinstance(cause, MessageSizeTooLargeError):
            return WrongUsage(f"{self._topic} does not take a record of this size (max.message.bytes).")
        if isinstance(cause, AssertionError):
            return WrongUsage(f"This record cannot be sent to {self._topic}: {cause}.")
        if isinstance(cause, _CLOSED_DOORS):
            return unreachable(self._settings, cause)
        return PublishFailed(f"{self._topic} did not take a record: {cause!r}.")

    def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise WrongUsage("This sender is used as `async with EventSender(…)`.")
        return self._producer

    async def _let_go(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await inside_aiokafka.let_go(producer, timeout_seconds=_STOP_TIMEOUT_SECONDS)
