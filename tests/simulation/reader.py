"""The consumer of the simulated world: one member of the group, with aiokafka's habits behind our adapter's words."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from processor.errors import FetchFailed, OffsetsUnknown, OffsetsUnstable
from processor.ports import AssignmentListener, CommittedOffset, EventRecord, TopicFacts, UnparsableRecord
from tests.fakes.kafka import FakeEventReader
from tests.simulation.broker import Broker, BrokerError, Unstable
from tests.simulation.group import HEARTBEAT_SECONDS, Group, UnknownMember
from tests.simulation.network import Cut

_REBALANCE_GRACE_SECONDS = 0.5


class SimulatedReader(FakeEventReader):
    """`ports.EventReader` in the simulated world."""

    def __init__(self, broker: Broker, group: Group, name: str) -> None:
        super().__init__(broker, name)
        self._broker = broker
        self._group = group
        self._network = broker.network
        self._is_rebalancing = True
        self._member: asyncio.Task[None] | None = None
        self._joins = 0

    # ------------------------------------------------------------------------------------------- membership

    async def start(self, listener: AssignmentListener) -> None:
        self._listener = listener
        self._member = asyncio.create_task(self._be_member(listener), name=f"{self.name}-member")

    async def _be_member(self, listener: AssignmentListener) -> None:
        """aiokafka's coordination: heartbeats; revoke, join, assign at each rebalance. Eager."""
        while True:
            self._is_rebalancing = True
            if self._joins:
                await listener.revoked(sorted(self._assigned))
            self._assigned, self._positions = frozenset(), {}
            partitions = await self._patiently(lambda: self._group.join(self._known_as()))
            self._joins += 1
            self._assigned = frozenset(partitions)  # from here on records are delivered
            self._is_rebalancing = False
            await self._tell(listener, partitions)
            await self._stay()

    def _known_as(self) -> str:
        return self.name

    async def _tell(self, listener: AssignmentListener, partitions: Sequence[int]) -> None:
        """on_partitions_assigned: no heartbeat is sent while it runs."""
        member = self._group.members.get(self.name)
        if member is not None:
            member.in_listener = True
        try:
            await asyncio.sleep(self._network.delay())
            await self._listen(listener, partitions)
        finally:
            if member is not None:
                member.in_listener = False

    async def _listen(self, listener: AssignmentListener, partitions: Sequence[int]) -> None:
        listener.assigned(partitions)

    async def _stay(self) -> None:
        """Heartbeats until a rebalance wants us, or the group has forgotten us."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            try:
                if await self._network.ask("kafka", lambda: self._group.heartbeat(self.name)):
                    return
            except UnknownMember:
                return
            except Cut:
                continue

    async def _patiently(self, operate: Any) -> Any:
        while True:
            try:
                return await self._network.ask("kafka", operate)
            except Cut:
                await asyncio.sleep(0.5)

    async def stop(self, *, leave_group: bool) -> None:
        if self._member is not None:
            self._member.cancel()
            self._member = None
        self._listener, self._assigned = None, frozenset()
        if leave_group:
            try:
                async with asyncio.timeout(2.0):
                    await self._network.ask("kafka", lambda: self._group.leave(self.name))
            except (Cut, TimeoutError):
                return

    # ------------------------------------------------------------------------------------------------ fetching

    async def fetch(
        self, partitions: Sequence[int], *, max_records: int, timeout_seconds: float
    ) -> Sequence[EventRecord]:
        self._running()
        assert partitions, "getmany without partitions means all of them"
        if self._is_rebalancing or not self._has_news(partitions):
            await self._wait_for_news(timeout_seconds)
        await asyncio.sleep(self._network.delay())
        self._running()
        if self._is_rebalancing or "kafka" in self._network.down:
            await asyncio.sleep(timeout_seconds + _REBALANCE_GRACE_SECONDS)
            return []
        drained: list[EventRecord] = []
        for partition in sorted(set(partitions) & self._assigned):
            drained += self._drain(partition, max_records - len(drained), drained, len(partitions) == 1)
        if self._network.chance(self._broker.plan.fetch_fails):
            raise FetchFailed("The fetch failed; what it had drained is lost.")
        return drained

    def _has_news(self, partitions: Sequence[int]) -> bool:
        return any(
            self._positions.get(one, -1) < self._broker.end(one)
            for one in partitions
            if one in self._assigned
        )

    async def _wait_for_news(self, timeout_seconds: float) -> None:
        news = self._broker.next_event()
        timer = asyncio.get_running_loop().call_later(timeout_seconds, _wake, news)
        try:
            await news
        finally:
            timer.cancel()

    async def fetch_tolerantly(
        self, partition: int, offset: int, *, max_records: int
    ) -> Sequence[EventRecord | UnparsableRecord]:
        self._running()
        found = super().fetch_tolerantly
        await asyncio.sleep(self._network.delay())
        return await found(partition, offset, max_records=max_records)

    # -------------------------------------------------------------------------------------------- what is asked

    async def committed(self, partitions: Sequence[int]) -> Mapping[int, CommittedOffset | None]:
        try:
            answer = await self._network.ask("kafka", lambda: self._broker.group_offsets(partitions))
        except Unstable as error:
            raise OffsetsUnstable(repr(error)) from error
        except (Cut, BrokerError) as error:
            raise OffsetsUnknown(repr(error)) from error
        return self._answered(answer, partitions)

    def _answered(
        self, answer: Mapping[int, CommittedOffset | None], partitions: Sequence[int]
    ) -> Mapping[int, CommittedOffset | None]:
        """Each partition must be in the answer."""
        if not answer.keys() >= set(partitions):
            raise OffsetsUnknown("The group coordinator said nothing; that is no answer.")
        return answer

    async def earliest(self, partitions: Sequence[int]) -> Mapping[int, int]:
        earliest = super().earliest
        await asyncio.sleep(self._network.delay())
        return await earliest(partitions)

    async def events_topic(self) -> TopicFacts:
        facts = super().events_topic
        await asyncio.sleep(self._network.delay())
        return await facts()

    async def hanging(
        self, layout: int, lane: int, partitions: Sequence[int]
    ) -> Mapping[tuple[str, int], int]:
        found = super().hanging
        await asyncio.sleep(self._network.delay())
        if "kafka" in self._network.down:
            raise FetchFailed("Kafka is away.")
        return await found(layout, lane, partitions)

    async def last_batch_published(self, layout: int, lane: int, partitions: Sequence[int]) -> int | None:
        last = super().last_batch_published
        await asyncio.sleep(self._network.delay())
        if "kafka" in self._network.down:
            raise FetchFailed("Kafka is away.")
        if self._broker.plan.results_forgotten:
            return None  # their retention has passed
        return await last(layout, lane, partitions)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
