"""Several partitions of several topics read as one stream, in the order of a key that grows within each of them.

Bounded in memory: of each partition a few hundred records are held, however long it is.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from processor.errors import CroupierError, UnparsableBatch
from processor.kafka.connection import client_options, connected_client
from processor.kafka.inside_aiokafka import end_consumer
from processor.kafka.questions import (
    EARLIEST,
    LATEST,
    READ_COMMITTED,
    READ_UNCOMMITTED,
    describe_topic,
    log_offsets,
)
from processor.kafka.refusals import unreachable
from processor.kafka.tailing import TopicRecord
from processor.settings import Settings

Place = tuple[str, int]
Key = tuple[int, ...]
Progress = Callable[[int, int], None]

_HELD_RECORDS = 500
_POLL_MS = 200
_FETCH_MAX_WAIT_MS = 50
_STOP_TIMEOUT_SECONDS = 1.0
_RESOLVED_WITHIN_SECONDS = 30.0
_LOOK_EVERY_SECONDS = 0.1


class TransactionHangs(CroupierError):
    """A transaction on a topic is not resolved: what is behind it cannot be read yet."""


class Span(NamedTuple):
    """What of a partition is to be read: from ``begin`` to before ``end``; below ``certain``, whatever was committed
    before a record that is read was committed is read too, in all partitions."""

    begin: int
    certain: int
    end: int


async def spans(settings: Settings, topics: Sequence[str]) -> dict[Place, Span]:
    """What these topics hold now, once every transaction that is under way is resolved.

    Raises `errors.KafkaUnreachable`, `errors.TopicMissing`, `TransactionHangs`.
    """
    begins = await _offsets(settings, topics, EARLIEST, READ_COMMITTED)
    certain = await _offsets(settings, topics, LATEST, READ_UNCOMMITTED)
    ends = await _offsets(settings, topics, LATEST, READ_UNCOMMITTED)
    try:
        async with asyncio.timeout(_RESOLVED_WITHIN_SECONDS):
            while True:
                stable = await _offsets(settings, topics, LATEST, READ_COMMITTED)
                if all(stable[place] >= end for place, end in ends.items()):
                    break
                await asyncio.sleep(_LOOK_EVERY_SECONDS)
    except TimeoutError as late:
        hanging = min(
            f"{topic} {partition}"
            for (topic, partition), end in ends.items()
            if stable[topic, partition] < end
        )
        raise TransactionHangs(
            f"A transaction is open on {hanging} and is not resolved: what is behind it cannot be read. Try again"
            " later."
        ) from late
    return {place: Span(begins[place], certain[place], end) for place, end in ends.items()}


async def _offsets(settings: Settings, topics: Sequence[str], at: int, isolation: int) -> dict[Place, int]:
    found: dict[Place, int] = {}
    async with connected_client(settings) as client:
        for topic in topics:
            partitions = range((await describe_topic(client, topic)).partitions)
            offsets = await log_offsets(client, topic, partitions, at, isolation=isolation)
            found |= {(topic, partition): offset for partition, offset in offsets.items()}
    return found


async def merged(
    settings: Settings,
    wanted: Mapping[Place, Span],
    key: Callable[[TopicRecord], Key | None],
    progress: Progress,
) -> AsyncIterator[TopicRecord]:
    """All committed records of these spans, by growing key; one without a key comes with the one before it.

    ``progress`` hears (offsets passed, offsets in all). Raises `errors.KafkaUnreachable`, `errors.UnparsableBatch`.
    """
    consumer = AIOKafkaConsumer(
        **client_options(settings),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        fetch_max_wait_ms=_FETCH_MAX_WAIT_MS,
    )
    unread = {TopicPartition(*place): span for place, span in wanted.items() if span.begin < span.end}
    if not unread:
        return
    consumer.assign(list(unread))
    try:
        try:
            await consumer.start()
        except (KafkaError, OSError) as error:
            raise unreachable(settings, error) from error
        for place, span in unread.items():
            consumer.seek(place, span.begin)
        heads = [_Head(place, span, consumer, settings) for place, span in unread.items()]
        async for record in _by_key(heads, key, progress):
            yield record
    finally:
        await end_consumer(consumer, timeout_seconds=_STOP_TIMEOUT_SECONDS)


class _Head:
    """One partition's next records."""

    def __init__(
        self, place: TopicPartition, span: Span, consumer: AIOKafkaConsumer, settings: Settings
    ) -> None:
        self.span = span
        self.reached = span.begin
        self._place = place
        self._consumer = consumer
        self._settings = settings
        self._held: deque[Any] = deque()

    async def next(self) -> TopicRecord | None:
        """The next record, None behind the last one of the span."""
        while not self._held and self.reached < self.span.end:
            await self._fetch()
        if not self._held:
            return None
        record: TopicRecord = self._held.popleft()
        return record

    async def _fetch(self) -> None:
        try:
            fetched = await self._consumer.getmany(
                self._place, timeout_ms=_POLL_MS, max_records=_HELD_RECORDS
            )
        except (KafkaError, OSError) as error:
            raise unreachable(self._settings, error) from error
        except ValueError as error:
            raise UnparsableBatch(self._place.partition, f"A record cannot be read: {error}.") from error
        records = fetched.get(self._place, [])
        self._held.extend(record for record in records if record.offset < self.span.end)
        self.reached = max(self.reached, await self._consumer.position(self._place))


async def _by_key(
    heads: Sequence[_Head], key: Callable[[TopicRecord], Key | None], progress: Progress
) -> AsyncIterator[TopicRecord]:
    total = sum(head.span.end - head.span.begin for head in heads)
    waiting: list[tuple[Key, int, TopicRecord]] = []

    async def put(number: int, before: Key) -> None:
        record = await heads[number].next()
        if record is not None:
            heapq.heappush(waiting, (key(record) or before, number, record))

    for number in range(len(heads)):
        await put(number, ())
    while waiting:
        place, number, record = heapq.heappop(waiting)
        yield record
        progress(sum(min(head.reached, head.span.end) - head.span.begin for head in heads), total)
        await put(number, place)
