"""One lane's transactional producer behind `ports.Publisher`: steps 9 and 10 of a batch.

aiokafka's own words for success are not trusted. `commit_transaction` succeeds although a send in it failed: so every
record's acknowledgement is awaited before the offsets. It retries a commit whose connection was cut, silently and in
the same epoch, and the old request may then commit half of the next transaction: so any request that failed taints
this producer for good. And its `stop` may wait for ever: so it is abandoned instead (`inside_aiokafka.let_go`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, TypeVar

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from processor.errors import PublishFailed
from processor.kafka import inside_aiokafka
from processor.kafka.connection import client_options, milliseconds
from processor.kafka.refusals import root_cause
from processor.kafka.topics import output_topics
from processor.ports import CommittedOffset, OutRecord
from processor.settings import Settings

log = structlog.get_logger(__name__)

# A batch takes records up to this size; a single record may be larger (a dead letter of a megabyte). Below every
# topic's max.message.bytes, so that no topic refuses a batch for what we put together.
_BATCH_BYTES = 512 * 1024
# Right after a commit the broker says "concurrent transactions" for some milliseconds; the default pause before asking
# again, 100 ms, would be the tail of our latency.
_RETRY_BACKOFF_MS = 10
_LET_GO_TIMEOUT_SECONDS = 2.0

_T = TypeVar("_T")


def transactional_id(settings: Settings, layout: int, lane: int) -> str:
    """The id that stands for a fixed set of input partitions, and so fences whoever had them before."""
    return f"{settings.app}.{settings.group}.{settings.events_topic}.{layout}.{lane}"


class KafkaPublisherFactory:
    """`ports.PublisherFactory`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __call__(self, layout: int, lane: int) -> KafkaPublisher:
        return KafkaPublisher(self._settings, layout=layout, lane=lane)


