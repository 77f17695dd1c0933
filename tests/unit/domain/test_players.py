"""Blocks, self-exclusion and cooling-off: what they stop, what they never stop, and what ends them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from processor.domain.player_effects import FOR_EVER
from tests.unit.domain.memory import START
from tests.unit.domain.play import Play

STOPPED = ("bet", "deposit", "open_session")


def until(moment: datetime) -> tuple[tuple[str, str], ...]:
    return (("until", moment.isoformat()),)


def stopped(play: Play, number: int) -> set[str]:
    """The types that are refused the player now."""
    answers = {type_: play.send(type_, f"{type_}-{number}").code.value for type_ in STOPPED}
    assert set(answers.values()) <= {"OK", "PLAYER_BLOCKED"}
    return {type_ for type_, code in answers.items() if code == "PLAYER_BLOCKED"}


@pytest.mark.parametrize("type_", ["block_player", "self_exclude", "cool_off"])
def test_a_player_who_may_not_play_is_refused_what_brings_money_into_play_and_nothing_else(
    type_: str,
) -> None:
    play = Play()
    play.send("bet", "b1", amount="10.00")
    play.send("bet", "b2", amount="10.00")
    assert play.send(type_, "x1").code == "OK"
    assert stopped(play, 1) == set(STOPPED)
    assert play.send("win", "w1", reference="b1", amount="5.00").code == "OK"
    assert play.send("rollback", "c1", reference="b2").code == "OK"
    assert play.send("withdraw", "d1", amount="5.00").code == "OK"
    assert play.send("close_session", "e1").code == "OK"
    assert play.send("close_round", "r1").code == "OK"
    assert play.cash_of() == 10000 - 1000 + 500 - 500


def test_unblocking_ends_a_block() -> None:
    play = Play()
    play.send("block_player", "k1")
    play.send("block_player", "k2")
    assert play.send("unblock_player", "k3").code == "OK"
    assert stopped(play, 1) == set()


@pytest.mark.parametrize("type_", ["self_exclude", "cool_off"])
def test_unblocking_never_ends_what_the_player_asked_for(type_: str) -> None:
    play = Play()
    play.send(type_, "x1")
    play.send("block_player", "k1")
    play.send("unblock_player", "k2")
    assert stopped(play, 1) == set(STOPPED)


@pytest.mark.parametrize("type_", ["self_exclude", "cool_off"])
def test_an_exclusion_with_an_end_is_over_at_its_end(type_: str) -> None:
    play = Play()
    play.send(type_, "x1", own=until(START + timedelta(seconds=10)))
    play.ledger.pass_time(9.999)
    assert stopped(play, 1) == set(STOPPED)
    play.ledger.pass_time(0.001)
    assert stopped(play, 2) == set()


def test_an_exclusion_without_an_end_lasts_for_ever() -> None:
    play = Play()
    play.send("self_exclude", "x1")
    assert play.ledger.players["p"].excluded_until == FOR_EVER
    play.ledger.pass_time(100 * 366 * 86_400)
    assert play.send("deposit", "d1").code == "PLAYER_BLOCKED"


def test_a_later_exclusion_makes_an_earlier_one_longer_and_never_shorter() -> None:
    play = Play()
    week, day = START + timedelta(days=7), START + timedelta(days=1)
    play.send("self_exclude", "x1", own=until(day))
    play.send("cool_off", "x2", own=until(week))
    assert play.ledger.players["p"].excluded_until == week
    assert play.send("self_exclude", "x3", own=until(day)).code == "OK"
    assert play.ledger.players["p"].excluded_until == week


def test_an_exclusion_that_is_over_before_it_begins_changes_nothing() -> None:
    play = Play()
    assert play.send("cool_off", "x1", own=until(START - timedelta(seconds=1))).code == "OK"
    assert stopped(play, 1) == set()


def test_a_bet_behind_an_exclusion_in_one_batch_is_refused() -> None:
    play = Play()
    assert play.codes(play.event("bet", "b1"), play.event("self_exclude", "x1"), play.event("bet", "b2")) == [
        ("b1", "OK"),
        ("x1", "OK"),
        ("b2", "PLAYER_BLOCKED"),
    ]


def test_the_same_exclusion_with_another_end_is_a_conflict() -> None:
    play = Play()
    play.send("self_exclude", "x1", own=until(START + timedelta(days=1)))
    answer = play.send("self_exclude", "x1", own=until(START + timedelta(days=2)))
    assert (answer.code.value, answer.conflict) == ("CONFLICT", "until")
