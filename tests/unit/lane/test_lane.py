"""The lane's life: what overlaps, what is replaced, who is let in again; on a Kafka and a ledger in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from processor.errors import PublishFailed, ReceiptAhead
from processor.lane.lane import Lane
from processor.lane.recovery import Recovery
from processor.lane.steps import Step
from processor.ports import LaneRow
from tests.fakes.kafka import FakeEventReader, How
from tests.fakes.kafka import Step as KafkaStep
from tests.unit.lane.world import World, bet, deposit, eventually, for_a_while, open_player


@pytest.fixture
def world() -> World:
    return World()


def start_of(player: str) -> list[dict[str, object]]:
    return [open_player(player), deposit(player, f"d-{player}", "100.00")]


async def test_events_become_results_in_order_and_the_receipt_follows(world: World) -> None:
    world.send(0, *start_of("p-1"), bet("p-1", "b-1"))
    async with world.one_lane():
        await eventually(lambda: len(world.answered()) == 3)
    assert world.answered() == ["open-p-1", "d-p-1", "b-1"]
    row = world.store.lanes[1, 0]
    assert world.cluster.receipts[0].metadata == f"1/{row.applied_seq}"
    assert (world.cluster.receipts[0].offset, row.next_offsets[0]) == (3, 3)
    assert world.store.owners[1, 0] is None


async def test_one_batch_is_published_and_one_applied_behind_it_and_no_more(world: World) -> None:
    gate = world.steps.block(Step.PUBLISH)
    world.send(0, *start_of("p-1"))
    async with world.one_lane():
        await world.steps.reached(Step.PUBLISH)
        for number in range(5):
            world.send(0, bet("p-1", f"b-{number}"))
            await for_a_while()
        row = world.store.lanes[1, 0]
        assert (row.applied_seq, row.published_seq, sorted(world.store.journal[1, 0])) == (2, 0, [1, 2])
        gate.set()
        await eventually(lambda: len(world.answered()) == 7)
    assert world.answered() == ["open-p-1", "d-p-1", *(f"b-{number}" for number in range(5))]


async def test_the_next_batch_is_applied_while_one_is_published(world: World) -> None:
    gate = world.steps.block(Step.RECEIPT)
    world.send(0, *start_of("p-1"))
    async with world.one_lane():
        await world.steps.reached(Step.RECEIPT)
        world.send(0, bet("p-1", "b-1"))
        await eventually(lambda: world.store.lanes[1, 0].applied_seq == 2)
        assert world.answered() == []
        gate.set()
        await eventually(lambda: len(world.answered()) == 3)


async def test_a_producer_whose_commit_was_retried_in_silence_is_replaced_before_it_begins_again(
    world: World,
) -> None:
    world.send(0, *start_of("p-1"))
    world.cluster.fail_next("commit", "silent")
    async with world.one_lane():
        await eventually(lambda: len(world.answered()) == 2)
        world.send(0, bet("p-1", "b-1"), bet("p-1", "b-2"))
        await eventually(lambda: len(world.answered()) >= 4)
        await eventually(lambda: "recovering" in world.observer.words())
    assert world.answered() == ["open-p-1", "d-p-1", "b-1", "b-2"]
    assert world.cluster.transactions[1, 0].epoch == 2


@pytest.mark.parametrize("how", ["before", "after"])
@pytest.mark.parametrize("step", ["begin", "send", "send_offsets", "commit"])
async def test_whatever_fails_in_publishing_each_result_is_committed_once(
    world: World, step: KafkaStep, how: How
) -> None:
    world.send(0, *start_of("p-1"))
    world.cluster.fail_next(step, how)
    async with world.one_lane():
        await eventually(lambda: len(world.answered()) >= 2)
        world.cluster.fail_next(step, how, times=3)
        world.send(0, bet("p-1", "b-1"))
        await eventually(lambda: len(world.answered()) >= 3)
        world.send(0, bet("p-1", "b-2"))
        await eventually(lambda: len(world.answered()) >= 4)
    assert world.answered() == ["open-p-1", "d-p-1", "b-1", "b-2"]
    assert not any(body["replayed"] for body in world.results())


async def test_a_recovery_keeps_the_epoch_and_the_ledger_hears_nothing_of_kafkas_failure(
    world: World,
) -> None:
    world.send(0, *start_of("p-1"))
    world.cluster.fail_next("send", times=4)
    async with world.one_lane():
        await eventually(lambda: len(world.answered()) == 2)
        assert world.store.lanes[1, 0].epoch == 1
        assert world.store.lanes[1, 0].applied_seq == 1


async def test_a_lane_whose_lease_was_taken_writes_nothing_and_comes_back_with_a_new_one(
    world: World,
) -> None:
    world.send(0, *start_of("p-1"))
    async with world.one_lane():
        await eventually(lambda: len(world.answered()) == 2)
        await world.ledger().take_lane(1, 0, owner="another")
        world.send(0, bet("p-1", "b-1"))
        await eventually(lambda: "fenced" in world.observer.words())
        await eventually(lambda: len(world.answered()) == 3)
        assert world.store.lanes[1, 0].epoch == 3
    assert world.answered() == ["open-p-1", "d-p-1", "b-1"]


async def test_a_lane_that_lost_its_lease_comes_back_only_while_the_group_says_that_it_is_ours(
    world: World,
) -> None:
    world.send(0, *start_of("p-1"))
    reader = Unassigned(world.cluster.reader())
    await world.joined(reader)
    lane = world.lane(0, reader)
    running = asyncio.create_task(lane.run())
    await eventually(lambda: len(world.answered()) == 2)
    await world.ledger().take_lane(1, 0, owner="another")
    reader.is_lost = True
    world.send(0, bet("p-1", "b-1"))
    await eventually(lambda: "fenced" in world.observer.words())
    await for_a_while()
    assert world.store.lanes[1, 0].epoch == 2
    reader.is_lost = False
    await eventually(lambda: world.store.lanes[1, 0].epoch == 3)
    await eventually(lambda: "b-1" in world.answered())
    lane.leave()
    await running


class Unassigned(FakeEventReader):
    """A reader whose partitions the group has given to another, without a word to the lane yet."""

    def __init__(self, like: FakeEventReader) -> None:
        super().__init__(like._cluster, like.name)
        self.is_lost = False

    def assigned(self) -> frozenset[int]:
        return frozenset() if self.is_lost else super().assigned()


async def test_a_doubt_stops_the_lane_and_is_stored_until_a_person_resumes_it(world: World) -> None:
    world.send(0, *start_of("p-1"))
    async with world.one_lane():
        await eventually(lambda: len(world.answered()) == 2)
        row = world.store.lanes[1, 0]
        row.applied_seq -= 1
        world.send(0, bet("p-1", "b-1"))
        await eventually(lambda: world.store.lanes[1, 0].stopped_reason is not None)
        assert any(word == "stopped" and "batch 0" in why for word, _, why in world.observer.heard)
        await for_a_while()
        assert world.answered() == ["open-p-1", "d-p-1"]
        world.store.lanes[1, 0].applied_seq += 1
        await for_a_while()
        assert world.answered() == ["open-p-1", "d-p-1"]
        world.store.lanes[1, 0].stopped_reason = None
        await eventually(lambda: len(world.answered()) == 3)
    assert world.answered() == ["open-p-1", "d-p-1", "b-1"]


async def test_whoever_doubts_what_the_next_owner_has_moved_has_lost_the_lane_and_alarms_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It read the row, was held up, and then read a receipt that belongs to the next owner."""

    async def too_late(_: Recovery, row: LaneRow, __: int | None) -> tuple[int, str]:
        world.store.lanes[1, 0] = replace(world.store.lanes[1, 0], epoch=row.epoch + 1)
        raise ReceiptAhead("Kafka holds batch 2, the ledger ends at batch 0")

    monkeypatch.setattr(Recovery, "_conclude", too_late)
    async with world.one_lane():
        await eventually(lambda: "fenced" in world.observer.words())
    assert "stopped" not in world.observer.words()
    assert world.store.lanes[1, 0].stopped_reason is None


