"""What the tests of the Kafka room share: settings, a listener that remembers, patient questions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from tenacity import AsyncRetrying, retry_if_exception_type, retry_if_result, stop_after_delay, wait_fixed

from processor.errors import OffsetsUnknown
from processor.kafka.producing import EventSender, OutEvent
from processor.kafka.reader import KafkaEventReader
from processor.kafka.tailing import TopicRecord, read_to_end
from processor.ports import CommittedOffset, EventRecord, OutRecord
from processor.settings import Settings
from tests.installations import Topics

_PATIENCE_SECONDS = 30.0
_T = TypeVar("_T")


def settings_for(topics: Topics, **changed: object) -> Settings:
    """Settings of a worker on these topics; anything can be changed by its field's name."""
    fields: dict[str, object] = {
        "kafka_bootstrap": topics.bootstrap,
        "events_topic": topics.events,
        "results_topic": topics.results,
        "dead_letters_topic": topics.dead_letters,
        "partitions": topics.partitions,
        "group": topics.group,
        "app": topics.app,
        "session_timeout_seconds": 6.0,
        "rebalance_timeout_seconds": 10.0,
    }
    return Settings.model_validate({**fields, **changed})


class Assignments:
    """A listener that remembers what it heard."""

    def __init__(self) -> None:
        self.current: list[int] = []
        self.heard: list[tuple[str, list[int]]] = []
        self._first = asyncio.Event()

    async def revoked(self, partitions: Sequence[int]) -> None:
        self.heard.append(("revoked", list(partitions)))

    def assigned(self, partitions: Sequence[int]) -> None:
        self.current = list(partitions)
        self.heard.append(("assigned", self.current))
        self._first.set()

    async def first(self) -> None:
        await asyncio.wait_for(self._first.wait(), _PATIENCE_SECONDS)


async def eventually(holds: Callable[[], bool]) -> None:
    """Wait until it holds; a generous bound turns a never into a failure."""
    async for attempt in AsyncRetrying(
        retry=retry_if_result(lambda held: not held),
        stop=stop_after_delay(_PATIENCE_SECONDS),
        wait=wait_fixed(0.02),
    ):
        with attempt:
            held = holds()
        if not attempt.retry_state.outcome or not attempt.retry_state.outcome.failed:
            attempt.retry_state.set_result(held)


async def patiently(ask: Callable[[], Awaitable[_T]]) -> _T:
    """Ask again while the coordinator does not know the offsets yet, as the lane does."""
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(OffsetsUnknown),
        stop=stop_after_delay(_PATIENCE_SECONDS),
        wait=wait_fixed(0.02),
        reraise=True,
    ):
        with attempt:
            return await ask()
    raise AssertionError("unreachable")


async def send_events(settings: Settings, partition: int, values: Sequence[bytes]) -> None:
    """Put these values on one partition of the events topic, in order."""
    async with EventSender(settings) as sender:
        await sender.send_many([OutEvent(b"p-1", value, (), partition) for value in values])


async def fetch_exactly(reader: KafkaEventReader, partitions: Sequence[int], count: int) -> list[EventRecord]:
    """Fetch until so many records have come."""
    found: list[EventRecord] = []
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while len(found) < count:
            found += await reader.fetch(partitions, max_records=count - len(found), timeout_seconds=0.5)
    return found


def result(value: bytes, *, partition: int = 0, batch: bytes = b"1/0/1") -> OutRecord:
    """One result to publish."""
    return OutRecord("results", partition, b"p-1", value, [("wallet-batch", batch)])


def receipt(offset: int, seq: int) -> CommittedOffset:
    """A receipt as a lane writes it."""
    return CommittedOffset(offset, f"layout=1 seq={seq}")


async def records_of(settings: Settings, topic: str) -> list[TopicRecord]:
    """Every committed record of a topic now."""
    return [record async for record in read_to_end(settings, topic)]


async def values_of(settings: Settings, topic: str) -> list[bytes | None]:
    """The values of every committed record of a topic now."""
    return [record.value for record in await records_of(settings, topic)]
