"""Readers of a topic without a group: follow it for ever, or read it up to its present end. Always read_committed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Literal, Protocol, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from processor.errors import UnparsableBatch
from processor.kafka.connection import client_options, connected_client
from processor.kafka.inside_aiokafka import end_consumer
from processor.kafka.questions import EARLIEST, LATEST, describe_topic, log_offsets
from processor.kafka.refusals import explained
from processor.ports import EventRecord
from processor.settings import Settings

Start = Literal["beginning", "end"] | datetime | Mapping[int, int]
Progress = Callable[[int, int], None]

_T = TypeVar("_T")

_POLL_MS = 200
_MAX_RECORDS = 2000
_FETCH_MAX_WAIT_MS = 50
_STOP_TIMEOUT_SECONDS = 1.0


class TopicRecord(EventRecord, Protocol):
    """A record with the topic it came from."""

    @property
    def topic(self) -> str: ...


async def follow(
    settings: Settings, topic: str, *, start: Start = "end", partitions: Sequence[int] | None = None
) -> AsyncIterator[TopicRecord]:
    """Every record from ``start`` on, as they come, until the caller stops iterating.

    ``start`` is an end of the topic, a time, or the first offset wanted of each partition. The positions are fixed
    when the iteration begins. Raises `errors.KafkaUnreachable`, `errors.TopicMissing`, `errors.UnparsableBatch`.
    """
    async with connected_client(settings) as client:
        positions = await _positions(client, topic, start, partitions)
    async with _consumer(settings, topic, positions) as consumer:
        while True:
            for record in await _poll(consumer, settings):
                yield record


async def read_to_end(
    settings: Settings,
    topic: str,
    *,
    start: Start = "beginning",
    partitions: Sequence[int] | None = None,
    progress: Progress | None = None,
) -> AsyncIterator[TopicRecord]:
    """Every record from ``start`` to the end as it is when the reading begins (the last stable offset).

    ``progress`` hears (offsets passed, offsets in all) after every poll. Raises as `follow` does.
    """
    async with connected_client(settings) as client:
        positions = await _positions(client, topic, start, partitions)
        ends = await log_offsets(client, topic, list(positions), LATEST)
    unread = {one: positions[one] for one, end in ends.items() if positions[one] < end}
    reading = _Reading(unread, ends, progress or _silently)
    if not unread:
        return
    async with _consumer(settings, topic, unread) as consumer:
        while not reading.is_done:
            for record in await _poll(consumer, settings):
                if record.offset < ends[record.partition]:
                    yield record
            for one in unread:
                reading.reach(one, await consumer.position(TopicPartition(topic, one)))


def _silently(_passed: int, _total: int) -> None:
    """For callers who want no word on the way."""


class _Reading:
    """How far a bounded reading has come."""

    def __init__(self, starts: Mapping[int, int], ends: Mapping[int, int], progress: Progress) -> None:
        self._left = {one: ends[one] - start for one, start in starts.items()}
        self._ends = ends
        self._total = sum(self._left.values())
        self._progress = progress
        progress(0, self._total)

    @property
    def is_done(self) -> bool:
        return not any(self._left.values())

    def reach(self, partition: int, position: int) -> None:
        left = max(0, self._ends[partition] - position)
        if left != self._left[partition]:
            self._left[partition] = left
            self._progress(self._total - sum(self._left.values()), self._total)


async def end_offsets(settings: Settings, topic: str) -> dict[int, int]:
    """The last stable offset of every partition. Raises `errors.KafkaUnreachable`, `errors.TopicMissing`."""
    async with connected_client(settings) as client:
        return await _positions(client, topic, "end", None)


async def _positions(
    client: AIOKafkaClient, topic: str, start: Start, partitions: Sequence[int] | None
) -> dict[int, int]:
    described = await describe_topic(client, topic)
    wanted = list(partitions) if partitions is not None else list(range(described.partitions))
    if isinstance(start, Mapping):
        return {one: start[one] for one in wanted if one in start}
    if start == "beginning":
        return await log_offsets(client, topic, wanted, EARLIEST)
    ends = await log_offsets(client, topic, wanted, LATEST)
    if start == "end":
        return ends
    since_ms = int(start.timestamp() * 1000)
    return {**ends, **await log_offsets(client, topic, wanted, since_ms)}


async def _asked(settings: Settings, question: Awaitable[_T]) -> _T:
    try:
        return await question
    except (KafkaError, OSError) as error:
        raise await explained(settings, error) from error


@asynccontextmanager
async def _consumer(
    settings: Settings, topic: str, positions: Mapping[int, int]
) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        **client_options(settings),
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        fetch_max_wait_ms=_FETCH_MAX_WAIT_MS,
    )
    places = {TopicPartition(topic, one): offset for one, offset in positions.items()}
    if places:
        consumer.assign(list(places))
    try:
        await _asked(settings, consumer.start())
        for place, offset in places.items():
            consumer.seek(place, offset)
        yield consumer
    finally:
        await end_consumer(consumer, timeout_seconds=_STOP_TIMEOUT_SECONDS)


async def _poll(consumer: AIOKafkaConsumer, settings: Settings) -> list[TopicRecord]:
    try:
        fetched = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_MAX_RECORDS)
    except (KafkaError, OSError) as error:
        raise await explained(settings, error) from error
    except ValueError as error:
        raise UnparsableBatch(None, f"A record cannot be read: {error}.") from error
    return [record for records in fetched.values() for record in records]