async def test_leaving_publishes_what_is_applied_before_the_lane_is_released(world: World) -> None:
    gate = world.steps.block(Step.PUBLISH)
    world.send(0, *start_of("p-1"))
    reader = await world.joined()
    lane = world.lane(0, reader)
    running = asyncio.create_task(lane.run())
    await world.steps.reached(Step.PUBLISH)
    lane.leave()
    await for_a_while()
    assert world.store.owners[1, 0] == "me"
    gate.set()
    await running
    assert len(world.answered()) == 2
    assert world.store.owners[1, 0] is None


async def test_what_cannot_be_read_becomes_a_dead_letter_and_the_rest_goes_on(world: World) -> None:
    world.send(0, *start_of("p-1"))
    world.cluster.append_unparsable(0)
    world.cluster.append(0, b"no JSON", key=b"p-1")
    world.send(2, *start_of("p-2"))
    world.send(0, bet("p-1", "b-1"))
    async with world.one_lane():
        await eventually(lambda: len(world.answered()) == 5)
        await eventually(lambda: len(world.cluster.dead_letters) == 2)
    places = [dict(one.headers)["wallet-dlq-offset"] for one in world.cluster.dead_letters]
    assert places == [b"2", b"3"]
    assert world.answered().count("b-1") == 1


async def test_a_take_over_publishes_what_the_dead_one_applied_and_did_not_publish(world: World) -> None:
    world.steps.block(Step.RECEIPT)
    world.send(0, *start_of("p-1"))
    reader = await world.joined()
    dying = asyncio.create_task(world.lane(0, reader).run())
    await world.steps.reached(Step.RECEIPT)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    await reader.stop(leave_group=True)
    assert world.answered() == []
    world.steps.block(Step.RECEIPT).set()
    world.send(0, bet("p-1", "b-1"))
    async with world.one_lane():
        await eventually(lambda: len(world.answered()) == 3)
    assert world.answered() == ["open-p-1", "d-p-1", "b-1"]
    assert world.store.lanes[1, 0].epoch == 2


