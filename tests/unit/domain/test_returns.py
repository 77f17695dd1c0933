"""Refunds: what comes back, to which pools, how often, and what is said of a bet that was refunded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from processor.domain.profiles import Profile
from processor.domain.state import Account
from tests.unit.domain.play import Play
from tests.unit.domain.test_operations import posted

ACME = Profile("acme")


def with_bonus(cash: str, bonus_minor: int) -> Play:
    play = Play(cash=cash)
    play.ledger.players["p"].accounts[("EUR", "bonus")] = Account("EUR", "bonus", bonus_minor, 1)
    return play


def test_partial_refunds_never_exceed_the_bet() -> None:
    play = Play()
    play.send("bet", "b1", amount="5.00")
    first = play.send("refund", "f1", reference="b1", amount="2.00")
    assert (first.code.value, first.moved_minor, first.moved_currency, first.split) == (
        "OK",
        200,
        "EUR",
        {"cash": 200},
    )
    assert play.send("refund", "f2", reference="b1", amount="3.01").code == "REFUND_EXCEEDS_BET"
    assert play.send("refund", "f3", reference="b1", amount="3.00").code == "OK"
    assert play.send("refund", "f4", reference="b1", amount="0.01").code == "REFUND_EXCEEDS_BET"
    assert play.send("refund", "f5", reference="b1", amount="0.00").code == "OK"
    assert play.cash_of() == 10000


def test_refunds_go_back_in_cumulative_proportion_and_the_last_takes_the_rest() -> None:
    play = with_bonus("1.00", 500)
    play.send("bet", "b1", amount="3.00")
    splits = [
        play.send("refund", f"f{number}", reference="b1", amount=amount).split
        for number, amount in enumerate(["0.01", "0.01", "0.01", "0.50", "2.47"])
    ]
    assert splits == [
        {"cash": 1},
        {"bonus": 1},
        {"bonus": 1},
        {"cash": 17, "bonus": 33},
        {"cash": 82, "bonus": 165},
    ]
    assert play.cash_of() == 100


def test_no_pool_ever_gets_back_more_than_it_paid() -> None:
    play = with_bonus("0.07", 500)
    play.send("bet", "b1", amount="0.20")
    back = {"cash": 0, "bonus": 0}
    for number in range(20):
        split = play.send("refund", f"f{number}", reference="b1", amount="0.01").split
        for pool, part in split.items():
            back[pool] += part
            assert 0 < part <= {"cash": 7, "bonus": 13}[pool]
        assert back["cash"] <= 7
        assert back["bonus"] <= 13
    assert back == {"cash": 7, "bonus": 13}


def test_a_bet_of_bonus_alone_is_refunded_to_the_bonus() -> None:
    play = with_bonus("0.00", 500)
    play.send("bet", "b1", amount="3.00")
    assert play.send("refund", "f1", reference="b1", amount="0.01").split == {"bonus": 1}


def test_the_jackpots_part_comes_back_in_proportion() -> None:
    play = Play()
    play.send("bet", "b1", amount="2.00", own=(("jackpot_contribution", "0.50"),))
    play.send("refund", "f1", reference="b1", amount="1.01")
    play.send("refund", "f2", reference="b1", amount="0.99")
    assert posted(play, 3) == [
        ("house:gaming", "cash", 76),
        ("house:jackpot", "cash", 25),
        ("house:gaming", "cash", 74),
        ("house:jackpot", "cash", 25),
    ]
    [round_] = play.ledger.rounds.values()
    assert (round_.staked_minor, round_.bets, round_.bets_rolled_back) == (0, 1, 0)


def test_a_refund_repays_no_debt() -> None:
    play = Play()
    play.send("bet", "b1", amount="5.00")
    play.ledger.players["p"].accounts[("EUR", "debt")] = Account("EUR", "debt", -500, 1)
    assert play.send("refund", "f1", reference="b1", amount="5.00").split == {"cash": 500}


def test_a_refund_of_an_unknown_bet_waits_for_it_and_leaves_no_tombstone() -> None:
    play = Play()
    assert play.codes(play.event("refund", "f1", reference="b1")) == []
    assert play.kept() == [("f1", "missing_bet")]
    assert play.codes(play.event("bet", "b1", amount="3.00")) == [("b1", "OK"), ("f1", "OK")]
    assert play.codes(play.event("refund", "f2", reference="never")) == []
    play.ledger.pass_time(61)
    [answer] = play.batch()
    assert (answer.code.value, answer.retryable, answer.burnt) == ("BET_NOT_FOUND", False, True)
    assert play.send("bet", "never").code == "OK"


def test_a_refused_bet_and_what_is_no_bet_are_not_found_at_once() -> None:
    play = Play(cash="1.00")
    play.send("bet", "b1", amount="5.00")
    assert play.send("refund", "f1", reference="b1", amount="5.00").code == "BET_NOT_FOUND"
    play.send("win", "w1", kind="promo")
    assert play.send("refund", "f2", reference="w1").code == "BET_NOT_FOUND"


def test_a_refund_and_a_rollback_exclude_one_another() -> None:
    play = Play()
    play.send("bet", "b1", amount="5.00")
    play.send("rollback", "c1", reference="b1")
    assert play.send("refund", "f1", reference="b1").code == "ALREADY_ROLLED_BACK"
    play.send("bet", "b2", amount="5.00")
    play.send("refund", "f2", reference="b2")
    assert play.send("rollback", "c2", reference="b2").code == "ALREADY_SETTLED"
    play.send("rollback", "c3", reference="b3")
    assert play.send("refund", "f3", reference="b3").code == "ALREADY_ROLLED_BACK"


def test_a_settled_bet_is_not_refunded() -> None:
    play = Play()
    play.send("bet", "b1")
    play.send("win", "w1", reference="b1", amount="0.00")
    assert play.send("refund", "f1", reference="b1").code == "ALREADY_SETTLED"
    play.send("bet", "b2", round_id="r2")
    play.send("close_round", "e2", round_id="r2")
    assert play.send("refund", "f2", reference="b2").code == "ALREADY_SETTLED"


def test_a_wholly_refunded_bet_takes_no_win_and_a_partly_refunded_one_does() -> None:
    play = Play()
    play.send("bet", "b1", amount="2.00")
    play.send("refund", "f1", reference="b1", amount="1.00")
    play.send("bet", "b2", amount="2.00")
    play.send("refund", "f2", reference="b2", amount="2.00")
    assert play.send("win", "w1", reference="b1").code == "OK"
    assert play.send("win", "w2", reference="b2").code == "ALREADY_SETTLED"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"amount": "1.00"}, "OK"),
        ({"amount": "1.00", "currency": "EUR"}, "OK"),
        ({"amount": "1.001"}, "WRONG_CURRENCY"),
        ({"amount": "1.00", "currency": "USD"}, "WRONG_CURRENCY"),
        ({"amount": "1.00", "currency": "BTC"}, "WRONG_CURRENCY"),
    ],
)
def test_a_refund_is_counted_in_its_bets_currency(fields: dict[str, str], code: str) -> None:
    play = Play()
    play.send("open_player", "usd", currency="USD")
    play.send("bet", "b1", amount="2.00")
    assert play.send("refund", "f1", reference="b1", **fields).code.value == code


def test_neither_block_nor_session_nor_provider_stops_a_refund() -> None:
    play = Play()
    play.send("bet", "b1")
    play.ledger.players["p"].blocked = True
    suspended = replace(ACME, status="suspended")
    play.ledger.reference = replace(play.ledger.reference, providers={"acme": suspended})
    assert play.send("refund", "f1", reference="b1").code == "OK"


def test_the_same_refund_again_is_told_from_another() -> None:
    play = Play()
    play.send("bet", "b1", amount="2.00")
    assert play.send("refund", "f1", reference="b1", amount="1.0", own=(("reason", "late"),)).code == "OK"
    again = play.send("refund", "f1", reference="b1", amount="1.00", own=(("reason", "late"),))
    assert (again.code.value, again.replayed) == ("OK", True)
    other = play.send("refund", "f1", reference="b1", amount="1.00", own=(("reason", "gift"),))
    assert (other.code.value, other.conflict) == ("CONFLICT", "reason")
