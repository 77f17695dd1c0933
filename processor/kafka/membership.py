"""The worker's membership in its group: one consumer, with our bounds and none of aiokafka's policies, kept alive.

aiokafka restarts neither its coordination nor its heartbeat nor its fetching once one of them has failed for a reason
it does not know (a right that was taken away for a minute is enough): the consumer then answers every call with the
same error and is never given a lane again, or keeps its lanes and reads nothing. So somebody watches, and makes a new
consumer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from processor.kafka import inside_aiokafka
from processor.kafka.assignor import lane_assignor
from processor.kafka.connection import client_options, milliseconds
from processor.kafka.refusals import root_cause
from processor.ports import AssignmentListener
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
_STOP_TIMEOUT_SECONDS = 5.0
_REVOKE_TIMEOUT_SECONDS = 12.0
_LOOK_EVERY_SECONDS = 1.0


class Membership:
    """One member of the group. ``static_id`` names it for good (KIP-345)."""

    def __init__(self, settings: Settings, *, lanes: int, partitions: int, static_id: str | None) -> None:
        self._settings = settings
        self._lanes = lanes
        self._partitions = partitions
        self._static_id = static_id
        self._consumer: AIOKafkaConsumer | None = None
        self._watching: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    @property
    def consumer(self) -> AIOKafkaConsumer | None:
        """The consumer now; None before the start, after the stop, and while we join anew."""
        return self._consumer

    @property
    def member_id(self) -> str | None:
        """The id under which the group knows us now."""
        return inside_aiokafka.member_id(self._consumer) if self._consumer is not None else None

    async def start(self, listener: AssignmentListener) -> None:
        """Join the group in the background, and again whenever this fails for good. Raises KafkaError."""
        self._consumer = await self._join(listener)
        self._watching = asyncio.create_task(self._watch(listener))

    async def stop(self) -> None:
        """End the consumer, bounded in time."""
        self._stopping.set()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await inside_aiokafka.end_consumer(consumer, timeout_seconds=_STOP_TIMEOUT_SECONDS)

    def problem(self) -> str | None:
        """Why no lane will be given to us now, or None: the group's coordinator is away, or we are to join anew."""
        if self._consumer is None:
            return "there is no consumer"
        broken = inside_aiokafka.consumer_problem(self._consumer)
        if broken is not None:
            return repr(root_cause(broken))
        if not inside_aiokafka.knows_coordinator(self._consumer):
            return "the group's coordinator is not known"
        return None

    async def _join(self, listener: AssignmentListener) -> AIOKafkaConsumer:
        consumer = self._make_consumer()
        try:
            await consumer.start()
        except BaseException:
            await inside_aiokafka.end_consumer(consumer, timeout_seconds=_STOP_TIMEOUT_SECONDS)
            raise
        inside_aiokafka.hasten_fetches(consumer, prefetch_backoff_seconds=_PREFETCH_BACKOFF_SECONDS)
        consumer.subscribe([self._settings.events_topic], listener=_Forwarding(listener))
        return consumer

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

    async def _watch(self, listener: AssignmentListener) -> None:
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _LOOK_EVERY_SECONDS)
            consumer = self._consumer
            broken = inside_aiokafka.consumer_problem(consumer) if consumer is not None else None
            if consumer is None or broken is not None:
                await self._join_anew(listener, consumer, broken)

    async def _join_anew(
        self, listener: AssignmentListener, old: AIOKafkaConsumer | None, broken: BaseException | None
    ) -> None:
        """Let go of a consumer that is beyond repair and make another; what fails is tried again at the next look."""
        if old is not None:
            log.warning("joining the group anew", problem=repr(broken), action="membership.broken")
            self._consumer = None
            await _revoke(listener, sorted(place.partition for place in old.assignment()))
            await inside_aiokafka.end_consumer(old, timeout_seconds=_STOP_TIMEOUT_SECONDS)
        try:
            self._consumer = await self._join(listener)
        except (KafkaError, OSError) as error:
            log.warning("could not join the group", problem=repr(error), action="membership.join_failed")


async def _revoke(listener: AssignmentListener, partitions: list[int]) -> None:
    """Tell the lanes, bounded in time: a rebalance goes on whatever they do; the lease protects them."""
    try:
        async with asyncio.timeout(_REVOKE_TIMEOUT_SECONDS):
            await listener.revoked(partitions)
    except Exception:
        log.exception("lanes did not let go in good order", action="membership.revoke_failed")


class _Forwarding(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka comes without types
    """Passes rebalances on and holds none of them up: while these run, aiokafka cannot join."""

    def __init__(self, listener: AssignmentListener) -> None:
        self._listener = listener

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        await _revoke(self._listener, sorted(place.partition for place in revoked))

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._listener.assigned(sorted(place.partition for place in assigned))
