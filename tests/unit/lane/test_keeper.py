"""The keeper: a rebalance holds lanes and waits for what is between steps 4 and 10; who stays keeps what he has."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from processor.lane.steps import Step
from processor.ports import EventRecord
from tests.fakes.kafka import FakeEventReader
from tests.unit.lane.world import World, bet, deposit, eventually, for_a_while, open_player


@pytest.fixture
def world() -> World:
    return World()


def start_of(player: str) -> list[dict[str, object]]:
    return [open_player(player), deposit(player, f"d-{player}", "100.00")]


def epochs(world: World) -> dict[int, tuple[int, int]]:
    """Lane to its epochs in the ledger and in Kafka."""
    return {
        lane: (world.store.lanes[1, lane].epoch, world.cluster.transactions[1, lane].epoch) for lane in (0, 1)
    }


async def both_at_work(world: World) -> None:
    for partition in (0, 1):
        world.send(partition, *start_of(f"p-{partition}"))
    await eventually(lambda: len(world.answered()) == 4)


async def test_all_lanes_of_the_assignment_work_and_are_released_at_the_end(world: World) -> None:
    async with world.working():
        await both_at_work(world)
        assert set(world.store.owners.values()) == {"me"}
    assert set(world.store.owners.values()) == {None}


async def test_a_lane_that_stays_keeps_its_producer_and_its_epoch_and_one_that_goes_is_released(
    world: World,
) -> None:
    async with world.working():
        await both_at_work(world)
        before = epochs(world)
        other = await world.joined()
        (gone,) = {one % 2 for one in other.assigned()}
        stays = 1 - gone
        await eventually(lambda: world.store.owners[1, gone] is None)
        world.send(stays, bet(f"p-{stays}", "b-1"))
        await eventually(lambda: "b-1" in world.answered())
        assert epochs(world) == before
        world.send(gone, bet(f"p-{gone}", "b-2"))
        await for_a_while()
        assert "b-2" not in world.answered()
        await other.stop(leave_group=True)
        await eventually(lambda: "b-2" in world.answered())
        assert epochs(world)[stays] == before[stays]
        assert epochs(world)[gone][0] == before[gone][0] + 1
    assert sorted(world.answered()) == sorted(set(world.answered()))


@pytest.mark.parametrize("step", [Step.LOAD, Step.COMMIT, Step.PUBLISH, Step.RECEIPT])
async def test_a_rebalance_waits_for_what_is_between_steps_4_and_10(world: World, step: Step) -> None:
    gate = world.steps.block(step)
    async with world.working():
        world.send(0, *start_of("p-0"))
        await world.steps.reached(step)
        other = world.cluster.reader()
        await other.start(Nobody())
        await for_a_while()
        assert other.assigned() == frozenset()
        gate.set()
        await eventually(lambda: bool(other.assigned()))
        assert world.answered() == ["open-p-0", "d-p-0"]
        await other.stop(leave_group=True)


async def test_a_rebalance_never_waits_for_a_fetch(world: World) -> None:
    reader = StuckReader(world.cluster.reader("stuck"))
    async with world.working(reader=reader):
        await both_at_work(world)
        reader.stuck = asyncio.Event()
        await eventually(lambda: reader.waiting > 0)
        other = await world.joined()
        assert other.assigned()
        reader.stuck.set()
        await other.stop(leave_group=True)


async def test_a_held_lane_applies_nothing_and_then_goes_on_from_its_own_offsets(world: World) -> None:
    async with world.working() as keeper:
        await both_at_work(world)
        applied = world.store.lanes[1, 0].applied_seq
        await keeper.revoked([0, 1, 2, 3])
        world.send(0, bet("p-0", "b-1"))
        await for_a_while()
        assert world.store.lanes[1, 0].applied_seq == applied
        keeper.assigned([0, 1, 2, 3])
        await eventually(lambda: "b-1" in world.answered())
    assert world.answered().count("b-1") == 1


async def test_a_batch_that_was_fetched_when_the_rebalance_began_is_fetched_again_and_applied_once(
    world: World,
) -> None:
    async with world.working():
        await both_at_work(world)
        gate = world.steps.block(Step.FETCH, "after")
        world.send(0, bet("p-0", "b-1"))
        await world.steps.reached(Step.FETCH, "after")
        other = await world.joined()
        await other.stop(leave_group=True)
        gate.set()
        await eventually(lambda: "b-1" in world.answered())
        await for_a_while()
    assert world.answered().count("b-1") == 1
    assert not any(body["replayed"] for body in world.results())


async def test_a_batch_that_was_fetched_when_the_lane_was_held_waits_until_the_lane_may_go_on(
    world: World,
) -> None:
    async with world.working() as keeper:
        await both_at_work(world)
        applied = world.store.lanes[1, 0].applied_seq
        gate = world.steps.block(Step.FETCH, "after")
        world.send(0, bet("p-0", "b-1"))
        await world.steps.reached(Step.FETCH, "after")
        await keeper.revoked([0, 1, 2, 3])
        gate.set()
        await for_a_while()
        assert world.store.lanes[1, 0].applied_seq == applied
        keeper.assigned([0, 1, 2, 3])
        await eventually(lambda: "b-1" in world.answered())
    assert world.answered().count("b-1") == 1


async def test_a_lane_is_not_started_before_all_its_partitions_are_here(world: World) -> None:
    async with world.working() as keeper:
        await both_at_work(world)
        keeper.assigned([0, 1, 3])
        await eventually(lambda: world.store.owners[1, 0] is None)
        keeper.assigned([0, 1, 2, 3])
        await eventually(lambda: world.store.owners[1, 0] == "me")
        world.send(0, bet("p-0", "b-1"))
        await eventually(lambda: "b-1" in world.answered())


async def test_a_lane_that_comes_back_at_once_starts_after_its_earlier_task_has_let_go(world: World) -> None:
    async with world.working() as keeper:
        await both_at_work(world)
        gate = world.steps.block(Step.PUBLISH)
        world.send(0, bet("p-0", "b-1"))
        await world.steps.reached(Step.PUBLISH)
        keeper.assigned([1, 3])
        await for_a_while()
        keeper.assigned([0, 1, 2, 3])
        await for_a_while()
        assert world.store.lanes[1, 0].epoch == 1
        gate.set()
        await eventually(lambda: world.store.lanes[1, 0].epoch == 2)
        world.send(0, bet("p-0", "b-2"))
        await eventually(lambda: "b-2" in world.answered())
    assert world.answered().count("b-1") == 1


async def test_a_topic_made_again_under_the_same_name_holds_every_lane(world: World) -> None:
    async with world.working(topic_check_seconds=0.01):
        await both_at_work(world)
        world.cluster.topic_id = "another"
        await eventually(lambda: ("stopped", -1) in [(word, lane) for word, lane, _ in world.observer.heard])
        world.send(0, bet("p-0", "b-1"))
        await for_a_while()
        assert "b-1" not in world.answered()


class Nobody:
    """A listener that does nothing."""

    async def revoked(self, partitions: Sequence[int]) -> None: ...

    def assigned(self, partitions: Sequence[int]) -> None: ...


class StuckReader(FakeEventReader):
    """A reader whose fetches can be made to wait."""

    def __init__(self, like: FakeEventReader) -> None:
        super().__init__(like._cluster, like.name)
        self.stuck: asyncio.Event | None = None
        self.waiting = 0

    async def fetch(
        self, partitions: Sequence[int], *, max_records: int, timeout_seconds: float
    ) -> Sequence[EventRecord]:
        if self.stuck is not None:
            self.waiting += 1
            await self.stuck.wait()
        return await super().fetch(partitions, max_records=max_records, timeout_seconds=timeout_seconds)
