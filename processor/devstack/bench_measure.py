"""How the bench measures, the same way for both: spans of results by their time, latencies by a consumer of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import tenacity
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from processor.devstack.bench_traffic import BenchEvent
from processor.errors import CroupierError
from processor.kafka.producing import EventSender, OutEvent, Signer
from processor.kafka.tailing import end_offsets, read_to_end
from processor.settings import Settings

_CHUNK: Final = 5000
_DRAIN_TIMEOUT_SECONDS: Final = 600.0
_TICK_SECONDS: Final = 0.005
_LAST_ANSWERS_SECONDS: Final = 20.0
_ACCEPTED: Final = b'"status":"accepted"'


class BenchFailed(CroupierError):
    """A measurement that would mean nothing: something was not as it must be."""


@dataclass(slots=True)
class Span:
    """The results of one drain: how many, when the first and the last were published (Unix milliseconds)."""

    count: int = 0
    accepted: int = 0
    first_ms: int = 0
    last_ms: int = 0
    sample: Any = None

    @property
    def per_second(self) -> float:
        return self.count * 1000 / max(1, self.last_ms - self.first_ms)


async def create_topic(settings: Settings, name: str, **configuration: str) -> None:
    """One more topic with as many partitions as the events topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, settings.partitions, 1, topic_configs=configuration)])
    finally:
        await admin.close()


async def produce(settings: Settings, events: Iterable[BenchEvent], *, signer: Signer | None = None) -> None:
    """Put a backlog on the events topic."""
    waiting = [OutEvent(event.key, event.value) for event in events]
    async with EventSender(settings, signer=signer) as sender:
        for first in range(0, len(waiting), _CHUNK):
            await sender.send_many(waiting[first : first + _CHUNK])


async def drained(
    settings: Settings,
    group: str,
    ends: Mapping[int, int],
    *,
    alive: Callable[[], bool],
    progress: Callable[[int], None] = lambda _left: None,
) -> None:
    """Wait until the group has committed these offsets; ``progress`` hears how many events are left.

    Raises BenchFailed if whoever drains dies or takes too long.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()

    async def left() -> int:
        if not alive():
            raise BenchFailed(f"whoever drains as {group} ended before the backlog did")
        try:
            committed = await admin.list_consumer_group_offsets(group)
        except KafkaError:  # the coordinator of a new group is not there yet
            committed = {}
        reached = {place.partition: found.offset for place, found in committed.items()}
        count: int = sum(max(0, end - max(0, reached.get(one, 0))) for one, end in ends.items())
        progress(count)
        return count

    try:
        await tenacity.AsyncRetrying(
            wait=tenacity.wait_fixed(0.1),
            stop=tenacity.stop_after_delay(_DRAIN_TIMEOUT_SECONDS),
            retry=tenacity.retry_if_result(lambda count: count > 0),
        )(left)
    except tenacity.RetryError as late:
        raise BenchFailed(f"{group} did not drain within {_DRAIN_TIMEOUT_SECONDS:.0f} seconds") from late
    finally:
        await admin.close()


async def span(settings: Settings, topic: str, starts: Mapping[int, int]) -> Span:
    """Every committed result from these offsets on, with the times of the first and the last."""
    found = Span()
    async for record in read_to_end(settings, topic, start=starts):
        found.count += 1
        found.accepted += _ACCEPTED in (record.value or b"")
        found.first_ms = min(found.first_ms or record.timestamp, record.timestamp)
        found.last_ms = max(found.last_ms, record.timestamp)
        found.sample = record
    return found


@dataclass(slots=True)
class LatencyProbe:
    """Matches results with the events they answer, by the header ``ce_id``; latencies in milliseconds."""

    latencies: list[float] = field(default_factory=list)
    _sent: dict[tuple[int, int], float] = field(default_factory=dict)
    _arrived: dict[tuple[int, int], float] = field(default_factory=dict)

    def ask(self, counts: bool, sending: asyncio.Future[Any]) -> None:
        sent = sending.result()
        place = (sent.partition, sent.offset)
        arrived_ms = self._arrived.pop(place, None)
        if not counts:
            return
        if arrived_ms is None:
            self._sent[place] = sent.timestamp
        else:
            self.latencies.append(arrived_ms - sent.timestamp)

    def hear(self, message: Any, now_ms: float) -> None:
        place = _place_of(message.headers)
        sent_ms = self._sent.pop(place, None)
        if sent_ms is None:
            self._arrived[place] = now_ms
        else:
            self.latencies.append(now_ms - sent_ms)

    @property
    def outstanding(self) -> int:
        return len(self._sent)


def _place_of(headers: Iterable[tuple[str, bytes]]) -> tuple[int, int]:
    for name, value in headers:
        if name == "ce_id":
            partition, offset = value.split(b"-")[-2:]
            return int(partition), int(offset)
    raise BenchFailed("a result came without its ce_id header")


@asynccontextmanager
async def _listening(settings: Settings, topic: str, probe: LatencyProbe) -> AsyncIterator[None]:
    """A read_committed consumer of the topic's future, quick to fetch."""
    starts = await end_offsets(settings, topic)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        fetch_max_wait_ms=10,
    )
    consumer.assign([TopicPartition(topic, one) for one in starts])
    await consumer.start()
    for one, offset in starts.items():
        consumer.seek(TopicPartition(topic, one), offset)

    async def listen() -> None:
        while True:
            fetched = await consumer.getmany(timeout_ms=100)
            now_ms = time.time() * 1000
            for messages in fetched.values():
                for message in messages:
                    probe.hear(message, now_ms)

    task = asyncio.create_task(listen(), name="bench-probe")
    try:
        yield
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await consumer.stop()


async def latencies(
    settings: Settings,
    events_topic: str,
    results_topic: str,
    events: list[BenchEvent],
    *,
    rate: float,
    warm_up_seconds: float,
) -> list[float]:
    """Send events at a steady rate; milliseconds from each one's broker time to its result in a consumer's hands.

    Those sent in the warm-up do not count. Raises BenchFailed if a result is missing in the end.
    """
    probe, loop = LatencyProbe(), asyncio.get_running_loop()
    async with (
        _listening(settings, results_topic, probe),
        EventSender(settings, topic=events_topic) as sender,
    ):
        began, sent = loop.time(), 0
        while sent < len(events):
            elapsed = loop.time() - began
            due = min(len(events), int(elapsed * rate))
            for event in events[sent:due]:
                sending = await sender.send(event.value, key=event.key)
                sending.add_done_callback(partial(probe.ask, elapsed >= warm_up_seconds))
            sent = due
            await asyncio.sleep(_TICK_SECONDS)
        await sender.flush()
        await _all_answered(probe)
    return probe.latencies


async def _all_answered(probe: LatencyProbe) -> None:
    async def left() -> int:
        return probe.outstanding

    try:
        await tenacity.AsyncRetrying(
            wait=tenacity.wait_fixed(0.05),
            stop=tenacity.stop_after_delay(_LAST_ANSWERS_SECONDS),
            retry=tenacity.retry_if_result(lambda count: count > 0),
        )(left)
    except tenacity.RetryError as late:
        raise BenchFailed(f"{probe.outstanding} results did not come") from late
