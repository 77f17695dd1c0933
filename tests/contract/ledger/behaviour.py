"""What every ledger does: the one suite that the real one and the one in memory both keep."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from processor.domain.state import Bonus, Limit
from processor.domain.usage import Usage
from processor.errors import LaneRace, LeaseLost, LedgerRefusedData, LedgerWentBack
from processor.ports import Ledger, Wanted
from tests.contract.ledger.bookkeeper import (
    LAYOUT,
    NOW,
    Bookkeeper,
    also,
    bet,
    granting,
    limiting,
    looking,
    opening,
    parking,
    session,
    win,
)

NewLedger = Callable[[], Ledger]


class LeaseBehaviour:
    """Who has a lane, and how far it is."""

    async def test_a_lane_that_never_ran_is_fresh_until_it_has_its_first_offsets(
        self, new_ledger: NewLedger
    ) -> None:
        ledger = new_ledger()
        row = await ledger.take_lane(LAYOUT, 0, owner="worker-1")
        assert row.fresh
        assert (row.applied_seq, row.published_seq, row.seal) == (0, 0, bytes(32))
        row = await ledger.bootstrap_lane(LAYOUT, 0, row.epoch, {0: 5, 2: 7})
        assert not row.fresh
        assert row.next_offsets == {0: 5, 2: 7}

    async def test_whoever_had_the_lane_is_fenced_by_a_take_over(self, new_ledger: NewLedger) -> None:
        first = await Bookkeeper.of(new_ledger(), 0)
        await first.apply(opening("p-1"))
        second = await Bookkeeper.of(new_ledger(), 0, owner="worker-2")
        assert second.row.epoch == first.row.epoch + 1
        assert second.row.next_offsets == first.row.next_offsets
        with pytest.raises(LeaseLost):
            await first.apply(bet("p-1", "b-1"))
        with pytest.raises(LeaseLost):
            await first.ledger.confirm_lane(LAYOUT, 0, first.row.epoch)
        with pytest.raises(LeaseLost):
            await first.ledger.mark_suspect(LAYOUT, 0, first.row.epoch, 0, 1)
        await second.apply(bet("p-1", "b-1"))

    async def test_a_ledger_that_is_older_than_what_the_lane_remembers_is_noticed(
        self, new_ledger: NewLedger
    ) -> None:
        keeper = await Bookkeeper.of(new_ledger(), 0)
        await keeper.apply(opening("p-1"))
        keeper.row.applied_seq += 1
        with pytest.raises(LedgerWentBack):
            await keeper.apply(bet("p-1", "b-1"))
        keeper.row.applied_seq -= 1
        keeper.row.next_offsets = {**keeper.row.next_offsets, 0: 999}
        with pytest.raises(LedgerWentBack):
            await keeper.apply(bet("p-1", "b-1"))

    async def test_unclean_take_overs_without_progress_are_counted_and_progress_forgives_them(
        self, new_ledger: NewLedger
    ) -> None:
        await Bookkeeper.of(new_ledger(), 0)
        counts = [(await Bookkeeper.of(new_ledger(), 0)).row.suspect_takeovers for _ in range(3)]
        assert [each - counts[0] for each in counts] == [0, 1, 2]
        keeper = await Bookkeeper.of(new_ledger(), 0)
        await keeper.apply(opening("p-1"))
        assert (await Bookkeeper.of(new_ledger(), 0)).row.suspect_takeovers == 0

    async def test_a_lane_left_in_good_order_is_not_suspect(self, new_ledger: NewLedger) -> None:
        keeper = await Bookkeeper.of(new_ledger(), 0)
        await keeper.apply(opening("p-1"))
        for _ in range(3):
            await keeper.ledger.release_lane(LAYOUT, 0, keeper.row.epoch)
            keeper = await Bookkeeper.of(new_ledger(), 0)
            assert keeper.row.suspect_takeovers == 0

    async def test_the_reason_of_a_stop_is_remembered(self, new_ledger: NewLedger) -> None:
        keeper = await Bookkeeper.of(new_ledger(), 0)
        await keeper.ledger.stop_lane(LAYOUT, 0, keeper.row.epoch, "too much poison")
        row = await keeper.ledger.confirm_lane(LAYOUT, 0, keeper.row.epoch)
        assert row.stopped_reason == "too much poison"

    async def test_deaths_over_a_marked_event_are_counted_event_by_event(self, new_ledger: NewLedger) -> None:
        for place in ((2, 41), (4, 7), (2, 41)):
            keeper = await Bookkeeper.of(new_ledger(), 0)
            await keeper.ledger.mark_suspect(LAYOUT, 0, keeper.row.epoch, *place)
        keeper = await Bookkeeper.of(new_ledger(), 0)
        assert keeper.row.suspects == {(2, 41): 2, (4, 7): 1}

    async def test_who_dies_without_having_marked_an_event_again_dies_for_something_else(
        self, new_ledger: NewLedger
    ) -> None:
        keeper = await Bookkeeper.of(new_ledger(), 0)
        await keeper.ledger.mark_suspect(LAYOUT, 0, keeper.row.epoch, 2, 41)
        for _ in range(3):
            keeper = await Bookkeeper.of(new_ledger(), 0)
            assert keeper.row.suspects == {(2, 41): 1}

    async def test_a_marked_event_is_no_suspect_where_the_lane_was_left_in_good_order_or_applied_it(
        self, new_ledger: NewLedger
    ) -> None:
        keeper = await Bookkeeper.of(new_ledger(), 0)
        await keeper.ledger.mark_suspect(LAYOUT, 0, keeper.row.epoch, 2, 41)
        await keeper.ledger.release_lane(LAYOUT, 0, keeper.row.epoch)
        keeper = await Bookkeeper.of(new_ledger(), 0)
        assert keeper.row.suspects == {}
        await keeper.ledger.mark_suspect(LAYOUT, 0, keeper.row.epoch, 2, 41)
        await keeper.apply(opening("p-1"))
        assert (await Bookkeeper.of(new_ledger(), 0)).row.suspects == {}

    async def test_a_suspect_is_forgotten_once_the_lane_is_past_it(self, new_ledger: NewLedger) -> None:
        keeper = await Bookkeeper.of(new_ledger(), 0)
        await keeper.ledger.mark_suspect(LAYOUT, 0, keeper.row.epoch, 0, keeper.row.next_offsets[0])
        keeper = await Bookkeeper.of(new_ledger(), 0)
        assert list(keeper.row.suspects.values()) == [1]
        await keeper.apply(opening("p-1"))
        assert (await Bookkeeper.of(new_ledger(), 0)).row.suspects == {}


class BatchBehaviour:
    """What a batch leaves behind."""

    async def test_nothing_stays_of_a_batch_that_was_not_committed(self, new_ledger: NewLedger) -> None:
        keeper = await Bookkeeper.of(new_ledger(), 0)
        async with keeper.ledger.batch() as batch:
            await keeper.write(batch, opening("p-1"), bet("p-1", "b-1"))
        books = await keeper.apply(looking("p-1", Wanted(keys={("acme", "b-1")})))
        assert books.players["p-1"].accounts == {}
        assert books.outcomes == {}
        assert keeper.row.applied_seq == 1

    async def test_everything_of_a_batch_is_found_by_the_next_one(self, new_ledger: NewLedger) -> None:
        keeper = await Bookkeeper.of(new_ledger(), 0)
        await keeper.apply(opening("p-1"), opening("p-1", currency="JPY", amount_minor=0), bet("p-1", "b-1"))
        await keeper.apply(win("p-1", "w-1", "b-1", 400), session("p-1", "s-1"))
        wanted = Wanted(
            keys={("acme", "b-1"), ("acme", "w-1"), ("acme", "nobody")},
            bets={("p-1", "acme", "b-1"), ("p-1", "acme", "w-1")},
            rounds_of={("p-1", "acme", "b-1")},
            sessions={("p-1", "s-1"), ("p-1", "s-2")},
        )
        books = await keeper.apply(looking("p-1", wanted))
        player = books.players["p-1"]
        assert player.balance_minor("EUR", "cash") == 10_000 - 250 + 400
        assert player.accounts[("EUR", "cash")].version == 3
        assert player.currencies == ["EUR", "JPY"]
        assert (player.sequence, player.partition, player.country, player.opened) == (5, 0, "MT", True)
        assert set(books.outcomes) == {("acme", "b-1"), ("acme", "w-1")}
        round_ = player.rounds[("acme", "r-b-1")]
        assert (round_.bets, round_.wins, round_.staked_minor, round_.won_minor) == (1, 1, 250, 400)
        assert player.bets[("acme", "b-1")].won_minor == 400
        assert ("acme", "w-1") not in player.bets
        assert list(player.sessions) == ["s-1"]

    async def test_a_decision_that_is_to_be_told_again_comes_with_what_the_pools_held_then(
        self, new_ledger: NewLedger
    ) -> None:
        keeper = await Bookkeeper.of(new_ledger(), 0)
        await keeper.apply(opening("p-1"), bet("p-1", "b-1"))
        await keeper.apply(win("p-1", "w-1", "b-1", 400))
        known = await keeper.apply(looking("p-1", Wanted(keys={("acme", "b-1")})))
        sequence = known.outcomes["acme", "b-1"].sequence
        books = await keeper.apply(looking("p-1", Wanted(repairs={("p-1", sequence), ("p-1", 99)})))
        told = books.repairs.pop(("p-1", sequence))
        assert books.repairs == {}
        assert (told.outcome.transaction_id, told.outcome.moved_minor, told.actions) == ("b-1", -250, 1)
        assert told.pools["EUR", "cash"] == 10_000 - 250

    async def test_a_known_decision_comes_back_as_it_was_stored(self, new_ledger: NewLedger) -> None:
        keeper = await Bookkeeper.of(new_ledger(), 0)
        stored = (
            await keeper.apply(
                opening("p-1"),
                bet(
                    "p-1",
                    "b-1",
                    session_id="s-1",
                    kind="tip",
                    amount_text="2.50",
                    transaction_id="another than its key",
                    own=(("bonus_id", None), ("campaign_id", 'quo"te\x00')),
                    split={"cash": -100, "bonus": -150},
                    details={"left": "1.00", "big": 10**30, "list": [1, None]},
                ),
            )
        ).outcomes[("acme", "b-1")]
        books = await keeper.apply(looking("p-1", Wanted(keys={("acme", "b-1")})))
        assert books.outcomes[("acme", "b-1")] == stored

    async def test_a_round_counts_each_currency_apart(self, new_ledger: NewLedger) -> None:
        keeper = await Bookkeeper.of(new_ledger(), 0)
        new, stored = bet("p-1", "b-1"), bet("p-1", "b-1x")
        await keeper.apply(opening("p-1"), also(new, "r-b-1", {"JPY": (10**30, 5)}))
        wanted = Wanted(rounds={("p-1", "acme", "r-b-1")})
        found = (await keeper.apply(looking("p-1", wanted))).players["p-1"].rounds[("acme", "r-b-1")]
        assert found.also == {"JPY": (10**30, 5)}
        stored.wanted.rounds.add(("p-1", "acme", "r-b-1"))
        await keeper.apply(also(stored, "r-b-1", {"JPY": (1, 2), "BTC": (3, -4)}))
        found = (await keeper.apply(looking("p-1", wanted))).players["p-1"].rounds[("acme", "r-b-1")]
        assert found.also == {"JPY": (1, 2), "BTC": (3, -4)}

    async def test_bonuses_come_back_as_they_were(self, new_ledger: NewLedger) -> None:
        keeper = await Bookkeeper.of(new_ledger(), 0)
        bonuses = (Bonus('welcome "1"', "EUR", 3, 10**30, 10**29), Bonus("w-2", "ETH", 10**15, 0))
        await keeper.apply(opening("p-1"), granting("p-1", bonuses))
        assert (await keeper.apply(looking("p-1"))).players["p-1"].bonuses == bonuses
        await keeper.apply(granting("p-1", bonuses[1:]), looking("p-2", partition=2))
        assert (await keeper.apply(looking("p-1", partition=1))).players["p-1"].bonuses == bonuses[1:]
        await keeper.apply(granting("p-1", ()))
        assert (await keeper.apply(looking("p-1"))).players["p-1"].bonuses == ()

    async def test_limits_and_what_was_used_of_them_come_back_as_they_were(
        self, new_ledger: NewLedger
    ) -> None:
        keeper = await Bookkeeper.of(new_ledger(), 0)
        limits = (
            Limit("session_time", "", "", 60, None, NOW + timedelta(days=1)),
            Limit("wager", "day", "EUR", 10**30, 10**31, NOW + timedelta(days=7)),
        )
        first = Usage(739_000, [10**30, 2, 3, 4])
        second = Usage(739_001, [1, 0, 0, 0], (5, 6, 7, 8), (9, 10, 11, 10**30))
        await keeper.apply(opening("p-1"), limiting("p-1", limits, first))  # a new account
        found = (await keeper.apply(looking("p-1"))).players["p-1"]
        assert (found.limits, found.accounts[("EUR", "cash")].usage) == (limits, first)
        await keeper.apply(limiting("p-1", (), second))  # a stored one
        found = (await keeper.apply(looking("p-1"))).players["p-1"]
        assert found.limits == ()
        usage = found.accounts[("EUR", "cash")].usage
        assert usage is not None
        assert usage.text() == second.text()
        await keeper.apply(bet("p-1", "b-1"), looking("p-2", partition=2))
        found = (await keeper.apply(looking("p-1", partition=1))).players["p-1"]  # read under his own lock
        assert found.accounts[("EUR", "cash")].usage == usage

    async def test_amounts_keep_thirty_eight_digits(self, new_ledger: NewLedger) -> None:
        keeper = await Bookkeeper.of(new_ledger(), 0)
        large = 10**37
        await keeper.apply(opening("p-1", amount_minor=large), bet("p-1", "b-1", large - 1))
        books = await keeper.apply(looking("p-1", Wanted(keys={("acme", "b-1")})))
        assert books.players["p-1"].balance_minor("EUR", "cash") == 1
        assert books.outcomes[("acme", "b-1")].moved_minor == 1 - large

    async def test_an_amount_beyond_what_can_be_stored_is_the_events_own_fault(
        self, new_ledger: NewLedger
    ) -> None:
        keeper = await Bookkeeper.of(new_ledger(), 0)
        with pytest.raises(LedgerRefusedData):
            await keeper.apply(opening("p-1", amount_minor=10**38))
        await keeper.apply(opening("p-1"))

    async def test_the_second_lane_with_an_id_meets_the_race(self, new_ledger: NewLedger) -> None:
        one, other = await Bookkeeper.of(new_ledger(), 0), await Bookkeeper.of(new_ledger(), 1)
        await one.apply(opening("p-1"), bet("p-1", "b-1"))
        await other.apply(opening("p-2", 1))
        with pytest.raises(LaneRace):
            await other.apply(bet("p-2", "b-1", partition=1))
        await other.apply(bet("p-2", "b-2", partition=1))

    async def test_what_is_read_after_the_lock_is_what_the_other_lane_has_left(
        self, new_ledger: NewLedger
    ) -> None:
        one, other = await Bookkeeper.of(new_ledger(), 0), await Bookkeeper.of(new_ledger(), 1)
        await one.apply(opening("p-1"))
        async with one.ledger.batch() as batch:
            await one.write(batch, bet("p-1", "b-1", 4_000))
            waiting = asyncio.create_task(other.apply(looking("p-1", partition=1)))
            done, _ = await asyncio.wait([waiting], timeout=0.2)
            assert not done, "the lock of the player was not waited for"
            await batch.commit()
        books = await waiting
        assert books.players["p-1"].balance_minor("EUR", "cash") == 6_000

    async def test_the_journal_holds_what_is_above_a_receipt_until_it_is_published(
        self, new_ledger: NewLedger
    ) -> None:
        keeper = await Bookkeeper.of(new_ledger(), 0)
        await keeper.apply(opening("p-1"), journal=b"one")
        await keeper.apply(bet("p-1", "b-1"), journal=b"two")
        await keeper.apply(bet("p-1", "b-2", partition=2), journal=b"three", published_seq=1)
        rows = await keeper.ledger.journal_above(LAYOUT, 0, 0)
        assert [(row.seq, row.payload) for row in rows] == [(2, b"two"), (3, b"three")]
        assert rows[-1].next_offsets == keeper.row.next_offsets
        assert await keeper.ledger.journal_above(LAYOUT, 0, 3) == []
        row = await keeper.ledger.confirm_lane(LAYOUT, 0, keeper.row.epoch)
        assert (row.applied_seq, row.published_seq, row.seal) == (3, 1, keeper.row.seal)

    async def test_the_last_published_batch_that_put_a_record_on_the_topics_is_remembered(
        self, new_ledger: NewLedger
    ) -> None:
        keeper = await Bookkeeper.of(new_ledger(), 0)
        await keeper.apply(opening("p-1"))
        await keeper.apply()
        await keeper.apply(published_seq=2)
        assert (await keeper.ledger.confirm_lane(LAYOUT, 0, keeper.row.epoch)).witness_seq == 1
        await keeper.apply(bet("p-1", "b-1"), published_seq=3)
        await keeper.apply(published_seq=4)
        assert (await keeper.ledger.confirm_lane(LAYOUT, 0, keeper.row.epoch)).witness_seq == 4


class QueueBehaviour:
    """Events kept back."""

    async def test_a_kept_event_comes_back_byte_for_byte_in_the_order_of_its_queue(
        self, new_ledger: NewLedger
    ) -> None:
        keeper = await Bookkeeper.of(new_ledger(), 0)
        await keeper.apply(
            opening("p-1"), parking("p-1", "w-2", position=5), parking("p-1", "w-1", position=-1)
        )
        queue = (await keeper.apply(looking("p-1"))).players["p-1"].queues["acme"]
        assert [row.transaction_id for row in queue] == ["w-1", "w-2"]
        assert queue[0].value == b'{"type":"win"}\x00\xff'
        assert queue[0].headers == (("traceparent", b"00-1"), ("odd\x00name", None))
        assert (queue[0].reason, queue[0].awaits, queue[0].attempts) == ("missing_bet", "b-1", 1)

    async def test_a_head_is_due_at_its_time_in_its_own_partition(self, new_ledger: NewLedger) -> None:
        keeper = await Bookkeeper.of(new_ledger(), 0)
        await keeper.apply(
            opening("p-1"),
            parking("p-1", "w-1", position=0, due_in_seconds=10),
            parking("p-1", "w-2", position=1, due_in_seconds=1),
        )
        later = NOW + timedelta(seconds=11)
        due = keeper.ledger.due_parked
        assert await due({0: NOW + timedelta(seconds=9)}, limit=10) == []
        assert await due({2: later}, limit=10) == []
        assert await due({0: later, 2: later}, limit=10) == [("p-1", "acme", 0)]

    async def test_released_events_are_gone_and_changed_ones_stay_as_changed(
        self, new_ledger: NewLedger
    ) -> None:
        keeper = await Bookkeeper.of(new_ledger(), 0)
        await keeper.apply(opening("p-1"), parking("p-1", "w-1"), parking("p-1", "w-2", position=1))

        def release(deed_player: object, _books: object) -> None:
            first, second = deed_player.queues["acme"]  # type: ignore[attr-defined]  # a Player
            first.gone = True
            second.attempts, second.changed = 9, True

        releasing = looking("p-1")
        releasing.act = release
        await keeper.apply(releasing)
        queue = (await keeper.apply(looking("p-1"))).players["p-1"].queues["acme"]
        assert [(row.transaction_id, row.attempts) for row in queue] == [("w-2", 9)]
