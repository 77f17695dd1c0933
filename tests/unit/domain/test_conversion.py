"""Conversion: amounts are exact, rounded once, booked through clearing; what refers to a bet goes by the bet's rate."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.domain.conversion import Conversion
from processor.domain.money import exact_text
from processor.domain.profiles import Jurisdiction, Profile, Rate, Reference
from processor.domain.state import Limit
from tests.unit.domain.memory import START
from tests.unit.domain.play import Play

ACME = Profile("acme", fx=True, require_session=False, wins_per_bet="many")


def rated(play: Play, rate: str, *, age_hours: float = 1, pair: tuple[str, str] = ("JPY", "EUR")) -> None:
    new = Rate(rate, START - timedelta(hours=age_hours), "ecb")
    rates = {**play.ledger.reference.rates}
    rates[pair] = sorted([*rates.get(pair, ()), new], key=lambda one: one.at, reverse=True)
    play.ledger.reference = replace(play.ledger.reference, rates=rates)


def table(rate: str = "0.0061", cash: str = "100.00", **flags: Any) -> Play:
    """A player with euros at a provider that plays in yen."""
    play = Play(replace(ACME, **flags), cash=cash)
    rated(play, rate)
    return play


def fx_of(details: dict[str, Any] | None) -> dict[str, str]:
    """What is stored of a conversion."""
    assert details is not None
    found: dict[str, str] = details["fx"]
    return found


def sums(play: Play) -> dict[str, int]:
    """What the clearing account has, by currency; sees to it that the books sum to zero in each."""
    clearing: Counter[str] = Counter()
    everybody: Counter[str] = Counter()
    for entry in play.ledger.entries:
        for side, change in ((entry.debit, -entry.amount_minor), (entry.credit, entry.amount_minor)):
            everybody[entry.currency] += change
            clearing[entry.currency] += change if side == "house:fx_clearing" else 0
    assert not any(everybody.values())
    return {currency: minor for currency, minor in clearing.items() if minor}


def house(play: Play, account: str) -> dict[str, int]:
    got: Counter[str] = Counter()
    for entry in play.ledger.entries:
        got[entry.currency] += entry.amount_minor * ((entry.credit == account) - (entry.debit == account))
    return {currency: minor for currency, minor in got.items() if minor}


def test_a_stake_goes_through_clearing_and_is_told_in_the_events_currency() -> None:
    play = table()
    answer = play.send("bet", "b1", currency="JPY", amount="1000")
    assert (answer.code, answer.moved_minor, answer.moved_currency) == ("OK", -1000, "JPY")
    assert answer.split == {"cash": -610}
    assert answer.details == {
        "fx": {
            "from": "JPY", "to": "EUR", "rate": "0.0061", "rate_at": "2026-11-22T09:00:00Z", "source": "ecb",
            "converted_amount": "-6.10", "lost": "0", "rounding": "player",
        }
    }  # fmt: skip
    assert answer.balance is not None
    assert (answer.balance.currency, answer.balance.cash_minor) == ("EUR", 9390)
    last = [(one.debit, one.credit, one.currency, one.amount_minor) for one in play.ledger.entries[-2:]]
    assert last == [
        ("cash", "house:fx_clearing", "EUR", 610),
        ("house:fx_clearing", "house:gaming", "JPY", 1000),
    ]
    assert sums(play) == {"EUR": 610, "JPY": -1000}


def test_a_fraction_is_rounded_for_the_player_and_kept() -> None:
    play = table("0.0061")
    bet = play.send("bet", "b1", currency="JPY", amount="1001")  # 610.61 cents
    win = play.send("win", "w1", reference="b1", currency="JPY", amount="1001")
    assert (bet.split, win.split) == ({"cash": -610}, {"cash": 611})
    assert (fx_of(bet.details)["lost"], fx_of(win.details)["lost"]) == ("-0.0061", "-0.0039")
    sums(play)


@pytest.mark.parametrize(
    ("rounding", "taken", "given"), [("player", 610, 611), ("house", 611, 610), ("half_even", 611, 611)]
)
def test_in_whose_favour_it_is_rounded_is_the_jurisdictions(rounding: Any, taken: int, given: int) -> None:
    play = table()
    play.ledger.reference = replace(play.ledger.reference, elsewhere=Jurisdiction(fx_rounding=rounding))
    assert play.send("bet", "b1", currency="JPY", amount="1001").split == {"cash": -taken}
    play.ledger.reference = replace(play.ledger.reference, elsewhere=Jurisdiction())  # the bet's stays
    assert play.send("win", "w1", reference="b1", currency="JPY", amount="1001").split == {"cash": given}


def test_a_stake_that_is_not_zero_never_costs_nothing() -> None:
    play = table("0.0001")
    assert play.send("bet", "b1", currency="JPY", amount="1").split == {"cash": -1}
    assert play.send("bet", "b2", currency="JPY", amount="0").split == {}
    assert play.send("rollback", "c1", reference="b1").split == {"cash": 1}
    assert play.cash_of() == 10000
    assert sums(play) == {}


def test_a_rollback_returns_the_wallet_amount_whatever_the_rate_is_now() -> None:
    play = table()
    play.send("bet", "b1", currency="JPY", amount="1001", own=(("jackpot_contribution", "11"),))
    assert (house(play, "house:gaming"), house(play, "house:jackpot")) == ({"JPY": 990}, {"JPY": 11})
    rated(play, "0.0099", age_hours=0)
    answer = play.send("rollback", "c1", reference="b1", amount="1001", currency="JPY")
    assert (answer.code, answer.moved_minor, answer.moved_currency) == ("OK", 1001, "JPY")
    assert answer.split == {"cash": 610}
    assert (play.cash_of(), sums(play)) == (10000, {})
    [round_] = play.ledger.rounds.values()
    assert (round_.currency, round_.staked_minor) == ("JPY", 0)


def test_a_win_and_a_refund_go_by_the_bets_rate_also_when_no_rate_is_fresh() -> None:
    play = table()
    play.send("bet", "b1", currency="JPY", amount="1000")
    play.send("bet", "b2", currency="JPY", amount="1000", round_id="r2")
    play.ledger.pass_time(30 * 3600)
    assert play.send("bet", "b3", currency="JPY", amount="1000").code == "WRONG_CURRENCY"
    assert play.send("win", "w1", reference="b1", currency="JPY", amount="2000").split == {"cash": 1220}
    assert play.send("refund", "f1", reference="b2", currency="JPY", amount="500").split == {"cash": 305}
    play.ledger.reference = replace(
        play.ledger.reference, providers={"acme": replace(ACME, fx=False)}, rates={}
    )
    assert play.send("refund", "f2", reference="b2", amount="500").split == {"cash": 305}
    assert play.send("refund", "f3", reference="b2", amount="1").code == "REFUND_EXCEEDS_BET"
    assert play.cash_of() == 10000 - 610 + 1220
    sums(play)


def test_refunds_never_return_more_than_was_taken_and_the_last_takes_the_rest() -> None:
    play = table("0.0061")
    play.send("bet", "b1", currency="JPY", amount="1001")
    back = [
        sum(play.send("refund", f"f{number}", reference="b1", amount=amount).split.values())
        for number, amount in enumerate(["1", "1", "1", "500", "498"])
    ]
    assert sum(back) == 610
    assert back[0] == 1  # 0.61 cents, for the player
    assert (play.cash_of(), sums(play)) == (10000, {})


def test_a_wallet_of_the_currency_needs_no_rate() -> None:
    play = table()
    play.send("bet", "b1", currency="JPY", amount="1000")
    play.send("open_player", "o2", currency="JPY")
    play.send("deposit", "d2", currency="JPY", amount="500")
    answer = play.send("bet", "b2", currency="JPY", amount="200", round_id="r2")
    assert (answer.split, answer.details) == ({"cash": -200}, None)
    assert play.cash_of(currency="JPY") == 300
    # what was taken from euros goes back to them
    assert play.send("win", "w1", reference="b1", currency="JPY", amount="1000").split == {"cash": 610}
    assert play.send("bet", "b3", currency="JPY", amount="0", round_id="r3").details is None
    assert (play.cash_of(), play.cash_of(currency="JPY")) == (10000, 300)
    sums(play)


@pytest.mark.parametrize(
    ("flags", "rate", "age_hours", "why"),
    [
        ({"fx": False}, "0.0061", 1, None),
        ({}, None, 1, "There is no rate from JPY to EUR."),
        ({}, "0.0061", -1, "There is no rate from JPY to EUR."),
        ({}, "0.0061", 25, "The newest rate from JPY to EUR is of 2026-11-21 09:00 UTC: too old."),
    ],
)
def test_what_cannot_be_converted_is_refused_with_the_reason(
    flags: dict[str, Any], rate: str | None, age_hours: float, why: str | None
) -> None:
    play = Play(replace(ACME, **flags))
    if rate is not None:
        rated(play, rate, age_hours=age_hours)
    answer = play.send("bet", "b1", currency="JPY", amount="1000")
    assert (answer.code, answer.details) == ("WRONG_CURRENCY", None if why is None else {"message": why})


def test_the_newest_rate_that_is_not_in_the_future_applies() -> None:
    play = table("0.0061")
    rated(play, "0.0070", age_hours=0.5)
    rated(play, "0.0099", age_hours=-0.5)
    assert play.send("bet", "b1", currency="JPY", amount="1000").split == {"cash": -700}
    play.ledger.pass_time(3600)
    assert play.send("bet", "b2", currency="JPY", amount="1000").split == {"cash": -990}


def test_the_cashiers_money_and_transfers_are_never_converted() -> None:
    play = Play(replace(ACME, wallet="transfer"))
    rated(play, "0.0061")
    for type_, fields in (
        ("deposit", {}), ("withdraw", {}), ("transfer_in", {}), ("transfer_out", {}),
        ("grant_bonus", {"provider": "cashier", "own": (("bonus_id", "w"),)}),
    ):  # fmt: skip
        assert play.send(type_, f"x-{type_}", currency="JPY", amount="10", **fields).code == "WRONG_CURRENCY"


def test_limits_and_wagering_count_the_wallets_currency() -> None:
    play = table()
    play.ledger.players["p"].limits = (
        Limit("wager", "day", "EUR", 1000),
        Limit("single_bet", "", "EUR", 611),
    )
    play.send("grant_bonus", "g1", provider="cashier", amount="1.00", own=(("bonus_id", "w"),))
    assert play.send("bet", "b1", currency="JPY", amount="1100").code == "LIMIT_EXCEEDED"
    assert play.send("bet", "b2", currency="JPY", amount="1001").code == "OK"
    assert play.ledger.players["p"].bonuses[0].wagered_minor == 610
    assert play.send("bet", "b3", currency="JPY", amount="1001", round_id="r3").code == "LIMIT_EXCEEDED"
    play.send("rollback", "c2", reference="b2")
    assert play.ledger.players["p"].bonuses[0].wagered_minor == 0
    assert play.send("bet", "b4", currency="JPY", amount="1001", round_id="r3").code == "OK"


def test_a_converted_stake_draws_on_the_pools_in_their_order_and_goes_back_to_them() -> None:
    play = table(cash="1.00")
    play.send("grant_bonus", "g1", provider="cashier", amount="10.00", own=(("bonus_id", "w"),))
    assert play.send("bet", "b1", currency="JPY", amount="1000").split == {"cash": -100, "bonus": -510}
    assert play.send("win", "w1", reference="b1", currency="JPY", amount="100").split == {"bonus": 61}
    assert play.send("bet", "b2", currency="JPY", amount="2000").code == "INSUFFICIENT_FUNDS"
    sums(play)


def test_both_halves_of_a_bet_win_go_by_one_rate() -> None:
    play = table()
    answer = play.send("bet_win", "x1", currency="JPY", bet_amount="1001", win_amount="501")
    assert (answer.moved_minor, answer.moved_currency) == (-500, "JPY")
    assert answer.details is not None
    assert (answer.details["bet_amount"], answer.details["win_amount"]) == ("1001", "501")
    assert answer.details["split"] == {"cash": "-3.04"}  # 6.10 taken, 3.06 given
    assert fx_of(answer.details)["converted_amount"] == "-3.04"
    assert house(play, "house:gaming") == {"JPY": 500}
    sums(play)


def test_a_win_that_is_taken_back_moves_what_it_had_moved() -> None:
    play = table(win_reversal="take_available")
    play.send("bet", "b1", currency="JPY", amount="1000")
    play.send("win", "w1", reference="b1", currency="JPY", amount="501")
    answer = play.send("reverse_win", "v1", reference="w1")
    assert (answer.code, answer.moved_minor, answer.moved_currency) == ("OK", -501, "JPY")
    assert answer.split == {"cash": -306}
    assert house(play, "house:gaming") == {"JPY": 1000}
    assert sums(play) == {"EUR": 610, "JPY": -1000}
    [round_] = play.ledger.rounds.values()
    assert (round_.staked_minor, round_.won_minor, round_.wins) == (1000, 0, 0)


def test_of_a_win_that_is_half_there_half_goes_back_in_both_currencies() -> None:
    play = table(cash="6.10", win_reversal="take_available")
    play.send("bet", "b1", currency="JPY", amount="1000")
    play.send("win", "w1", reference="b1", currency="JPY", amount="1000")
    play.send("withdraw", "d1", amount="3.05")
    answer = play.send("reverse_win", "v1", reference="w1")
    assert answer.details is not None
    assert (answer.moved_minor, answer.split, answer.details["shortfall"]) == (-500, {"cash": -305}, "3.05")
    assert house(play, "house:gaming") == {"JPY": 500}
    sums(play)


def test_a_bet_is_rolled_back_with_its_wins_in_both_currencies() -> None:
    play = table(rollback_after_win="allow", win_reversal="player_debt")
    play.send("bet", "b1", currency="JPY", amount="1001")
    play.send("win", "w1", reference="b1", currency="JPY", amount="501")
    play.send("win", "w2", reference="b1", currency="JPY", amount="100", kind="jackpot")
    answer = play.send("rollback", "c1", reference="b1")
    assert (answer.code, answer.moved_minor, answer.moved_currency) == ("OK", 400, "JPY")
    assert (play.cash_of(), sums(play)) == (10000, {})
    assert (house(play, "house:gaming"), house(play, "house:jackpot")) == ({}, {})
    [round_] = play.ledger.rounds.values()
    assert (round_.staked_minor, round_.won_minor) == (0, 0)


def test_adjustments_go_by_the_rate_of_what_they_name() -> None:
    play = table(win_reversal="take_available")
    play.send("bet", "b1", currency="JPY", amount="1000")
    rated(play, "0.0099", age_hours=0)
    assert play.send("adjust", "a1", currency="JPY", amount="101", reference="b1").split == {"cash": 62}
    assert play.send("adjust", "a2", currency="JPY", amount="-101", reference="b1").split == {"cash": -61}
    assert play.send("adjust", "a3", currency="JPY", amount="101").split == {"cash": 100}
    assert house(play, "house:gaming") == {"JPY": 899}
    sums(play)


def test_a_batch_converts_each_of_its_actions() -> None:
    play = table()
    batch = play.event("batch", "x1", currency="JPY")
    actions = tuple(
        replace(play.event(type_, id_, currency="JPY", amount=amount, **more), offset=batch.offset)
        for type_, id_, amount, more in (
            ("bet", "b1", "1001", {}), ("bet", "b2", "1001", {}), ("win", "w1", "501", {"reference": "b1"}),
        )
    )  # fmt: skip
    [answer] = play.batch(replace(batch, actions=actions))
    assert (answer.code, answer.moved_minor, play.cash_of()) == ("OK", -1501, 10000 - 610 - 610 + 306)
    assert answer.details is not None
    assert answer.details["split"] == {"cash": "-9.14"}
    actions_told: Any = answer.details["actions"]
    assert [one["amount"] for one in actions_told] == ["-1001", "-1001", "501"]
    assert play.send("rollback", "c2", reference="b2").split == {"cash": 610}
    assert house(play, "house:gaming") == {"JPY": 500}
    sums(play)


def test_a_repeat_tells_the_same_and_another_amount_is_a_conflict() -> None:
    play = table()
    first = play.send("bet", "b1", currency="JPY", amount="1000")
    rated(play, "0.0099", age_hours=0)
    again = play.send("bet", "b1", currency="JPY", amount="1000")
    assert (again.replayed, again.details, again.split) == (True, first.details, first.split)
    assert again.balance is not None
    assert again.balance.currency == "EUR"
    assert play.send("bet", "b1", currency="JPY", amount="1001").conflict == "amount"


def test_two_currencies_in_one_round_are_counted_apart() -> None:
    play = table()
    play.send("bet", "b1", amount="2.00")
    play.send("bet", "b2", currency="JPY", amount="1000")
    play.send("win", "w2", reference="b2", currency="JPY", amount="300")
    [round_] = play.ledger.rounds.values()
    assert (round_.currency, round_.staked_minor, round_.won_minor) == ("EUR", 200, 0)
    assert round_.also == {"JPY": (1000, 300)}
    assert house(play, "house:gaming") == {"EUR": 200, "JPY": 700}


EXPONENTS = {"JPY": 0, "EUR": 2, "BTC": 8}


@given(
    amounts=st.lists(st.integers(0, 10**12), min_size=1, max_size=5),
    rate=st.decimals("0.0000001", "100000", places=7).map(str),
    rounding=st.sampled_from(["player", "house", "half_even"]),
    pair=st.sampled_from([("JPY", "EUR"), ("EUR", "JPY"), ("BTC", "EUR"), ("EUR", "BTC")]),
)
def test_no_amount_is_further_from_the_exact_one_than_a_minor_unit(
    amounts: list[int], rate: str, rounding: str, pair: tuple[str, str]
) -> None:
    minor_rate = Fraction(rate) * Fraction(10) ** (EXPONENTS[pair[1]] - EXPONENTS[pair[0]])
    conversion = Conversion(*pair, Rate(rate, START, "s"), minor_rate, rounding)
    for amount in amounts:
        exact = amount * minor_rate
        assert abs(conversion.given(amount) - exact) < 1
        assert abs(conversion.taken(amount) - exact) < 1 or conversion.taken(amount) == 1
        assert (conversion.taken(amount) > 0) == (amount > 0)
        details = conversion.details(amount, conversion.given(amount), Reference(currencies=EXPONENTS))
        lost = Fraction(fx_of(details)["lost"])
        assert lost * 10 ** EXPONENTS[pair[1]] == exact - conversion.given(amount)


def test_a_fraction_is_written_whole() -> None:
    assert exact_text(Fraction(-1, 8)) == "-0.125"
    assert exact_text(Fraction(0)) == "0"
    assert exact_text(Fraction(61, 10**4)) == "0.0061"
