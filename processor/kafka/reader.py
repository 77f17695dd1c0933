"""The worker's one consumer behind `ports.EventReader`, shared by its lanes.

Nothing of aiokafka's own policy is left on: no auto-commit, no offset reset, no eviction for polling too rarely (a
worker that waits for Postgres must not be thrown out; our own liveness watches progress). Errors are translated here
and nowhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
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

from processor.errors import (
    AccessDenied,
    FetchFailed,
    OffsetOutOfRange,
    TopicMissing,
    UnparsableBatch,
    Unreachable,
)
from processor.kafka import inside_aiokafka
from processor.kafka.connection import client_options, milliseconds
from processor.kafka.fetching import fetch_tolerantly
from processor.kafka.hanging import hanging_batches
from processor.kafka.last_batch import last_batch
from processor.kafka.membership import Membership
from processor.kafka.questions import EARLIEST, committed_offsets, leave_group, log_offsets, topic_facts
from processor.kafka.refusals import explained, root_cause
from processor.kafka.topics import output_topics
from processor.ports import (
    AssignmentListener,
    CommittedOffset,
    EventRecord,
    TopicFacts,
    UnparsableRecord,
)
from processor.settings import Settings

log = structlog.get_logger(__name__)

# Past its time-out a getmany is only ever in a rebalance.
_REBALANCE_GRACE_SECONDS = 0.5
_NEW_TOPIC_SECONDS = 3.0
_LOOK_EVERY_SECONDS = 0.1
_LEAVE_TIMEOUT_SECONDS = 5.0

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
        count = partitions or settings.partitions
        self._places = {one: TopicPartition(self._topic, one) for one in range(count)}
        self._membership = Membership(settings, lanes=lanes, partitions=count, static_id=static_id)
        self._questions: AIOKafkaClient | None = None

    async def start(self, listener: AssignmentListener) -> None:
        """Connect, see that the topic is there, and join the group in the background.

        Raises `errors.KafkaUnreachable`, `errors.TopicMissing`.
        """
        self._questions = AIOKafkaClient(**client_options(self._settings))
        try:
            await self._questions.bootstrap()
            await self._see_topic()
            await self._membership.start(listener)
        except TopicMissing:
            await self.stop(leave_group=False)
            raise
        except (KafkaError, OSError) as error:
            await self.stop(leave_group=False)
            raise await explained(self._settings, error) from error

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

    async def fetch(
        self, partitions: Sequence[int], *, max_records: int, timeout_seconds: float
    ) -> Sequence[EventRecord]:
        """Records of these partitions, which have been sought since they were assigned. See `ports.EventReader`."""
        consumer = self._membership.consumer
        if consumer is None:
            raise FetchFailed("The reader is not running, or joins its group anew.")
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
        ours = self._ours(partition)
        if ours is not None:
            consumer, place = ours
            consumer.seek(place, offset)

    def assigned(self) -> frozenset[int]:
        """The partitions that the group has given this worker now."""
        consumer = self._membership.consumer
        return frozenset(place.partition for place in consumer.assignment()) if consumer else frozenset()

    def highwater(self, partition: int) -> int | None:
        """The end of a partition as its last fetch saw it."""
        ours = self._ours(partition)
        return ours[0].highwater(ours[1]) if ours is not None else None

    def position(self, partition: int) -> int | None:
        """The next offset that the client will fetch, past control records; None where it has none."""
        ours = self._ours(partition)
        return inside_aiokafka.position_of(*ours) if ours is not None else None

    def _ours(self, partition: int) -> tuple[AIOKafkaConsumer, TopicPartition] | None:
        consumer, place = self._membership.consumer, self._places.get(partition)
        if consumer is None or place is None or place not in consumer.assignment():
            return None
        return consumer, place

    def problem(self) -> str | None:
        """Why the group will give this worker no partition now, or None. See `ports.EventReader`."""
        return self._membership.problem()

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
            raise await explained(self._settings, error) from error

    async def last_batch_published(self, layout: int, lane: int, partitions: Sequence[int]) -> int | None:
        """The highest ``seq`` of this lane that results or dead letters carry. Raises `errors.FetchFailed`."""
        topics = list(output_topics(self._settings).values())
        try:
            return await last_batch(self._settings, topics, layout, lane, partitions)
        except (Unreachable, AccessDenied) as error:
            raise FetchFailed(
                f"The last published batch of lane {lane} was not found out: {error!r}."
            ) from error

    async def hanging(
        self, layout: int, lane: int, partitions: Sequence[int]
    ) -> Mapping[tuple[str, int], int]:
        """The batches of this lane that hang. Raises `errors.FetchFailed`. See `ports.EventReader`."""
        try:
            return await hanging_batches(
                self._asking(), output_topics(self._settings), layout, lane, partitions
            )
        except (KafkaError, OSError) as error:
            raise FetchFailed(f"What hangs of lane {lane} was not found out: {error!r}.") from error

    async def stop(self, *, leave_group: bool) -> None:
        """Close, bounded in time. A static member leaves its group only when asked to; others always do."""
        member = self._membership.member_id
        await self._membership.stop()
        questions, self._questions = self._questions, None
        if questions is not None:
            if leave_group and member and self._static_id is not None:
                await self._leave(questions, member, self._static_id)
            await inside_aiokafka.close_client(questions)

    async def _leave(self, client: AIOKafkaClient, member: str, static_id: str) -> None:
        """Say that we go, after the consumer has stopped (its heartbeat would join again)."""
        try:
            async with asyncio.timeout(_LEAVE_TIMEOUT_SECONDS):
                await leave_group(client, self._settings.group, member, static_id)
        except (KafkaError, OSError) as error:
            log.warning("could not leave the group", problem=repr(error), action="reader.leave_failed")

    def _asking(self) -> AIOKafkaClient:
        if self._questions is None:
            raise FetchFailed("The reader is not running.")
        return self._questions