async def test_events_that_were_fetched_when_a_rebalance_began_and_ended_are_not_lost(world: World) -> None:
    reader = await world.joined()
    lane = world.lane(0, reader)
    running = asyncio.create_task(lane.run())
    publishing = world.steps.block(Step.RECEIPT)
    world.send(0, *start_of("p-1"))
    await world.steps.reached(Step.RECEIPT)
    fetched = world.steps.block(Step.FETCH, "after")
    world.send(0, bet("p-1", "b-1"))
    await world.steps.reached(Step.FETCH, "after")
    lane.hold()
    publishing.set()
    await lane.at_rest()
    lane._publishing_done = resuming(lane)  # type: ignore[method-assign]  # the moment in which it was lost
    fetched.set()
    await eventually(lambda: len(world.answered()) == 3)
    lane.leave()
    await running
    assert world.answered() == ["open-p-1", "d-p-1", "b-1"]


def resuming(lane: Lane) -> Callable[[], Coroutine[Any, Any, None]]:
    """The wait for what is published, in which the rebalance ends and the lane is resumed."""
    wait = lane._publishing_done

    async def resume_meanwhile() -> None:
        lane.resume()
        await wait()

    return resume_meanwhile


async def test_a_lane_that_is_abandoned_while_it_publishes_lets_go_of_its_producer(world: World) -> None:
    world.steps.block(Step.RECEIPT)
    world.send(0, *start_of("p-1"))
    reader = await world.joined()
    lane = world.lane(0, reader)
    running = asyncio.create_task(lane.run())
    await world.steps.reached(Step.RECEIPT)
    publisher = lane._publisher
    assert publisher is not None
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    with pytest.raises(PublishFailed, match="over"):
        await publisher.begin()
    assert "left" in world.observer.words()