class KafkaPublisher:
    """`ports.Publisher` on aiokafka. Every failure is `errors.PublishFailed`, the real one in its ``__cause__``."""

    def __init__(self, settings: Settings, *, layout: int, lane: int) -> None:
        self._settings = settings
        self._id = transactional_id(settings, layout, lane)
        self._topics = output_topics(settings)
        self._producer: AIOKafkaProducer | None = None
        self._committing: asyncio.Future[None] | None = None
        self._tainted = False
        self._deadline = 0.0

    @property
    def tainted(self) -> bool:
        """True once any request of this producer failed."""
        return self._tainted

    async def start(self) -> None:
        """Fence whoever had this id; returns when its pending transaction is resolved."""
        settings = self._settings
        self._producer = AIOKafkaProducer(
            **client_options(settings),
            retry_backoff_ms=_RETRY_BACKOFF_MS,
            transactional_id=self._id,
            transaction_timeout_ms=milliseconds(settings.transaction_timeout_seconds),
            acks="all",
            max_batch_size=_BATCH_BYTES,
            max_request_size=_BATCH_BYTES,
        )
        # A pending transaction of the one before us may take its whole time-out to be resolved.
        self._deadline = time.monotonic() + settings.transaction_timeout_seconds
        await self._within_budget("start", self._producer.start())
        inside_aiokafka.watch_requests(self._producer.client, self._taint)

    async def sweep(self, places: Sequence[tuple[str, int]], offsets: Sequence[int], *, commit: bool) -> None:
        """Write an end marker wherever a transaction of this id hangs. See `ports.Publisher`."""
        if commit and offsets:
            raise ValueError("offsets that hang can only be aborted: what they were is not known")
        self._deadline = time.monotonic() + self._settings.publish_timeout_seconds
        await self._within_budget("sweep", self._sweep(places, offsets, commit=commit))

    async def _sweep(
        self, places: Sequence[tuple[str, int]], offsets: Sequence[int], *, commit: bool
    ) -> None:
        producer, events = self._started(), self._settings.events_topic
        await producer.begin_transaction()
        for topic, partition in places:
            inside_aiokafka.add_partition(producer, TopicPartition(self._topics[topic], partition))
        if offsets:
            nothing = {TopicPartition(events, partition): OffsetAndMetadata(0, "") for partition in offsets}
            await producer.send_offsets_to_transaction(nothing, self._settings.group)
        await (producer.commit_transaction() if commit else producer.abort_transaction())

    async def begin(self) -> None:
        """Begin a transaction; its budget of time runs from now until `commit` has returned."""
        self._deadline = time.monotonic() + self._settings.publish_timeout_seconds
        await self._within_budget("begin", self._started().begin_transaction())

    async def send(self, records: Sequence[OutRecord]) -> None:
        """Send in this order within each partition; returns when every record is acknowledged."""
        by_place: dict[tuple[str, int], list[OutRecord]] = {}
        for record in records:
            by_place.setdefault((record.topic, record.partition), []).append(record)
        await self._within_budget("send", self._send_all(by_place))

    async def _send_all(self, by_place: Mapping[tuple[str, int], list[OutRecord]]) -> None:
        acknowledgements: list[Awaitable[Any]] = []
        for (topic, partition), records in by_place.items():
            acknowledgements += await self._send_batches(self._topics[topic], partition, records)
        answers = await asyncio.gather(*acknowledgements, return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer

    async def _send_batches(
        self, topic: str, partition: int, records: Sequence[OutRecord]
    ) -> list[Awaitable[Any]]:
        producer, now_ms = self._started(), int(time.time() * 1000)
        acknowledgements: list[Awaitable[Any]] = []
        batch = producer.create_batch()
        for record in records:
            while (
                batch.append(timestamp=now_ms, key=record.key, value=record.value, headers=record.headers)
                is None
            ):
                acknowledgements.append(await producer.send_batch(batch, topic, partition=partition))
                batch = producer.create_batch()
        acknowledgements.append(await producer.send_batch(batch, topic, partition=partition))
        return acknowledgements

    async def send_offsets(self, offsets: Mapping[int, CommittedOffset]) -> None:
        """Add offsets (with metadata) of the events topic to the open transaction: the receipt."""
        topic = self._settings.events_topic
        wanted = {
            TopicPartition(topic, partition): OffsetAndMetadata(committed.offset, committed.metadata)
            for partition, committed in offsets.items()
        }
        await self._within_budget(
            "send_offsets", self._started().send_offsets_to_transaction(wanted, self._settings.group)
        )

    async def commit(self) -> None:
        """Commit. A cancellation waits for its end, as aiokafka is left unusable by one."""
        self._committing = asyncio.ensure_future(self._commit())
        try:
            await asyncio.shield(self._committing)
        except asyncio.CancelledError:
            await asyncio.wait({self._committing})
            raise

    async def _commit(self) -> None:
        await self._within_budget("commit", self._started().commit_transaction())

    async def abandon(self) -> None:
        """Let go of everything, bounded in time. Never raises."""
        producer, self._producer = self._producer, None
        self._tainted = True
        if self._committing is not None:
            self._committing.cancel()
        if producer is None:
            return
        try:
            await inside_aiokafka.let_go(producer, timeout_seconds=_LET_GO_TIMEOUT_SECONDS)
        except Exception:  # whatever it is, this producer is not used again
            log.exception("a producer did not go in good order", action="publisher.abandon_failed")

    def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise PublishFailed(f"The producer {self._id} is not started, or was abandoned.")
        return self._producer

    def _taint(self, _error: BaseException) -> None:
        self._tainted = True

    async def _within_budget(self, step: str, work: Awaitable[_T]) -> _T:
        """Await one call of aiokafka's until the budget is over; whatever it raises becomes `PublishFailed`."""
        try:
            async with asyncio.timeout(max(0.0, self._deadline - time.monotonic())):
                return await work
        except TimeoutError as error:
            self._tainted = True
            raise PublishFailed(f"{self._id}: {step} was not done within its time.") from error
        except asyncio.CancelledError:
            self._tainted = True
            raise
        except Exception as error:  # noqa: BLE001  # assertions too; all of it is translated
            self._tainted = True
            cause = root_cause(error)
            raise PublishFailed(f"{self._id}: {step} failed: {cause!r}.") from cause
