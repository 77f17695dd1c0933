"""Corrections: bet and win in one, wins taken back, adjustments, and rollbacks after the win."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from processor.domain.profiles import Profile
from processor.domain.state import Account
from tests.unit.domain.play import Play
from tests.unit.domain.test_operations import posted

ACME = Profile("acme")


def with_rule(rule: str, *, cash: str = "100.00", **flags: Any) -> Play:
    return Play(replace(ACME, win_reversal=rule, **flags), cash=cash)  # type: ignore[arg-type]  # tables hold all values


def balance(play: Play, pool: str) -> int:
    return play.ledger.players["p"].balance_minor("EUR", pool)


def the_round(play: Play) -> tuple[int, int, int, int, int, bool]:
    [one] = play.ledger.rounds.values()
    closed = one.closed_at is not None
    return one.bets, one.bets_rolled_back, one.wins, one.staked_minor, one.won_minor, closed


# ------------------------------------------------------------------------------------------------ bet_win


def test_a_bet_win_moves_both_halves_and_is_told_with_both() -> None:
    play = Play(cash="10.00")
    answer = play.send("bet_win", "x1", bet_amount="10.00", win_amount="3.00", round_closed=True)
    assert (answer.code.value, answer.moved_minor, play.cash_of()) == ("OK", -700, 300)
    assert answer.details == {"bet_amount": "10.00", "win_amount": "3.00", "split": {"cash": "-7.00"}}
    assert posted(play, 1) == [("cash", "house:gaming", 1000), ("house:gaming", "cash", 300)]
    assert the_round(play) == (1, 0, 1, 1000, 300, True)


def test_the_win_of_a_bet_win_cannot_fund_its_bet_and_neither_half_moves_alone() -> None:
    play = Play(cash="3.00")
    answer = play.send("bet_win", "x1", bet_amount="4.00", win_amount="9.00")
    assert (answer.code.value, answer.moved_minor, play.cash_of()) == ("INSUFFICIENT_FUNDS", 0, 300)
    assert posted(play, 1) == []


def test_a_bet_win_is_settled_from_birth() -> None:
    play = Play()
    play.send("bet_win", "x1", bet_amount="4.00", win_amount="0.00")
    assert play.send("rollback", "c1", reference="x1").code == "ALREADY_SETTLED"
    assert play.send("refund", "f1", reference="x1").code == "ALREADY_SETTLED"
    assert play.send("win", "w1", reference="x1").code == "ALREADY_SETTLED"
    assert play.send("reverse_win", "v1", reference="x1").code == "NOT_ROLLBACKABLE"


def test_the_win_of_a_bet_win_goes_to_the_pool_that_paid_most_and_repays_debt_first() -> None:
    play = Play(cash="1.00")
    accounts = play.ledger.players["p"].accounts
    accounts[("EUR", "bonus")] = Account("EUR", "bonus", 500, 1)
    accounts[("EUR", "debt")] = Account("EUR", "debt", -50, 1)
    answer = play.send("bet_win", "x1", bet_amount="3.00", win_amount="2.00")
    assert answer.details is not None
    assert answer.details["split"] == {"cash": "-1.00", "bonus": "-0.50", "debt": "0.50"}
    assert (balance(play, "cash"), balance(play, "bonus"), balance(play, "debt")) == (0, 450, 0)


@pytest.mark.parametrize(
    ("fields", "conflict"),
    [
        ({"bet_amount": "4", "win_amount": "1.00"}, None),
        ({"bet_amount": "5", "win_amount": "1"}, "bet_amount"),
        ({"bet_amount": "4", "win_amount": "2"}, "win_amount"),
        ({"bet_amount": "4", "win_amount": "1", "round_id": "r2"}, "round_id"),
    ],
)
def test_a_bet_win_again_is_compared_in_both_amounts(fields: dict[str, str], conflict: str | None) -> None:
    play = Play()
    play.send("bet_win", "x1", bet_amount="4.00", win_amount="1.00")
    again = play.send("bet_win", "x1", **fields)
    assert (again.conflict, again.replayed) == (conflict, conflict is None)


@pytest.mark.parametrize("first", ["bet", "bet_win"])
def test_a_bet_and_a_bet_win_share_their_ids_also_where_ids_include_the_type(first: str) -> None:
    """What names one of them could not tell it from the other, nor what has happened to it."""
    play = Play(
        replace(ACME, id_includes_type=True, rollback_after_win="allow", win_reversal="take_available")
    )
    amounts = {"bet": {"amount": "2.00"}, "bet_win": {"bet_amount": "4.00", "win_amount": "1.00"}}
    other = "bet_win" if first == "bet" else "bet"
    assert play.send(first, "x1", **amounts[first]).code == "OK"
    again = play.send(other, "x1", **amounts[other])
    assert (again.code, again.conflict) == ("CONFLICT", "type")
    assert play.send("win", "x1", reference="x1", amount="1.00", kind="promo").code == "OK"
    play.send("rollback", "x1", reference="x1")
    assert play.cash_of() == 100_00


# ---------------------------------------------------------------------------------------------- reverse_win


def won(play: Play, *, left: str | None = None) -> Play:
    """A bet of 1.00 and its win of 10.00; then ``left`` is all the cash that is left."""
    play.send("bet", "b1", amount="1.00")
    play.send("win", "w1", reference="b1", amount="10.00")
    if left is not None:
        there = play.cash_of() - int(left.replace(".", ""))
        play.send("withdraw", "out", amount=f"{there / 100:.2f}")
    return play


def test_no_win_is_taken_back_by_default() -> None:
    play = won(Play())
    assert play.send("reverse_win", "v1", reference="w1").code == "NOT_ROLLBACKABLE"
    assert play.cash_of() == 10900


@pytest.mark.parametrize("rule", ["take_available", "player_debt"])
def test_a_win_is_taken_back_and_its_bet_is_open_again(rule: str) -> None:
    play = won(with_rule(rule))
    answer = play.send("reverse_win", "v1", reference="w1")
    assert (answer.code.value, answer.moved_minor, answer.split, answer.details) == (
        "OK",
        -1000,
        {"cash": -1000},
        None,
    )
    assert the_round(play) == (1, 0, 0, 100, 0, False)
    assert play.send("reverse_win", "v2", reference="w1").code == "ALREADY_ROLLED_BACK"
    assert play.send("reverse_win", "v1", reference="w1").replayed
    assert play.send("win", "w2", reference="b1", amount="2.00").code == "OK"
    assert play.send("win", "w1", reference="b1", amount="10.00").replayed


def test_after_a_reversal_the_bet_can_be_rolled_back() -> None:
    play = won(with_rule("take_available"))
    play.send("reverse_win", "v1", reference="w1")
    assert play.send("rollback", "c1", reference="b1").code == "OK"
    assert play.cash_of() == 10000
    assert play.send("reverse_win", "v2", reference="w1").code == "ALREADY_ROLLED_BACK"


def test_take_available_leaves_the_rest_and_tells_it() -> None:
    play = won(with_rule("take_available"), left="4.00")
    answer = play.send("reverse_win", "v1", reference="w1")
    assert (answer.moved_minor, answer.details) == (-400, {"shortfall": "6.00"})
    assert (balance(play, "cash"), balance(play, "debt")) == (0, 0)
    assert the_round(play)[4] == 600


def test_player_debt_books_the_rest_as_debt_which_the_next_win_or_deposit_repays_first() -> None:
    play = won(with_rule("player_debt"), left="4.00")
    since = len(play.ledger.entries)
    answer = play.send("reverse_win", "v1", reference="w1")
    assert (answer.moved_minor, answer.split, answer.details) == (-1000, {"cash": -400, "debt": -600}, None)
    assert posted(play, since) == [("cash", "house:gaming", 400), ("debt", "house:gaming", 600)]
    assert answer.balance is not None
    assert (answer.balance.cash_minor, answer.balance.debt_minor) == (0, -600)
    assert play.send("win", "w2", reference="b1", amount="2.00").split == {"debt": 200}
    assert play.send("deposit", "d1", amount="5.00").split == {"debt": 400, "cash": 100}


def test_refunds_and_rollbacks_repay_no_debt() -> None:
    play = with_rule("player_debt")
    play.send("bet", "b2", amount="50.00")
    play.send("bet", "b3", amount="3.00")
    won(play, left="0.00")
    play.send("reverse_win", "v1", reference="w1")
    assert play.send("refund", "f1", reference="b2", amount="5.00").split == {"cash": 500}
    assert play.send("rollback", "c1", reference="b3").split == {"cash": 300}
    assert balance(play, "debt") == -1000


def test_a_win_that_repaid_a_debt_is_taken_back_from_the_cash() -> None:
    play = with_rule("player_debt", cash="5.00")
    play.ledger.players["p"].accounts[("EUR", "debt")] = Account("EUR", "debt", -300, 1)
    play.send("win", "w1", kind="promo", amount="2.00")
    answer = play.send("reverse_win", "v1", reference="w1")
    assert (answer.split, balance(play, "debt")) == ({"cash": -200}, -100)


def test_only_a_paid_win_of_the_players_is_taken_back() -> None:
    play = with_rule("take_available")
    play.join("q", "5.00")
    won(play)
    assert play.send("reverse_win", "v1", reference="nothing").code == "BET_NOT_FOUND"
    assert play.send("reverse_win", "v2", reference="w1", player_id="q").code == "BET_NOT_FOUND"
    assert play.send("reverse_win", "v3", reference="w1", provider="other").code == "BET_NOT_FOUND"
    assert play.send("reverse_win", "v4", reference="b1").code == "NOT_ROLLBACKABLE"
    play.send("win", "w2", reference="b1")
    assert play.send("reverse_win", "v5", reference="w2").code == "BET_NOT_FOUND"


def test_the_win_that_closed_its_round_opens_it_again() -> None:
    play = won(with_rule("take_available", settlement="per_round"))
    assert play.send("win", "w2", reference="b1").code == "ROUND_CLOSED"
    play.send("reverse_win", "v1", reference="w1")
    assert play.send("win", "w3", reference="b1", amount="2.00").code == "OK"


def test_a_reversed_win_leaves_no_tombstone_where_ids_include_the_type() -> None:
    play = won(with_rule("take_available", id_includes_type=True))
    play.send("reverse_win", "v1", reference="w1")
    assert play.send("bet", "w1").code == "OK"


# -------------------------------------------------------------------------------------- rollback after the win


def test_a_rollback_after_the_win_undoes_bet_and_wins_together() -> None:
    play = Play(replace(ACME, rollback_after_win="allow", wins_per_bet="many"))
    play.send("bet", "b1", amount="4.00")
    play.send("win", "w1", reference="b1", amount="1.00")
    play.send("win", "j1", reference="b1", amount="5.00", kind="jackpot")
    since = len(play.ledger.entries)
    answer = play.send("rollback", "c1", reference="b1")
    assert (answer.code.value, answer.moved_minor, answer.split) == ("OK", -200, {"cash": -200})
    assert posted(play, since) == [
        ("house:gaming", "cash", 400),
        ("cash", "house:gaming", 100),
        ("cash", "house:jackpot", 500),
    ]
    assert (play.cash_of(), the_round(play)) == (10000, (1, 1, 0, 0, 0, False))
    assert play.send("win", "w2", reference="b1").code == "ROLLED_BACK"
    assert play.send("rollback", "c2", reference="b1").code == "ALREADY_ROLLED_BACK"


def test_a_rolled_back_bet_win_gives_its_stake_back_and_takes_its_win() -> None:
    play = Play(replace(ACME, rollback_after_win="allow"), cash="1.00")
    play.ledger.players["p"].accounts[("EUR", "bonus")] = Account("EUR", "bonus", 500, 1)
    play.send("bet_win", "x1", bet_amount="3.00", win_amount="2.00")
    answer = play.send("rollback", "c1", reference="x1")
    assert (answer.moved_minor, answer.split) == (100, {"cash": 100})
    assert (balance(play, "cash"), balance(play, "bonus"), the_round(play)) == (
        100,
        500,
        (1, 1, 0, 0, 0, False),
    )


def test_a_settled_round_does_not_stop_an_allowed_rollback() -> None:
    play = Play(replace(ACME, rollback_after_win="allow"))
    play.send("bet", "b1", amount="4.00")
    play.send("close_round", "e1")
    assert play.send("rollback", "c1", reference="b1").code == "OK"
    assert play.cash_of() == 10000


@pytest.mark.parametrize(
    ("rule", "code", "cash", "debt", "shortfall"),
    [
        ("refuse", "INSUFFICIENT_FUNDS", 0, 0, None),
        ("take_available", "OK", 0, 0, {"shortfall": "9.00"}),
        ("player_debt", "OK", 0, -900, None),
    ],
)
def test_the_wins_of_a_rollback_are_taken_by_the_rules_of_reversal(
    rule: str, code: str, cash: int, debt: int, shortfall: dict[str, str] | None
) -> None:
    play = won(with_rule(rule, rollback_after_win="allow"), left="0.00")
    answer = play.send("rollback", "c1", reference="b1")
    assert (answer.code.value, answer.details) == (code, shortfall)
    assert (balance(play, "cash"), balance(play, "debt")) == (cash, debt)


def test_money_that_was_forgiven_is_not_taken_by_a_later_rollback() -> None:
    play = won(with_rule("take_available", rollback_after_win="allow"), left="4.00")
    play.send("reverse_win", "v1", reference="w1")
    assert play.send("rollback", "c1", reference="b1").split == {"cash": 100}
    assert the_round(play) == (1, 1, 0, 0, 600, False)


# --------------------------------------------------------------------------------------------------- adjust


def test_an_adjustment_pays_what_is_owed_and_a_debt_first() -> None:
    play = Play()
    play.ledger.players["p"].accounts[("EUR", "debt")] = Account("EUR", "debt", -100, 1)
    answer = play.send("adjust", "a1", amount="3.00")
    assert (answer.moved_minor, answer.split) == (300, {"debt": 100, "cash": 200})
    assert posted(play, 1) == [("house:gaming", "debt", 100), ("house:gaming", "cash", 200)]


@pytest.mark.parametrize(
    ("rule", "code", "moved", "split", "shortfall"),
    [
        ("refuse", "INSUFFICIENT_FUNDS", 0, {}, None),
        ("take_available", "OK", -200, {"cash": -200}, {"shortfall": "1.00"}),
        ("player_debt", "OK", -300, {"cash": -200, "debt": -100}, None),
    ],
)
def test_an_adjustment_beyond_the_money_goes_by_the_rules_of_reversal(
    rule: str, code: str, moved: int, split: dict[str, int], shortfall: dict[str, str] | None
) -> None:
    answer = with_rule(rule, cash="2.00").send("adjust", "a1", amount="-3.00")
    assert (answer.code.value, answer.moved_minor, answer.split, answer.details) == (
        code,
        moved,
        split,
        shortfall,
    )


@pytest.mark.parametrize(("amount", "cash"), [("-2.00", 0), ("0.00", 200), ("-0.00", 200)])
def test_an_adjustment_within_the_money_needs_no_rule(amount: str, cash: int) -> None:
    play = Play(cash="2.00")
    assert play.send("adjust", "a1", amount=amount).code == "OK"
    assert play.cash_of() == cash


def test_an_adjustment_that_names_play_needs_it_to_stand() -> None:
    play = Play(replace(ACME, rollback_unknown="accept"))
    play.send("open_player", "usd", currency="USD")
    won(play)
    play.send("bet", "b2", round_id="r2")
    play.send("rollback", "c2", reference="b2")
    answers = {
        name: play.send("adjust", f"a-{name}", reference=name, amount="-1.00").code.value
        for name in ("b1", "w1", "b2", "c2", "nothing")
    }
    assert answers == {
        "b1": "OK",
        "w1": "OK",
        "b2": "ALREADY_ROLLED_BACK",
        "c2": "BET_NOT_FOUND",
        "nothing": "BET_NOT_FOUND",
    }
    other = play.send("adjust", "a-usd", reference="b1", currency="USD", amount="1.00")
    assert other.code == "WRONG_CURRENCY"


def test_an_adjustment_of_a_bonus_bet_touches_the_bonus() -> None:
    play = Play(cash="0.00")
    play.ledger.players["p"].accounts[("EUR", "bonus")] = Account("EUR", "bonus", 500, 1)
    play.send("bet", "b1", amount="3.00")
    assert play.send("adjust", "a1", reference="b1", amount="1.00").split == {"bonus": 100}
    assert play.send("adjust", "a2", reference="b1", amount="-2.00").split == {"bonus": -200}
