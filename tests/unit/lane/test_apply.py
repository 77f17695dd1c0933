"""Steps 4 to 8 until they are a fact: faults of the world repeat the batch, poison leaves it, nothing is done twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from processor.domain.answers import Answer
from processor.errors import LaneRace, LedgerUnavailable, TooMuchPoison
from processor.lane.breaker import Breaker
from processor.lane.fetch import Fetched
from processor.lane.journal import Rendered
from processor.lane.render import Renderer
from processor.lane.work import Position
from processor.ports import OutRecord
from tests.fakes.ledger import gone, lost_answer
from tests.unit.lane.world import World, bet, deposit, eventually, open_player, partitions_of

Event = Mapping[str, Any]

#: In minor units of ETH it fits the ledger's numbers once, not twice.
WHALE = "60000000000000000000"


@pytest.fixture
def world() -> World:
    return World()


async def apply(world: World, *events: Event, give_up: bool = False) -> list[OutRecord]:
    """Apply these events of partition 0 as what one fetch brought; what will be published for them."""
    ledger = world.ledger()
    row = await ledger.take_lane(1, 0, owner="me")
    if row.fresh:
        row = await ledger.bootstrap_lane(1, 0, row.epoch, dict.fromkeys(partitions_of(0), 0))
    world.send(0, *events)
    batches, position = world.batches(0), Position.of(row)
    fetched: list[Fetched] = list(world.cluster.events[0][row.next_offsets[0] :])
    items = await batches.open(fetched, 1)
    applied = [batch async for batch in batches.apply(items, position, lambda: give_up)]
    assert position.applied_seq == world.store.lanes[1, 0].applied_seq == row.applied_seq + len(applied)
    return [record for batch in applied for record in batch.records]


def start_of(player: str, amount: str = "100.00", currency: str = "EUR") -> list[Event]:
    return [open_player(player, currency), deposit(player, f"d-{player}", amount, currency)]


@pytest.mark.parametrize("step", ["fence", "lock", "read", "write", "commit"])
async def test_a_fault_of_the_world_repeats_the_whole_batch_in_place(world: World, step: str) -> None:
    for _ in range(3):
        world.store.fail_next(step, gone())
    published = await apply(world, *start_of("p-1"), bet("p-1", "b-1"))
    assert len(published) == 3
    assert world.store.balance_minor("p-1", "EUR") == 9900
    assert world.store.dead_letters == []
    assert world.observer.words().count("retrying") == 3


async def test_a_commit_whose_answer_was_lost_is_not_done_again(world: World) -> None:
    world.store.fail_next("commit-after", lost_answer())
    assert len(await apply(world, *start_of("p-1"), bet("p-1", "b-1"))) == 3
    assert world.store.lanes[1, 0].applied_seq == 1
    assert world.store.balance_minor("p-1", "EUR") == 9900


async def test_a_commit_that_did_not_come_through_is_done_again(world: World) -> None:
    world.store.fail_next("commit", lost_answer())
    assert len(await apply(world, *start_of("p-1"), bet("p-1", "b-1"))) == 3
    assert world.store.balance_minor("p-1", "EUR") == 9900


async def test_who_comes_second_to_an_id_loads_again(world: World) -> None:
    world.store.fail_next("write", LaneRace("another lane was first"))
    assert len(await apply(world, *start_of("p-1"))) == 2
    assert ("retrying", 0, "LaneRace") in world.observer.heard


async def test_a_lane_that_is_asked_to_leave_waits_no_longer_for_postgres(world: World) -> None:
    world.store.fail_next("fence", gone())
    with pytest.raises(LedgerUnavailable):
        await apply(world, open_player("p-1"), give_up=True)


async def test_an_event_whose_data_postgres_refuses_is_taken_out_and_all_others_are_applied(
    world: World,
) -> None:
    whale = [*start_of("whale", WHALE, "ETH"), deposit("whale", "too-much", WHALE, "ETH")]
    others = [event for number in range(5) for event in start_of(f"p-{number}")]
    published = await apply(world, *others[:6], *whale, *others[6:], bet("p-1", "b-1"))
    assert len(published) == 13
    assert [len(queue) for queue in world.store.people["whale"].queues.values()] == [1]
    assert world.store.balance_minor("p-1", "EUR") == 9900
    assert world.store.balance_minor("whale", "ETH") == int(WHALE) * 10**18
    assert [place for word, _, place in world.observer.heard if word == "poison"] == ["0/8"]


async def test_an_event_that_makes_our_own_code_raise_is_taken_out_and_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_over(monkeypatch, "b-2")
    published = await apply(world, *start_of("p-1"), *start_of("p-2"), bet("p-1", "b-1"), bet("p-2", "b-2"))
    assert len(published) == 5
    assert world.store.balance_minor("p-2", "EUR") == 10000
    assert [place for word, _, place in world.observer.heard if word == "poison"] == ["0/5"]
    (parked,) = world.store.people["p-2"].queues["acme"]
    assert (parked.transaction_id, parked.reason) == ("b-2", "poison")


async def test_poison_becomes_a_dead_letter_after_its_last_attempt_and_holds_its_followers_till_then(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_over(monkeypatch, "b-2")
    world.send(0, *start_of("p-1"), bet("p-1", "b-2"), bet("p-1", "b-3"))
    async with world.one_lane():
        await eventually(lambda: world.answered() == ["open-p-1", "d-p-1"])
        for _ in range(world.poison_attempts + 1):
            world.clock.skip(120)
            await eventually(lambda: "poison" in world.observer.words())
        await eventually(lambda: len(world.cluster.dead_letters) == 1)
        await eventually(lambda: len(world.answered()) == 3)
    assert dict(world.cluster.dead_letters[0].headers)["wallet-dlq-reason"] == b"POISON"
    assert world.answered() == ["open-p-1", "d-p-1", "b-3"]


async def test_too_much_poison_stops_the_lane_and_empties_nothing_into_the_dead_letters(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.breaker = Breaker(in_a_row=3, share=0.5, window=200)
    raise_over(monkeypatch, "b-")
    with pytest.raises(TooMuchPoison):
        await apply(world, *a_bad_deploy())
    assert world.store.dead_letters == []
    assert world.store.lanes[1, 0].applied_seq == 0


async def test_a_lane_that_stopped_for_poison_says_so_in_its_row_and_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.breaker = Breaker(in_a_row=3, share=0.5, window=200)
    raise_over(monkeypatch, "b-")
    world.send(0, *a_bad_deploy())
    async with world.one_lane():
        await eventually(lambda: (1, 0) in world.store.lanes)
        await eventually(lambda: "TooMuchPoison" in str(world.store.lanes[1, 0].stopped_reason))
        await eventually(lambda: world.observer.words().count("stopped") >= 2)
        assert "TooMuchPoison" in str(world.store.lanes[1, 0].stopped_reason)
    assert world.answered() == []


async def test_an_event_that_ended_the_process_again_and_again_is_condemned_unread(world: World) -> None:
    """Unclean take-overs at one offset are counted; then single events are marked, and the marked one goes."""
    world.send(0, *start_of("p-1"), bet("p-1", "b-1"))
    await _died_over_the_first_event(world, times=3)
    async with world.one_lane():
        await eventually(lambda: len(world.cluster.dead_letters) == 1)
        await eventually(lambda: len(world.answered()) == 2)
    headers = dict(world.cluster.dead_letters[0].headers)
    assert (headers["wallet-dlq-reason"], headers["wallet-dlq-offset"]) == (b"POISON", b"0")
    assert headers["wallet-dlq-detail"] == b"Reading this event ended the worker's process, 3 times."
    assert [body["code"] for body in world.results()] == ["PLAYER_NOT_FOUND", "PLAYER_NOT_FOUND"]


async def test_an_event_is_not_condemned_for_deaths_that_may_have_been_for_another_lane(world: World) -> None:
    """However often a quiet lane was taken over: a worker that dies just once or twice over an event proves nothing."""
    world.send(0, *start_of("p-1"), bet("p-1", "b-1"))
    await _died_over_the_first_event(world, times=2)
    async with world.one_lane():
        await eventually(lambda: len(world.answered()) == 3)
    assert world.cluster.dead_letters == []
    assert [body["code"] for body in world.results()] == ["OK", "OK", "OK"]


async def _died_over_the_first_event(world: World, *, times: int) -> None:
    """Workers died without progress, more than often enough; the last ones of them with the first event marked."""
    reader = await world.joined()
    ledger = world.ledger()
    row = await ledger.take_lane(1, 0, owner="died")
    await ledger.bootstrap_lane(1, 0, row.epoch, dict.fromkeys(partitions_of(0), 0))
    for _ in range(4):
        row = await ledger.take_lane(1, 0, owner="died")
    assert row.suspect_takeovers >= 3
    for _ in range(times):
        await ledger.mark_suspect(1, 0, row.epoch, 0, 0)
        row = await ledger.take_lane(1, 0, owner="died")
    await reader.stop(leave_group=True)


def a_bad_deploy() -> list[Event]:
    """Bets of ten players, every one of which our code raises over."""
    players = [f"p-{number}" for number in range(10)]
    return [event for player in players for event in (*start_of(player), bet(player, f"b-{player}"))]


def raise_over(monkeypatch: pytest.MonkeyPatch, prefix: str) -> None:
    """Our own code raises over events whose ids begin so."""
    real = Renderer.result

    def result(self: Renderer, answer: Answer) -> Rendered:
        if answer.command.transaction_id.startswith(prefix):
            raise ZeroDivisionError("a fault of ours")
        return real(self, answer)

    monkeypatch.setattr(Renderer, "result", result)
