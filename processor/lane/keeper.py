"""The keeper of a worker's lanes: follows the group's assignment, starts, holds, resumes and ends lanes.

A rebalance listener does no work (aiokafka sends no heartbeat while it runs): `assigned` only notes the assignment,
`revoked` holds the lanes and waits, bounded, for what is between steps 4 and 10; never for a fetch. A lane that stays
keeps its producer and its epoch; only its position in the client is set anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from processor.errors import CroupierError, TopicReplaced
from processor.lane.lane import Lane
from processor.lane.observer import Observer
from processor.ports import EventReader, Layout, TopicFacts

REVOKE_WAIT_SECONDS: Final = 10.0
#: What the watchers are told about the topic as a whole goes under this number.
WHOLE_TOPIC: Final = -1

MakeLane = Callable[[int, Sequence[int]], Lane]


class Keeper:
    """All lanes of one worker process. `run` returns after ``stopping`` is set and every lane has left."""

    def __init__(
        self,
        layout: Layout,
        make_lane: MakeLane,
        reader: EventReader,
        observer: Observer,
        *,
        drain_timeout_seconds: float,
        topic_check_seconds: float = 30.0,
    ) -> None:
        self._layout = layout
        self._make_lane = make_lane
        self._reader = reader
        self._observer = observer
        self._drain_timeout_seconds = drain_timeout_seconds
        self._topic_check_seconds = topic_check_seconds
        self._assigned: frozenset[int] = frozenset()
        self._changed = asyncio.Event()
        self._lanes: dict[int, tuple[Lane, asyncio.Task[None]]] = {}
        self._leaving: dict[int, asyncio.Task[None]] = {}

    # ------------------------------------------------------------------------ what the group tells (listener)

    async def revoked(self, partitions: Sequence[int]) -> None:
        """A rebalance begins: hold every lane, let what is under way come to rest."""
        lanes = [lane for lane, _ in self._lanes.values()]
        for lane in lanes:
            lane.hold()
        if lanes:
            resting = [asyncio.create_task(lane.at_rest()) for lane in lanes]
            _, late = await asyncio.wait(resting, timeout=REVOKE_WAIT_SECONDS)
            for task in late:
                task.cancel()

    def assigned(self, partitions: Sequence[int]) -> None:
        """The new assignment: only noted here, carried out by `run`."""
        self._assigned = frozenset(partitions)
        self._observer.rebalanced(len(partitions))
        self._changed.set()

    # ---------------------------------------------------------------------------------------------- the work

    async def run(self, stopping: asyncio.Event) -> None:
        """Follow the assignment until ``stopping``; then drain every lane."""
        stop = asyncio.create_task(stopping.wait())
        check = asyncio.create_task(self._check_topic_for_ever())
        try:
            while not stopping.is_set():
                changed = asyncio.create_task(self._changed.wait())
                tasks = [task for _, task in self._lanes.values()]
                await asyncio.wait([stop, changed, check, *tasks], return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                self._raise_what_broke([check, *tasks])
                if self._changed.is_set():
                    self._changed.clear()
                    self._follow()
        finally:
            stop.cancel()
            check.cancel()
            await self._drain()

    def _follow(self) -> None:
        wanted = {
            lane: parts
            for lane, parts in self._partitions_by_lane().items()
            if self._assigned.issuperset(parts)
        }
        for number in list(self._lanes):
            if number not in wanted:
                lane, task = self._lanes.pop(number)
                lane.leave()
                self._leaving[number] = task
        for number, partitions in wanted.items():
            held = self._lanes.get(number)
            if held is not None:
                held[0].resume()
            else:
                self._start(number, partitions)

    def _start(self, number: int, partitions: Sequence[int]) -> None:
        lane = self._make_lane(number, partitions)
        before = self._leaving.pop(number, None)
        self._lanes[number] = (lane, asyncio.create_task(_run_after(before, lane), name=f"lane-{number}"))

    def _partitions_by_lane(self) -> dict[int, list[int]]:
        lanes: dict[int, list[int]] = {}
        for partition in range(self._layout.partitions):
            lanes.setdefault(partition % self._layout.lanes, []).append(partition)
        return lanes

    def _raise_what_broke(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        """A lane never gives up by itself: a task that ended is a fault of the program, and is not hidden."""
        for task in tasks:
            if task.done() and not task.cancelled():
                task.result()

    async def _drain(self) -> None:
        for lane, _ in self._lanes.values():
            lane.leave()
        tasks = [task for _, task in self._lanes.values()] + list(self._leaving.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self._drain_timeout_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self._lanes.clear()
        self._leaving.clear()

    # ---------------------------------------------------------------------------------- the topic underneath

    async def _check_topic_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._topic_check_seconds)
            try:
                await self._check_topic()
            except TopicReplaced as replaced:
                for lane, _ in self._lanes.values():
                    lane.hold()
                self._observer.ready(WHOLE_TOPIC, False, str(replaced))
                self._observer.stopped(WHOLE_TOPIC, str(replaced))
            except CroupierError as unknown:
                self._observer.retrying(WHOLE_TOPIC, unknown, 1)

    async def _check_topic(self) -> None:
        facts = await self._reader.events_topic()
        if facts.topic_id != self._layout.topic_id:
            raise TopicReplaced(
                f"the topic {self._layout.topic} has the id {facts.topic_id}, the layout was made for "
                f"{self._layout.topic_id}: it was deleted and made again. All lanes hold; see `croupier lanes list`."
            )
        grown = "" if facts.partitions == self._layout.partitions else _other_partitions(self._layout, facts)
        self._observer.ready(WHOLE_TOPIC, not grown, grown)


def _other_partitions(layout: Layout, facts: TopicFacts) -> str:
    return (
        f"the topic {layout.topic} has {facts.partitions} partitions, the layout {layout.partitions}: stop the "
        "senders, let the workers drain, grow all three topics, then run `croupier lanes resize`"
    )


async def _run_after(before: asyncio.Task[None] | None, lane: Lane) -> None:
    """Run a lane once its own earlier task has let go of everything."""
    if before is not None:
        await asyncio.wait([before])
    await lane.run()
