"""The worker's one consumer behind `ports.EventReader`, shared by its lanes.

Nothing of aiokafka's own policy is left on: no auto-commit, no offset reset, no eviction for polling too rarely (a
worker that waits for Postgres must not be thrown out; our own liveness watches progress). Errors are translated here
and nowhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    ConsumerStoppedError,
    CorruptRecordException,
    KafkaError,
    OffsetOutOfRangeError,
    RecordTooLargeError,
    UnsupportedCodecError,
)
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

from processor.errors import FetchFailed, OffsetOutOfRange, TopicMissing, UnparsableBatch
from processor.kafka import inside_aiokafka
from processor.kafka.assignor import lane_assignor
from processor.kafka.connection import client_options, milliseconds, root_cause, unreachable
from processor.kafka.fetching import fetch_tolerantly
from processor.kafka.last_batch import last_batch
from processor.kafka.questions import EARLIEST, committed_offsets, leave_group, log_offsets, topic_facts
from processor.ports import (
    AssignmentListener,
    CommittedOffset,
    EventRecord,
    TopicFacts,
    UnparsableRecord,
)
from processor.settings import Settings

log = structlog.get_logger(__name__)

# Bounds of memory: what one partition may bring into a fetch, all partitions together, and one answer of a broker.
_PARTITION_FETCH_BYTES = 1024 * 1024
_ALL_PARTITIONS_BYTES = 64 * 1024 * 1024
_SMALLEST_FETCH_BYTES = 128 * 1024
_ANSWER_BYTES = 16 * 1024 * 1024
# A broker answers at once when it has a record; with none it waits so long. Short, because one fetch per broker is
# under way at a time, and a lane that wants more meanwhile waits for its answer.
_FETCH_MAX_WAIT_MS = 20
_PREFETCH_BACKOFF_SECONDS = 0.01
_MAX_POLL_INTERVAL_MS = 2**31 - 1
_NEW_TOPIC_SECONDS = 3.0
_LOOK_EVERY_SECONDS = 0.1
_REBALANCE_GRACE_SECONDS = 0.5
_STOP_TIMEOUT_SECONDS = 5.0
_REVOKE_TIMEOUT_SECONDS = 12.0

_UNPARSABLE = (CorruptRecordException, UnsupportedCodecError, RecordTooLargeError)


class KafkaEventReader:
    """`ports.EventReader` on aiokafka. ``lanes`` and ``partitions`` are the layout's; ``static_id`` names this
    worker for good (KIP-345), so that a restart gets its lanes back without waiting out its old session."""

    def __init__(
        self, settings: Settings, *, lanes: int, partitions: int | None = None, static_id: str | None = None
    ) -> None:
        self._settings = settings
        self._topic = settings.events_topic
        self._static_id = static_id
        self._lanes = lanes
        self._partitions = partitions or settings.partitions
        self._places = {one: TopicPartition(self._topic, one) for one in range(self._partitions)}
        self._consumer: AIOKafkaConsumer | None = None
        self._questions: AIOKafkaClient | None = None

    async def start(self, listener: AssignmentListener) -> None:
        """Connect, see that the topic is there, and join the group in the background.

        Raises `errors.KafkaUnreachable`, `errors.TopicMissing`.
        """
        self._questions = AIOKafkaClient(**client_options(self._settings))
        self._consumer = self._make_consumer()
        try:
            await self._questions.bootstrap()
            await self._see_topic()
            await self._consumer.start()
        except TopicMissing:
            await self.stop(leave_group=False)
            raise
        except (KafkaError, OSError) as error:
            await self.stop(leave_group=False)
            raise unreachable(self._settings, error) from error
        inside_aiokafka.hasten_fetches(self._consumer, prefetch_backoff_seconds=_PREFETCH_BACKOFF_SECONDS)
        self._consumer.subscribe([self._topic], listener=_Forwarding(listener))

    async def _see_topic(self) -> None:
        """Brokers hear of a new topic one after the other, so one that does not know it is asked for some seconds."""
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(TopicMissing),
            stop=stop_after_delay(_NEW_TOPIC_SECONDS),
            wait=wait_fixed(_LOOK_EVERY_SECONDS),
            reraise=True,
        ):
            with attempt:
                await self.events_topic()

    def _make_consumer(self) -> AIOKafkaConsumer:
        settings = self._settings
        share = _ALL_PARTITIONS_BYTES // self._partitions
        return AIOKafkaConsumer(
            **client_options(settings),
            group_id=settings.group,
            group_instance_id=self._static_id,
            partition_assignment_strategy=(lane_assignor(self._lanes, self._partitions),),
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            session_timeout_ms=milliseconds(settings.session_timeout_seconds),
            heartbeat_interval_ms=milliseconds(settings.session_timeout_seconds / 3),
            rebalance_timeout_ms=milliseconds(settings.rebalance_timeout_seconds),
            max_poll_interval_ms=_MAX_POLL_INTERVAL_MS,
            max_partition_fetch_bytes=max(_SMALLEST_FETCH_BYTES, min(_PARTITION_FETCH_BYTES, share)),
            fetch_max_bytes=_ANSWER_BYTES,
            fetch_min_bytes=1,
            fetch_max_wait_ms=_FETCH_MAX_WAIT_MS,
        )

    async def fetch(
        self, partitions: Sequence[int], *, max_records: int, timeout_seconds: float
    ) -> Sequence[EventRecord]:
        """Records of these partitions, which have been sought since they were assigned. See `ports.EventReader`."""
        consumer = self._running()
        try:
            # In a rebalance getmany waits past its time-out for the next assignment. The cancellation that ends it
            # switches off aiokafka's poll-interval watchdog, which we do not use, and can lose no record: getmany
            # awaits nothing once it has taken one.
            async with asyncio.timeout(timeout_seconds + _REBALANCE_GRACE_SECONDS):
                fetched = await consumer.getmany(
                    *[self._places[one] for one in partitions],
                    timeout_ms=milliseconds(timeout_seconds),
                    max_records=max_records,
                )
        except TimeoutError:
            return []
        except Exception as error:  # parsers raise whatever they like; all of it is translated
            raise self._translated(error, partitions) from error
        if len(fetched) == 1:
            (records,) = fetched.values()
            return records  # type: ignore[no-any-return]  # aiokafka comes without types
        return [record for records in fetched.values() for record in records]

    def _translated(self, error: Exception, partitions: Sequence[int]) -> Exception:
        if isinstance(error, OffsetOutOfRangeError):
            places = {place.partition: offset for place, offset in error.args[0].items()}
            return OffsetOutOfRange(
                f"{self._topic} has no record at these places (partition: offset): {places}. Records were deleted "
                "before they were read, or the topic is another one.",
                tuple(sorted(places)),
            )
        if isinstance(error, _UNPARSABLE) or not isinstance(
            error, (KafkaError, ConsumerStoppedError, OSError)
        ):
            alone = partitions[0] if len(partitions) == 1 else None
            return UnparsableBatch(alone, f"{type(error).__name__}: {error}")
        cause = root_cause(error)
        return FetchFailed(f"Fetching {self._topic} partitions {list(partitions)} failed: {cause!r}.")

    async def fetch_tolerantly(
        self, partition: int, offset: int, *, max_records: int
    ) -> Sequence[EventRecord | UnparsableRecord]:
        """The records from ``offset`` on, through a parser that gives up on single records. See the port."""
        try:
            return await fetch_tolerantly(
                self._asking(), self._topic, partition, offset, max_records=max_records
            )
        except (KafkaError, OSError) as error:
            raise self._translated(error, [partition]) from error

    def seek(self, partition: int, offset: int) -> None:
        """Set the position of an assigned partition; another one is ignored."""
        consumer = self._running()
        place = self._places.get(partition)
        if place in consumer.assignment():
            consumer.seek(place, offset)

    def assigned(self) -> frozenset[int]:
        """The partitions that the group has given this worker now."""
        return frozenset(place.partition for place in self._running().assignment())

    def highwater(self, partition: int) -> int | None:
        """The end of a partition as its last fetch saw it."""
        consumer = self._running()
        place = self._places.get(partition)
        if place not in consumer.assignment():
            return None
        end: int | None = consumer.highwater(place)
        return end

    def position(self, partition: int) -> int | None:
        """The next offset that the client will fetch, past control records; None where it has none."""
        consumer = self._running()
        place = self._places.get(partition)
        if place is None or place not in consumer.assignment():
            return None
        return inside_aiokafka.position_of(consumer, place)

    def problem(self) -> str | None:
        """Why this reader will never again be given lanes (only a new one helps), or None."""
        consumer = self._consumer
        broken = inside_aiokafka.coordination_problem(consumer) if consumer is not None else None
        return repr(root_cause(broken)) if broken is not None else None

    async def committed(self, partitions: Sequence[int]) -> Mapping[int, CommittedOffset | None]:
        """The group's committed offsets (the receipts). Raises `errors.OffsetsUnknown`."""
        return await committed_offsets(self._asking(), self._settings.group, self._topic, list(partitions))

    async def earliest(self, partitions: Sequence[int]) -> Mapping[int, int]:
        """The first offset that each partition still has. Raises `errors.FetchFailed`."""
        try:
            return await log_offsets(self._asking(), self._topic, list(partitions), EARLIEST)
        except (KafkaError, OSError) as error:
            raise FetchFailed(f"The first offsets of {self._topic} are not known: {error!r}.") from error

    async def events_topic(self) -> TopicFacts:
        """What the cluster says of the events topic. Raises `errors.KafkaUnreachable`, `errors.TopicMissing`."""
        try:
            return await topic_facts(self._asking(), self._topic)
        except (KafkaError, OSError) as error:
            raise unreachable(self._settings, error) from error

    async def last_batch_published(self, layout: int, lane: int, partitions: Sequence[int]) -> int | None:
        """The highest ``seq`` of this lane that results or dead letters carry. Raises `errors.FetchFailed`."""
        topics = (self._settings.results_topic, self._settings.dead_letters_topic)
        try:
            return await last_batch(self._settings, topics, layout, lane, partitions)
        except (KafkaError, OSError) as error:
            raise FetchFailed(
                f"The last published batch of lane {lane} was not found out: {error!r}."
            ) from error

    async def stop(self, *, leave_group: bool) -> None:
        """Close, bounded in time. A static member leaves its group only when asked to; others always do."""
        consumer, questions = self._consumer, self._questions
        self._consumer = self._questions = None
        member = inside_aiokafka.member_id(consumer) if consumer is not None else None
        if consumer is not None:
            await inside_aiokafka.end_consumer(consumer, timeout_seconds=_STOP_TIMEOUT_SECONDS)
        if questions is not None:
            if leave_group and member and self._static_id is not None:
                await self._leave(questions, member, self._static_id)
            await questions.close()

    async def _leave(self, client: AIOKafkaClient, member: str, static_id: str) -> None:
        """Say that we go, after the consumer has stopped (its heartbeat would join again)."""
        try:
            async with asyncio.timeout(_STOP_TIMEOUT_SECONDS):
                await leave_group(client, self._settings.group, member, static_id)
        except (KafkaError, OSError) as error:
            log.warning("could not leave the group", problem=repr(error), action="reader.leave_failed")

    def _running(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise FetchFailed("The reader is not running.")
        return self._consumer

    def _asking(self) -> AIOKafkaClient:
        if self._questions is None:
            raise FetchFailed("The reader is not running.")
        return self._questions


class _Forwarding(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka comes without types
    """Passes rebalances on and holds none of them up: while these run, aiokafka cannot join."""

    def __init__(self, listener: AssignmentListener) -> None:
        self._listener = listener

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        try:
            async with asyncio.timeout(_REVOKE_TIMEOUT_SECONDS):
                await self._listener.revoked(sorted(place.partition for place in revoked))
        except Exception:  # a rebalance goes on whatever the lanes do; the lease protects them
            log.exception("lanes did not let go in good order", action="reader.revoke_failed")

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._listener.assigned(sorted(place.partition for place in assigned))
