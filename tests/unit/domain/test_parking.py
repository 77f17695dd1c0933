"""Queues: what is kept back, in which order it is let go, and what never waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

import pytest

from processor.domain.answers import Refusal
from processor.domain.case import Case
from processor.domain.decision import Decision
from processor.domain.operations import play as operations
from processor.domain.profiles import Profile
from processor.domain.queues import Bounds
from processor.domain.sitting import PoisonError
from tests.unit.domain.play import Play


def waiting_win() -> Play:
    """A player whose win `w1` waits for bet `b1`."""
    play = Play()
    assert play.batch(play.event("win", "w1", reference="b1", amount="5.00")) == []
    return play


def test_a_win_before_its_bet_waits_and_is_paid_right_after_it() -> None:
    play = waiting_win()
    assert play.kept() == [("w1", "missing_bet")]
    assert play.codes(play.event("bet", "b1")) == [("b1", "OK"), ("w1", "OK")]
    assert play.kept() == []
    assert play.cash_of() == 10400


def test_later_events_of_the_same_provider_queue_behind_in_order() -> None:
    play = waiting_win()
    later = [play.event("bet", f"b{number}") for number in (2, 3, 4)]
    assert play.batch(*later) == []
    assert [name for name, _ in play.kept()] == ["w1", "b2", "b3", "b4"]
    released = play.codes(play.event("bet", "b1"))
    assert released == [("b1", "OK"), ("w1", "OK"), ("b2", "OK"), ("b3", "OK"), ("b4", "OK")]


def test_the_cashier_other_providers_and_other_players_go_on() -> None:
    play = waiting_win()
    play.join("q", "10.00")
    events = [
        play.event("deposit", "d1"),
        play.event("bet", "b9", provider="other"),
        play.event("bet", "b8", player_id="q"),
    ]
    assert play.codes(*events) == [("d1", "OK"), ("b9", "OK"), ("b8", "OK")]


def test_an_awaited_bet_in_the_queue_is_applied_before_the_one_that_awaits_it() -> None:
    play = waiting_win()
    assert play.batch(play.event("win", "w2", reference="b2"), play.event("bet", "b2")) == []
    released = play.codes(play.event("bet", "b1"))
    assert released == [("b1", "OK"), ("w1", "OK"), ("b2", "OK"), ("w2", "OK")]


def test_a_follower_whose_bet_is_nowhere_becomes_the_head_that_waits() -> None:
    play = waiting_win()
    assert play.batch(play.event("win", "w2", reference="b2"), play.event("bet", "b3")) == []
    assert play.codes(play.event("bet", "b1")) == [("b1", "OK"), ("w1", "OK")]
    assert play.kept() == [("w2", "missing_bet"), ("b3", "queued")]
    assert play.codes(play.event("bet", "b2")) == [("b2", "OK"), ("w2", "OK"), ("b3", "OK")]


def test_a_refused_bet_ends_the_waiting_of_its_win() -> None:
    play = waiting_win()
    bet, win = play.batch(play.event("bet", "b1", amount="1000.00"))
    assert (bet.code.value, win.code.value) == ("INSUFFICIENT_FUNDS", "BET_NOT_FOUND")
    assert (win.burnt, win.retryable) == (True, False)


def test_a_bet_that_never_comes_is_not_found_and_burns_no_id() -> None:
    play = waiting_win()
    assert play.batch(play.event("bet", "b2")) == []
    play.ledger.pass_time(60)
    win, bet = play.batch()
    assert (win.code.value, win.burnt, win.retryable) == ("BET_NOT_FOUND", False, True)
    assert (bet.command.transaction_id, bet.code.value) == ("b2", "OK")
    assert win.wallet_transaction_id is None
    assert play.codes(play.event("bet", "b1")) == [("b1", "OK")]
    assert play.send("win", "w1", reference="b1", amount="5.00").code == "OK"


def test_a_bet_read_in_the_batch_in_which_its_win_grows_too_old_is_still_in_time() -> None:
    play = waiting_win()
    play.ledger.pass_time(120)
    assert play.codes(play.event("bet", "b1")) == [("b1", "OK"), ("w1", "OK")]


def test_a_follower_that_has_grown_too_old_still_waits_for_a_bet_read_in_the_same_batch() -> None:
    play = waiting_win()
    assert play.batch(play.event("win", "w2", reference="b2")) == []
    play.ledger.pass_time(120)
    released = play.codes(play.event("bet", "b1"), play.event("bet", "b2"))
    assert released == [("b1", "OK"), ("w1", "OK"), ("b2", "OK"), ("w2", "OK")]


def test_wins_that_wait_for_each_others_ids_wait_and_do_not_turn_in_a_circle() -> None:
    play = waiting_win()
    assert play.batch(play.event("win", "x", reference="y"), play.event("win", "y", reference="x")) == []
    assert play.codes(play.event("bet", "b1")) == [("b1", "OK"), ("w1", "OK")]
    assert play.kept() == [("x", "missing_bet"), ("y", "queued")]
    play.ledger.pass_time(60)
    assert play.codes() == [("x", "BET_NOT_FOUND"), ("y", "BET_NOT_FOUND")]


def test_an_awaited_event_that_has_to_wait_itself_stays_before_the_one_that_awaits_it() -> None:
    play = waiting_win()
    assert play.batch(play.event("win", "x", reference="y"), play.event("win", "y", reference="z")) == []
    assert play.codes(play.event("bet", "b1")) == [("b1", "OK"), ("w1", "OK")]
    assert play.kept() == [("y", "missing_bet"), ("x", "queued")]
    assert play.codes(play.event("bet", "z")) == [("z", "OK"), ("y", "OK"), ("x", "BET_NOT_FOUND")]


def test_the_head_is_tried_again_at_growing_intervals_that_end_at_its_expiry() -> None:
    play = waiting_win()
    tried = []
    while play.kept():
        [row] = play.ledger.parked
        tried.append((row.next_attempt_at - row.broker_time).total_seconds())
        play.ledger.now = row.next_attempt_at
        play.batch()
    assert tried == [1, 3, 7, 15, 31, 60]


def test_jitter_shortens_the_waits() -> None:
    play = Play()
    play.ledger.jitter = lambda: 0.25
    play.batch(play.event("win", "w1", reference="b1"))
    [row] = play.ledger.parked
    assert (row.next_attempt_at - row.broker_time).total_seconds() == 0.25


def test_a_duplicate_of_a_queued_id_queues_behind_it_and_answers_as_a_repeat() -> None:
    play = waiting_win()
    again = play.event("win", "w1", reference="b1", amount="5.00")
    assert play.batch(again) == []
    answers = play.batch(play.event("bet", "b1"))
    assert [(one.command.transaction_id, one.code.value, one.replayed) for one in answers] == [
        ("b1", "OK", False),
        ("w1", "OK", False),
        ("w1", "OK", True),
    ]
    assert play.cash_of() == 10400


def test_a_rollback_never_queues() -> None:
    play = Play()
    play.send("bet", "b0", amount="9.00")
    assert play.batch(play.event("win", "w1", reference="b1")) == []
    assert play.codes(play.event("rollback", "c0", reference="b0")) == [("c0", "OK")]
    assert play.kept() == [("w1", "missing_bet")]
    assert play.cash_of() == 10000


def test_a_queued_event_that_a_rollback_names_answers_rolled_back_and_the_rollback_ok() -> None:
    play = waiting_win()
    assert play.batch(play.event("bet", "b5"), play.event("bet", "b6")) == []
    assert play.codes(play.event("rollback", "c5", reference="b5")) == [("b5", "ROLLED_BACK"), ("c5", "OK")]
    assert [name for name, _ in play.kept()] == ["w1", "b6"]
    assert play.codes(play.event("rollback", "c7", reference="b7")) == [("c7", "BET_NOT_FOUND")]
    assert play.codes(play.event("bet", "b1")) == [("b1", "OK"), ("w1", "OK"), ("b6", "OK")]
    again = play.send("bet", "b5")
    assert (again.code.value, again.replayed) == ("ROLLED_BACK", True)


def test_a_rollback_that_names_the_head_lets_its_followers_go() -> None:
    play = waiting_win()
    assert play.batch(play.event("bet", "b2")) == []
    assert play.codes(play.event("rollback", "c1", reference="w1")) == [
        ("w1", "ROLLED_BACK"),
        ("c1", "OK"),
        ("b2", "OK"),
    ]


def test_a_rollback_of_the_awaited_bet_ends_the_waiting() -> None:
    play = waiting_win()
    assert play.codes(play.event("rollback", "c1", reference="b1")) == [
        ("c1", "BET_NOT_FOUND"),
        ("w1", "ROLLED_BACK"),
    ]


def test_a_rollback_of_a_taken_bet_does_not_touch_a_queued_repeat_of_it() -> None:
    play = Play()
    play.send("bet", "b1", amount="4.00")
    assert play.batch(play.event("win", "w2", reference="b2"), play.event("bet", "b1", amount="4.00")) == []
    assert play.codes(play.event("rollback", "c1", reference="b1")) == [("c1", "OK")]
    bet, win, repeat = play.batch(play.event("bet", "b2"))
    assert (repeat.code.value, repeat.replayed) == ("OK", True)
    assert (bet.code.value, win.code.value) == ("OK", "OK")
    assert play.cash_of() == 10000


def test_more_than_may_be_kept_gives_the_head_its_final_outcome_now() -> None:
    play = Play(bounds=Bounds(max_parked=2))
    events = [play.event("win", f"w{number}", reference=f"b{number}") for number in range(4)]
    assert play.codes(*events) == [("w0", "BET_NOT_FOUND"), ("w1", "BET_NOT_FOUND")]
    assert [name for name, _ in play.kept()] == ["w2", "w3"]


def test_an_event_kept_and_released_in_one_batch_is_never_stored() -> None:
    play = Play()
    events = [play.event("win", "w1", reference="b1"), play.event("bet", "b2"), play.event("bet", "b1")]
    assert play.codes(*events) == [("b1", "OK"), ("w1", "OK"), ("b2", "OK")]
    assert play.ledger.parked == []


def test_a_discarded_head_gets_its_final_outcome_and_its_followers_go_on() -> None:
    play = waiting_win()
    assert play.batch(play.event("bet", "b2")) == []
    number = play.ledger.parked[0].number
    assert number is not None
    came = []
    answers = play.batch(then=lambda sitting: came.append(sitting.discard(number, "p")))
    assert [one.code.value for one in answers] == ["BET_NOT_FOUND", "OK"]
    assert came == ["discarded"]
    play.batch(then=lambda sitting: came.append(sitting.discard(number, "p")))
    assert came == ["discarded", "not found"]


def test_a_head_is_retried_when_an_operator_says_so() -> None:
    play = waiting_win()
    play.batch(play.event("bet", "b2"))
    first, second = (row.number for row in sorted(play.ledger.parked, key=lambda row: row.position))
    assert first is not None
    assert second is not None
    came = []
    play.batch(then=lambda sitting: came.append(sitting.retry(first, "p")))
    play.batch(then=lambda sitting: came.append(sitting.retry(second, "p")))
    play.batch(then=lambda sitting: came.append(sitting.retry(99, "p")))
    assert came == ["waits still", "not the first of its queue", "not found"]
    [row] = [row for row in play.ledger.parked if row.number == first]
    assert row.attempts == 2


# ------------------------------------------------------------------------------------------------------ poison


@contextmanager
def law_raises_on(transaction_id: str) -> Iterator[None]:
    """Make the law raise on one bet."""
    real = operations.bet

    def bet(case: Case) -> Decision:
        if case.command.transaction_id == transaction_id:
            raise ZeroDivisionError("no such luck")
        return real(case)

    with patch.dict("processor.domain.decide.OPERATIONS", {"bet": bet}):
        yield


def test_an_event_on_which_the_law_raises_is_named_by_the_error() -> None:
    play = Play()
    with law_raises_on("b1"), pytest.raises(PoisonError) as caught:
        play.batch(play.event("bet", "b0"), play.event("bet", "b1"))
    assert caught.value.command.transaction_id == "b1"
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_queued_event_on_which_the_law_raises_is_named_and_not_the_one_that_woke_it() -> None:
    play = waiting_win()
    play.batch(play.event("bet", "b2"))
    with law_raises_on("b2"), pytest.raises(PoisonError) as caught:
        play.batch(play.event("bet", "b1"))
    assert caught.value.command.transaction_id == "b2"


def test_poison_is_parked_tried_again_and_set_aside_while_all_else_is_applied() -> None:
    play = Play(bounds=Bounds(poison_attempts=3))
    poison = play.event("bet", "b1")
    position = {(poison.partition, poison.offset): "no such luck"}
    assert play.codes(play.event("bet", "b0"), poison, play.event("bet", "b2"), poisonous=position) == [
        ("b0", "OK")
    ]
    assert play.kept() == [("b1", "poison"), ("b2", "queued")]
    play.ledger.pass_time(1)
    assert play.ledger.run([], poisonous=position) == []
    assert [row.attempts for row in play.ledger.parked if row.reason == "poison"] == [2]
    play.ledger.pass_time(1)
    assert play.ledger.run([], poisonous=position) == []
    play.ledger.pass_time(1)
    [refusal] = play.ledger.run([], poisonous=position)
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.detail, refusal.attempts) == ("POISON", "no such luck", 3)
    assert play.kept() == [("b2", "queued")]
    assert play.codes() == [("b2", "OK")]
    assert play.kept() == []


def test_poison_that_heals_is_applied_with_its_followers() -> None:
    play = Play()
    poison = play.event("bet", "b1")
    play.batch(poison, play.event("bet", "b2"), poisonous={(poison.partition, poison.offset): "no such luck"})
    play.ledger.pass_time(1)
    assert play.codes() == [("b1", "OK"), ("b2", "OK")]


def test_poison_is_not_tried_before_its_time_though_something_else_happens() -> None:
    play = Play()
    play.send("bet", "b0")
    poison = play.event("bet", "b1")
    play.batch(poison, play.event("bet", "b2"), poisonous={(poison.partition, poison.offset): "no such luck"})
    assert play.codes(play.event("rollback", "c0", reference="b0")) == [("c0", "OK")]
    assert play.kept() == [("b1", "poison"), ("b2", "queued")]


def test_an_awaited_event_that_is_poison_stands_before_the_one_that_waits() -> None:
    play = waiting_win()
    poison = play.event("bet", "b1")
    assert play.batch(poison, poisonous={(poison.partition, poison.offset): "no such luck"}) == []
    assert play.kept() == [("b1", "poison"), ("w1", "missing_bet")]
    play.ledger.pass_time(1)
    assert play.codes() == [("b1", "OK"), ("w1", "OK")]


def test_a_discarded_poison_is_a_dead_letter() -> None:
    play = Play()
    poison = play.event("bet", "b1")
    play.batch(poison, play.event("bet", "b2"), poisonous={(poison.partition, poison.offset): "no such luck"})
    number = next(row.number for row in play.ledger.parked if row.reason == "poison")
    assert number is not None
    refusal, *followers = play.ledger.run([], then=lambda sitting: sitting.discard(number, "p"))
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "POISON"
    assert [one.command.transaction_id for one in followers] == ["b2"]


def test_with_ids_that_include_their_type_a_win_is_not_taken_for_the_awaited_bet() -> None:
    play = Play(replace(Profile("acme"), id_includes_type=True))
    assert play.batch(play.event("win", "x1", reference="x1", amount="5.00")) == []
    assert play.batch(play.event("win", "x1", reference="x1", amount="5.00")) == []
    assert play.batch(play.event("close_round", "x1", round_id="r9")) == []
    *answers, _ = play.batch(play.event("bet", "x1"))
    assert [(one.command.type, one.replayed) for one in answers] == [
        ("bet", False),
        ("win", False),
        ("win", True),
    ]
