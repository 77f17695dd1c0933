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
from processor.kafka.connection import client_options, connected_client, unreachable
from processor.kafka.questions import EARLIEST, LATEST, describe_topic, log_offsets
from processor.ports import EventRecord
from processor.settings import Settings

Start = Literal["beginning", "end"] | datetime | Mapping[int, int]
Progress = Callable[[int, int], None]

_T = TypeVar("_T")

_POLL_MS = 200
_MAX_RECORDS = 2000
_FETCH_MAX_WAIT_MS = 50


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
        positions = await _positions(client, settings, topic, start, partitions)
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
        positions = await _positions(client, settings, topic, start, partitions)
        ends = await _asked(settings, log_offsets(client, topic, list(positions), LATEST))
    open_ends = {one: end for one, end in ends.items() if positions[one] < end}
    total = sum(ends[one] - positions[one] for one in open_ends)
    if progress is not None:
        progress(0, total)
    async with _consumer(settings, topic, {one: positions[one] for one in open_ends}) as consumer:
        while open_ends:
            for record in await _poll(consumer, settings):
                if record.offset < ends[record.partition]:
                    yield record
            reached = {
                one: await consumer.position(TopicPartition(topic, one)) for one in positions if one in ends
            }
            open_ends = {one: end for one, end in open_ends.items() if reached[one] < end}
            if progress is not None:
                progress(_passed(positions, reached, ends), total)


def _passed(starts: Mapping[int, int], reached: Mapping[int, int], ends: Mapping[int, int]) -> int:
    return sum(min(place, ends[one]) - starts[one] for one, place in reached.items())


async def end_offsets(settings: Settings, topic: str) -> dict[int, int]:
    """The last stable offset of every partition. Raises `errors.KafkaUnreachable`, `errors.TopicMissing`."""
    async with connected_client(settings) as client:
        return await _positions(client, settings, topic, "end", None)


async def _positions(
    client: AIOKafkaClient, settings: Settings, topic: str, start: Start, partitions: Sequence[int] | None
) -> dict[int, int]:
    described = await _asked(settings, describe_topic(client, topic))
    wanted = list(partitions) if partitions is not None else list(range(described.partitions))
    if isinstance(start, Mapping):
        return {one: start[one] for one in wanted if one in start}
    if start == "beginning":
        return await _asked(settings, log_offsets(client, topic, wanted, EARLIEST))
    ends = await _asked(settings, log_offsets(client, topic, wanted, LATEST))
    if start == "end":
        return ends
    since_ms = int(start.timestamp() * 1000)
    return {**ends, **await _asked(settings, log_offsets(client, topic, wanted, since_ms))}


async def _asked(settings: Settings, question: Awaitable[_T]) -> _T:
    try:
        return await question
    except (KafkaError, OSError) as error:
        raise unreachable(settings, error) from error


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
        for place, offset in places.items():
            consumer.seek(place, offset)
    try:
        await _asked(settings, consumer.start())
        yield consumer
    finally:
        await consumer.stop()


async def _poll(consumer: AIOKafkaConsumer, settings: Settings) -> list[TopicRecord]:
    try:
        fetched = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_MAX_RECORDS)
    except (KafkaError, OSError) as error:
        raise unreachable(settings, error) from error
    except ValueError as error:
        raise UnparsableBatch(None, f"A record cannot be read: {error}.") from error
    return [record for records in fetched.values() for record in records]
