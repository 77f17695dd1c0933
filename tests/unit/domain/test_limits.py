"""Limits of responsible gaming: what counts, in whose day, who is refused and told what, how limits change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from processor.domain.answers import Answer
from processor.domain.profiles import Jurisdiction, Profile
from processor.domain.state import Account, Limit
from tests.unit.domain.memory import START
from tests.unit.domain.play import Play

MANY = Profile("acme", wins_per_bet="many", require_session=False)


def table(**options: Any) -> Play:
    """A player who needs no session, so that time may pass."""
    return Play(options.pop("profile", MANY), **options)


def limit(play: Play, name: str, amount: str | None, period: str | None = "day", **fields: Any) -> Answer:
    """Set a limit under an id of its own; None removes it."""
    own = [("limit", name), ("period", period)] if period is not None else [("limit", name)]
    if "minutes" in fields:
        own.append(("minutes", fields.pop("minutes")))
    id_ = f"l{next(play.offsets)}"
    return play.send("set_limit", id_, amount=amount, own=tuple(own), **{"currency": "EUR", **fields})


def confirm(play: Play, name: str, period: str | None = "day") -> Answer:
    own = (("limit", name),) if period is None else (("limit", name), ("period", period))
    return play.send("confirm_limit", f"c{next(play.offsets)}", own=own, currency="EUR")


def stake(play: Play, amount: str, **fields: Any) -> Answer:
    id_ = f"b{next(play.offsets)}"
    return play.send("bet", id_, amount=amount, round_id=id_, **fields)


def code(play: Play, amount: str, **fields: Any) -> str:
    return stake(play, amount, **fields).code.value


def told(answer: Answer) -> dict[str, Any]:
    """The limit that an answer names."""
    assert answer.code == "LIMIT_EXCEEDED"
    assert answer.details is not None
    found = answer.details["limit"]
    assert isinstance(found, dict)
    return found


# ------------------------------------------------------------------------------------------- what each one refuses


@pytest.mark.parametrize("name", ["wager", "loss"])
def test_a_stake_passes_that_is_not_above_what_is_left(name: str) -> None:
    play = table()
    limit(play, name, "10.00")
    assert code(play, "6.00") == "OK"
    assert told(stake(play, "4.01"))["left"] == "4.00"
    assert code(play, "4.00") == "OK"
    assert code(play, "0.00") == "OK"
    assert code(play, "0.01") == "LIMIT_EXCEEDED"


def test_a_single_bet_limit_looks_at_each_stake_alone() -> None:
    play = table()
    limit(play, "single_bet", "5.00", None)
    assert [code(play, amount) for amount in ("5.00", "5.01", "5.00")] == ["OK", "LIMIT_EXCEEDED", "OK"]
    assert told(stake(play, "5.01")) == {
        "limit": "single_bet",
        "period": None,
        "amount": "5.00",
        "left": "5.00",
        "resets_at": None,
    }


def test_a_deposit_limit_stops_deposits_and_no_stakes() -> None:
    play = table()  # 100.00 were paid in before the limit was set
    limit(play, "deposit", "110.00")
    assert code(play, "50.00") == "OK"
    refused = play.send("deposit", "d1", amount="10.01")
    assert told(refused)["left"] == "10.00"
    assert play.send("deposit", "d2", amount="10.00").code == "OK"
    assert play.send("deposit", "d3", amount="0.01").code == "LIMIT_EXCEEDED"


def test_other_limits_stop_no_deposits() -> None:
    play = table()
    for name, period in (("wager", "day"), ("loss", "day"), ("single_bet", None)):
        limit(play, name, "0.00", period)
    assert play.send("deposit", "d1", amount="10.00").code == "OK"


def test_a_session_may_last_so_long_and_no_longer_counted_from_its_opening() -> None:
    play = Play()
    limit(play, "session_time", None, None, minutes="60")
    play.ledger.pass_time(3599.999)
    assert code(play, "1.00") == "OK"
    play.ledger.pass_time(0.001)
    assert told(stake(play, "1.00")) == {
        "limit": "session_time",
        "period": None,
        "amount": None,
        "left": None,
        "resets_at": None,
    }
    play.send("open_session", "o2", session_id="s2")
    assert code(play, "1.00", session_id="s2") == "OK"


def test_a_limit_is_of_one_currency() -> None:
    play = table()
    play.send("open_player", "o2", currency="JPY")
    play.send("deposit", "d2", currency="JPY", amount="5000")
    limit(play, "wager", "10.00")
    limit(play, "wager", "700", currency="JPY")
    assert code(play, "10.00") == "OK"
    assert told(stake(play, "701", currency="JPY"))["left"] == "700"
    assert code(play, "700", currency="JPY") == "OK"


def test_a_limit_without_a_currency_is_of_the_wallet_that_was_opened_first() -> None:
    play = table()
    play.send("open_player", "o2", currency="JPY")
    limit(play, "wager", "10.00", currency=None)
    assert [one.currency for one in play.ledger.players["p"].limits] == ["EUR"]
    assert play.ledger.players["p"].limits[0].value == 1000
    assert limit(play, "wager", "10.001", currency=None).code == "WRONG_CURRENCY"
    assert limit(play, "wager", "10.00", currency="USD").code == "WRONG_CURRENCY"


# ----------------------------------------------------------------------------------------------------- what counts


@pytest.mark.parametrize("kind", ["stake", "tip", "buy_in", "fee", "rebuy", "add_on", "free_round"])
@pytest.mark.parametrize("name", ["wager", "loss"])
def test_every_kind_of_stake_counts(kind: str, name: str) -> None:
    play = table()
    limit(play, name, "10.00")
    assert code(play, "10.00", kind=kind) == "OK"
    assert code(play, "0.01", kind=kind) == "LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    ("kind", "gives_back"),
    [
        ("game", True),
        ("jackpot", True),
        ("free_round", True),
        ("tournament", True),
        ("promo", False),
        ("bonus", False),
    ],
)
def test_winnings_give_back_to_a_loss_limit_and_gifts_do_not(kind: str, gives_back: bool) -> None:
    play = table()
    limit(play, "loss", "10.00")
    bet = stake(play, "10.00").command
    win = {"reference": bet.transaction_id, "round_id": bet.round_id, "amount": "8.00", "kind": kind}
    assert play.send("win", "w1", **win).code == "OK"
    assert code(play, "8.00") == ("OK" if gives_back else "LIMIT_EXCEEDED")


def test_a_win_that_is_taken_back_no_longer_gives_back_to_a_loss_limit() -> None:
    play = table(profile=replace(MANY, win_reversal="take_available"))
    limit(play, "loss", "10.00")
    bet = stake(play, "10.00").command
    play.send("win", "w1", reference=bet.transaction_id, round_id=bet.round_id, amount="8.00")
    assert play.send("reverse_win", "v1", reference="w1").code == "OK"
    assert code(play, "0.01") == "LIMIT_EXCEEDED"


def test_what_is_left_to_lose_is_never_above_the_limit() -> None:
    play = table()
    limit(play, "loss", "10.00")
    bet = stake(play, "1.00").command
    play.send("win", "w1", reference=bet.transaction_id, round_id=bet.round_id, amount="90.00")
    assert told(stake(play, "10.01"))["left"] == "10.00"


def test_a_win_gives_nothing_back_to_a_wager_limit() -> None:
    play = table()
    limit(play, "wager", "10.00")
    bet = stake(play, "10.00").command
    play.send("win", "w1", reference=bet.transaction_id, round_id=bet.round_id, amount="8.00")
    assert told(stake(play, "0.01"))["left"] == "0.00"


@pytest.mark.parametrize("name", ["wager", "loss"])
def test_a_rollback_gives_back_to_every_limit(name: str) -> None:
    play = table()
    limit(play, name, "10.00")
    bet = stake(play, "10.00").command
    play.send("rollback", "c1", reference=bet.transaction_id)
    assert code(play, "10.00") == "OK"


def test_bonus_money_counts_as_wagered_and_cannot_be_lost() -> None:
    play = table(cash="1.00")
    play.ledger.players["p"].accounts[("EUR", "bonus")] = Account("EUR", "bonus", 5000, 1)
    limit(play, "loss", "1.00")
    limit(play, "wager", "11.00")
    assert code(play, "10.00") == "OK"
    assert code(play, "1.00") == "OK"
    assert told(stake(play, "1.00"))["limit"] == "wager"


def test_what_was_used_before_a_limit_was_set_counts() -> None:
    play = table()
    stake(play, "7.00")
    limit(play, "wager", "10.00")
    assert told(stake(play, "3.01"))["left"] == "3.00"


def test_a_limit_set_below_what_is_spent_leaves_nothing() -> None:
    play = table()
    stake(play, "7.00")
    limit(play, "wager", "5.00")
    assert told(stake(play, "0.01"))["left"] == "0.00"


def test_a_refused_stake_uses_nothing() -> None:
    play = table()
    limit(play, "wager", "10.00")
    limit(play, "single_bet", "5.00", None)
    assert [code(play, amount) for amount in ("6.00", "5.00", "5.00", "1.00")] == [
        "LIMIT_EXCEEDED",
        "OK",
        "OK",
        "LIMIT_EXCEEDED",
    ]
    assert play.send("bet", "poor", amount="100.00", provider="other").code == "LIMIT_EXCEEDED"


def test_the_events_of_a_batch_use_a_limit_one_after_another() -> None:
    play = table()
    limit(play, "wager", "10.00")
    events = [play.event("bet", f"x{each}", round_id=f"r{each}", amount="4.00") for each in range(3)]
    lowering = play.event(
        "set_limit", "l9", currency="EUR", amount="8.00", own=(("limit", "wager"), ("period", "day"))
    )
    small = play.event("bet", "x9", round_id="r9", amount="0.01")
    assert play.codes(*events, lowering, small) == [
        ("x0", "OK"),
        ("x1", "OK"),
        ("x2", "LIMIT_EXCEEDED"),
        ("l9", "OK"),
        ("x9", "LIMIT_EXCEEDED"),
    ]


# ------------------------------------------------------------------------------------------------ whose day it is


def days(play: Play, number: float) -> None:
    play.ledger.pass_time(number * 86_400)


def test_each_period_begins_anew_at_its_own_time() -> None:
    play = table(cash="1000.00")  # Sunday, 22 November 2026, 10:00
    for period in ("day", "week", "month"):
        limit(play, "wager", {"day": "10.00", "week": "15.00", "month": "25.00"}[period], period)
    assert code(play, "10.00") == "OK"
    assert told(stake(play, "0.01"))["resets_at"] == "2026-11-23T00:00:00Z"
    days(play, 1)  # Monday: a new day, a new week
    assert code(play, "10.00") == "OK"
    days(play, 1)  # 5 left of the week and of the month: the shorter period is named
    refused = told(stake(play, "5.01"))
    assert (refused["period"], refused["left"], refused["resets_at"]) == (
        "week",
        "5.00",
        "2026-11-30T00:00:00Z",
    )
    assert code(play, "5.00") == "OK"
    refused = told(stake(play, "1.00"))
    assert (refused["period"], refused["left"]) == ("week", "0.00")
    days(play, 6)  # Monday, 30 November: a new week, nothing left of the month
    refused = told(stake(play, "1.00"))
    assert (refused["period"], refused["resets_at"]) == ("month", "2026-12-01T00:00:00Z")
    days(play, 1)
    assert code(play, "10.00") == "OK"


def test_a_week_that_spans_two_months_goes_on_where_the_month_begins_anew() -> None:
    play = table(cash="1000.00")
    days(play, 8)  # Monday, 30 November
    limit(play, "wager", "10.00", "week")
    limit(play, "wager", "12.00", "month")
    assert code(play, "8.00") == "OK"
    days(play, 1)
    assert told(stake(play, "3.00"))["period"] == "week"
    days(play, 6)  # Monday, 7 December
    assert code(play, "10.00") == "OK"
    assert told(stake(play, "2.01"))["period"] == "week"


@pytest.mark.parametrize(
    ("zone", "hours", "resets_at"),
    [
        (None, 14, "2026-11-23T00:00:00Z"),
        ("Europe/Berlin", 13, "2026-11-22T23:00:00Z"),
        ("America/New_York", 19, "2026-11-23T05:00:00Z"),
        ("Asia/Kolkata", 8.5, "2026-11-22T18:30:00Z"),
    ],
)
def test_a_day_is_over_at_the_players_midnight(zone: str | None, hours: float, resets_at: str) -> None:
    play = table()
    play.ledger.players["p"].time_zone = zone
    limit(play, "wager", "10.00")
    stake(play, "10.00")
    assert told(stake(play, "1.00"))["resets_at"] == resets_at
    play.ledger.pass_time(hours * 3600 - 0.001)
    assert code(play, "1.00") == "LIMIT_EXCEEDED"
    play.ledger.pass_time(0.001)
    assert code(play, "1.00") == "OK"


@pytest.mark.parametrize(
    ("zone", "began", "hours"),
    [
        ("Europe/Berlin", datetime(2027, 3, 27, 23, 0, tzinfo=UTC), 23),
        ("Europe/Berlin", datetime(2027, 10, 30, 22, 0, tzinfo=UTC), 25),
        ("America/Havana", datetime(2027, 3, 14, 5, 0, tzinfo=UTC), 23),  # its midnight does not exist
        ("America/Havana", datetime(2027, 11, 7, 4, 0, tzinfo=UTC), 25),  # its midnight comes twice
    ],
)
def test_the_day_of_a_clock_change_is_as_long_as_it_is(zone: str, began: datetime, hours: int) -> None:
    play = table()
    play.ledger.players["p"].time_zone = zone
    play.ledger.now = began - timedelta(milliseconds=1)
    limit(play, "wager", "10.00")
    stake(play, "10.00")
    play.ledger.now = began
    assert code(play, "10.00") == "OK"
    ends = began + timedelta(hours=hours)
    assert told(stake(play, "1.00"))["resets_at"] == ends.isoformat().replace("+00:00", "Z")
    play.ledger.now = ends - timedelta(milliseconds=1)
    assert code(play, "1.00") == "LIMIT_EXCEEDED"
    play.ledger.now = ends
    assert code(play, "1.00") == "OK"


def test_a_rollback_gives_back_to_the_period_of_its_stake_alone() -> None:
    play = table(cash="1000.00")
    days(play, 2)  # Tuesday
    for period in ("day", "week"):
        limit(play, "wager", "10.00" if period == "day" else "18.00", period)
    bet = stake(play, "10.00").command
    days(play, 1)
    assert code(play, "8.00") == "OK"
    assert told(stake(play, "1.00"))["period"] == "week"
    play.send("rollback", "c1", reference=bet.transaction_id)
    refused = told(stake(play, "2.01"))  # the week has 10 left again, the day has 2 as before
    assert (refused["period"], refused["left"]) == ("day", "2.00")


def test_a_win_gives_back_to_the_period_it_comes_in() -> None:
    play = table(cash="1000.00")
    days(play, 2)
    limit(play, "loss", "10.00", "day")
    bet = stake(play, "10.00").command
    days(play, 1)
    assert code(play, "10.00") == "OK"
    play.send("win", "w1", reference=bet.transaction_id, round_id=bet.round_id, amount="6.00")
    assert told(stake(play, "6.01"))["left"] == "6.00"


def test_an_event_of_the_day_before_counts_on_the_last_day() -> None:
    play = table()
    limit(play, "wager", "10.00")
    days(play, 1)
    assert code(play, "6.00") == "OK"
    assert code(play, "5.00", at_seconds=-86_400) == "LIMIT_EXCEEDED"
    assert code(play, "4.00", at_seconds=-86_400) == "OK"
    assert code(play, "1.00") == "LIMIT_EXCEEDED"


# ------------------------------------------------------------------------------------------- which limit is named


def test_the_limit_with_least_left_is_named() -> None:
    play = table()
    for name, period, amount in (
        ("wager", "day", "9.00"),
        ("loss", "week", "7.00"),
        ("single_bet", None, "8.00"),
        ("wager", "month", "6.00"),
    ):
        limit(play, name, amount, period)
    refused = told(stake(play, "10.00"))
    assert (refused["limit"], refused["period"], refused["left"]) == ("wager", "month", "6.00")


def test_a_tie_is_broken_by_name_and_then_by_period() -> None:
    play = table()
    order = [("wager", "month"), ("wager", "week"), ("wager", "day"), ("loss", "month"), ("loss", "day")]
    for name, period in order:
        limit(play, name, "5.00", period)
        refused = told(stake(play, "6.00"))
        assert (refused["limit"], refused["period"]) == (name, period)
    limit(play, "single_bet", "5.00", None)
    assert told(stake(play, "6.00"))["limit"] == "single_bet"


def test_a_limit_stands_before_the_money() -> None:
    play = table()
    limit(play, "loss", "200.00")
    assert code(play, "150.00") == "INSUFFICIENT_FUNDS"
    assert code(play, "200.01") == "LIMIT_EXCEEDED"


# ----------------------------------------------------------------------------------------------- how limits change


def test_lowering_acts_at_once_and_a_raise_waits_a_day_and_for_the_player() -> None:
    play = table()
    assert limit(play, "wager", "10.00").details is None
    assert limit(play, "wager", "20.00").details == {"effective_at": "2026-11-23T10:00:00Z"}
    assert told(stake(play, "11.00"))["amount"] == "10.00"
    play.ledger.pass_time(86_399.999)
    early = confirm(play, "wager")
    assert (early.code.value, early.details) == ("OK", {"effective_at": "2026-11-23T10:00:00Z"})
    assert code(play, "11.00") == "LIMIT_EXCEEDED"
    play.ledger.pass_time(0.001)
    assert code(play, "11.00") == "LIMIT_EXCEEDED"  # it needs to be confirmed
    confirmed = confirm(play, "wager")
    assert (confirmed.code.value, confirmed.details) == ("OK", None)
    assert code(play, "11.00") == "OK"


def test_a_new_limit_replaces_a_pending_raise() -> None:
    play = table()
    limit(play, "wager", "10.00")
    limit(play, "wager", "50.00")
    limit(play, "wager", "4.00")
    days(play, 2)
    confirm(play, "wager")
    assert told(stake(play, "5.00"))["amount"] == "4.00"
    limit(play, "wager", "20.00")
    days(play, 0.5)
    assert limit(play, "wager", "30.00").details == {"effective_at": "2026-11-25T22:00:00Z"}
    days(play, 0.5)
    confirm(play, "wager")  # of the second raise, half a day is missing
    assert told(stake(play, "5.00"))["amount"] == "4.00"


def test_removing_a_limit_waits_like_a_raise() -> None:
    play = table()
    limit(play, "wager", "10.00")
    assert limit(play, "wager", None).details == {"effective_at": "2026-11-23T10:00:00Z"}
    assert code(play, "11.00") == "LIMIT_EXCEEDED"
    days(play, 1)
    confirm(play, "wager")
    assert code(play, "11.00") == "OK"
    assert play.ledger.players["p"].limits == ()


def test_what_is_not_there_can_be_removed_and_confirmed_and_stays_not_there() -> None:
    play = table()
    assert limit(play, "wager", None).details is None
    assert confirm(play, "wager").code == "OK"
    assert play.ledger.players["p"].limits == ()


def test_session_time_is_lowered_at_once_and_raised_later_too() -> None:
    play = table()
    limit(play, "session_time", None, None, minutes="30")
    limit(play, "session_time", None, None, minutes="20")
    assert limit(play, "session_time", None, None, minutes="40").details is not None
    assert play.ledger.players["p"].limits == (
        Limit("session_time", "", "", 20, 40, START + timedelta(days=1)),
    )


@pytest.mark.parametrize(
    ("jurisdiction", "country", "hours"),
    [(None, None, 24), ("DE", "MT", 168), (None, "DE", 168), ("MGA", "DE", 24), ("XX", None, 72)],
)
def test_how_long_a_raise_waits_is_the_jurisdictions(
    jurisdiction: str | None, country: str | None, hours: int
) -> None:
    play = table()
    known = play.ledger.reference.jurisdictions
    play.ledger.reference = replace(
        play.ledger.reference, jurisdictions={**known, "XX": Jurisdiction(limit_raise_hours=72)}
    )
    player = play.ledger.players["p"]
    player.jurisdiction, player.country = jurisdiction, country
    limit(play, "wager", "10.00")
    effective_at = START + timedelta(hours=hours)
    assert limit(play, "wager", "20.00").details == {
        "effective_at": effective_at.isoformat().replace("+00:00", "Z")
    }
