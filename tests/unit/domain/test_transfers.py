"""The transfer wallet: in, play, out, all of it; open bets stay; what a provider tells that is not so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from processor.domain.profiles import Game, Profile
from tests.unit.domain.play import Play

TRANSFER = Profile("acme", wallet="transfer", require_session=False, wins_per_bet="many")
SETTLES = replace(TRANSFER, transfer_settlement="provider")


def reported(amount: str) -> tuple[tuple[str, str], ...]:
    return (("reported_balance", amount),)


def held(play: Play) -> tuple[int, int]:
    """(cash, game wallet at acme), minor units."""
    player = play.ledger.players["p"]
    return player.balance_minor("EUR", "cash"), player.balance_minor("EUR", "game:acme")


def test_cash_goes_in_is_played_with_and_comes_back() -> None:
    play = Play(TRANSFER)
    into = play.send("transfer_in", "t1", amount="60.00")
    assert (into.code.value, into.moved_minor) == ("OK", -6000)
    assert into.split == {"cash": -6000, "game:acme": 6000}
    play.send("bet", "b1", amount="50.00")
    assert held(play) == (4000, 1000)
    play.send("win", "w1", reference="b1", amount="70.00")
    out = play.send("transfer_out", "t2", amount="80.00")
    assert (out.code.value, out.moved_minor, out.split) == ("OK", 8000, {"game:acme": -8000, "cash": 8000})
    assert held(play) == (12000, 0)
    assert [(e.debit, e.credit, e.amount_minor) for e in play.ledger.entries[1:]] == [
        ("cash", "game:acme", 6000),
        ("game:acme", "house:gaming", 5000),
        ("house:gaming", "game:acme", 7000),
        ("game:acme", "cash", 8000),
    ]


def test_money_in_a_game_wallet_can_be_neither_withdrawn_nor_staked_elsewhere() -> None:
    play = Play(TRANSFER)
    play.send("transfer_in", "t1", amount="60.00")
    assert play.send("withdraw", "d1", amount="40.01").code == "INSUFFICIENT_FUNDS"
    assert play.send("bet", "b1", provider="other").code == "INSUFFICIENT_FUNDS"
    assert play.send("bet", "b2", amount="60.01").code == "INSUFFICIENT_FUNDS"
    assert play.send("bet", "b3", amount="60.00").code == "OK"


def test_all_is_what_is_there_and_may_be_nothing() -> None:
    play = Play(TRANSFER)
    nothing = play.send("transfer_out", "t0", amount="all")
    assert (nothing.code.value, nothing.moved_minor, nothing.split) == ("OK", 0, {})
    play.send("transfer_in", "t1", amount="60.00")
    assert play.send("transfer_out", "t2", amount="all").moved_minor == 6000
    assert held(play) == (10000, 0)


@pytest.mark.parametrize(("type_", "amount"), [("transfer_in", "60.00"), ("transfer_out", "all")])
def test_the_same_transfer_twice_is_one_transfer(type_: str, amount: str) -> None:
    play = Play(TRANSFER)
    play.send("transfer_in", "t0", amount="20.00")
    first = play.send(type_, "t1", amount=amount)
    before = held(play)
    again = play.send(type_, "t1", amount=amount)
    assert (again.replayed, again.code, again.moved_minor, again.split) == (
        True,
        first.code,
        first.moved_minor,
        first.split,
    )
    assert held(play) == before
    assert play.send(type_, "t1", amount="1.00").conflict == "amount"


def test_open_bets_stay_and_what_becomes_of_them_goes_to_the_game_wallet() -> None:
    play = Play(TRANSFER)
    play.send("transfer_in", "t1", amount="60.00")
    for bet in ("b1", "b2", "b3"):
        play.send("bet", bet, amount="10.00", round_id=bet)
    assert play.send("transfer_out", "t2", amount="all").moved_minor == 3000
    play.send("win", "w1", reference="b1", round_id="b1", amount="5.00")
    play.send("rollback", "c1", reference="b2")
    play.send("refund", "f1", reference="b3", amount="4.00")
    assert held(play) == (7000, 500 + 1000 + 400)


def test_more_than_there_is_cannot_be_transferred() -> None:
    play = Play(TRANSFER)
    assert play.send("transfer_in", "t1", amount="100.01").code == "INSUFFICIENT_FUNDS"
    play.send("transfer_in", "t2", amount="100.00")
    assert play.send("transfer_out", "t3", amount="100.01").code == "INSUFFICIENT_FUNDS"
    assert held(play) == (0, 10000)


@pytest.mark.parametrize("provider", ["acme", "nobody", "operator"])
@pytest.mark.parametrize("type_", ["transfer_in", "transfer_out"])
def test_only_providers_with_game_wallets_transfer(type_: str, provider: str) -> None:
    play = Play(Profile("acme"))
    assert play.send(type_, "t1", provider=provider).code == "GAME_BLOCKED"


def test_a_suspended_provider_takes_nothing_in_and_lets_everything_out() -> None:
    play = Play(TRANSFER)
    play.send("transfer_in", "t1", amount="60.00")
    suspended = replace(TRANSFER, status="suspended")
    play.ledger.reference = replace(play.ledger.reference, providers={"acme": suspended})
    assert play.send("transfer_in", "t2", amount="1.00").code == "GAME_BLOCKED"
    assert play.send("transfer_out", "t3", amount="all").code == "OK"


def test_a_provider_that_lists_its_games_transfers_without_naming_one() -> None:
    play = Play(replace(TRANSFER, games="listed"), games=(Game("acme", "g"),))
    assert play.send("transfer_in", "t1", amount="1.00").code == "OK"


def test_transfers_are_of_the_currencies_that_the_provider_takes() -> None:
    play = Play(replace(TRANSFER, currencies=frozenset({"USD"})))
    assert play.send("transfer_in", "t1").code == "WRONG_CURRENCY"
    assert play.send("transfer_in", "t2", currency="USD").code == "WRONG_CURRENCY"


def test_a_transfer_cannot_be_rolled_back() -> None:
    play = Play(TRANSFER)
    play.send("transfer_in", "t1", amount="1.00")
    assert play.send("rollback", "c1", reference="t1").code == "NOT_ROLLBACKABLE"


def test_a_win_is_paid_to_the_game_wallet_after_everything_was_transferred_out() -> None:
    play = Play(TRANSFER)
    play.send("win", "w1", kind="promo", amount="5.00")
    assert held(play) == (10000, 500)


# ------------------------------------------------------------------------------------------- another balance told


@pytest.mark.parametrize("told", ["59.99", "60.01", "0"])
def test_another_balance_than_the_wallets_is_a_discrepancy_and_nothing_moves(told: str) -> None:
    play = Play(TRANSFER)
    play.send("transfer_in", "t1", amount="60.00")
    refused = play.send("transfer_out", "t2", amount="all", own=reported(told))
    assert refused.code == "DISCREPANCY"
    assert refused.details == {"reported_balance": f"{float(told):.2f}"}
    assert held(play) == (4000, 6000)
    assert play.send("transfer_out", "t3", amount="all").code == "OK"


def test_the_same_balance_is_none() -> None:
    play = Play(TRANSFER)
    play.send("transfer_in", "t1", amount="60.00")
    out = play.send("transfer_out", "t2", amount="10.00", own=reported("60"))
    assert (out.code.value, out.details) == ("OK", {"reported_balance": "60.00"})


@pytest.mark.parametrize(
    ("told", "settlement"),
    [
        ("75.00", [("house:gaming", "game:acme", 1500)]),
        ("20.00", [("game:acme", "house:gaming", 4000)]),
        ("60.00", []),
    ],
)
def test_where_the_providers_figure_is_the_truth_the_difference_is_booked_as_play(
    told: str, settlement: list[tuple[str, str, int]]
) -> None:
    play = Play(SETTLES)
    play.send("transfer_in", "t1", amount="60.00")
    out = play.send("transfer_out", "t2", amount="all", own=reported(told))
    held_minor = round(float(told) * 100)
    assert (out.code.value, out.moved_minor) == ("OK", held_minor)
    assert out.split == {"game:acme": -6000, "cash": held_minor}
    assert held(play) == (4000 + held_minor, 0)
    booked = [(e.debit, e.credit, e.amount_minor) for e in play.ledger.entries[2:]]
    assert booked == [*settlement, ("game:acme", "cash", held_minor)]


def test_a_settled_wallet_that_is_empty_is_settled_to_nothing() -> None:
    play = Play(SETTLES)
    play.send("transfer_in", "t1", amount="60.00")
    out = play.send("transfer_out", "t2", amount="all", own=reported("0"))
    assert (out.code.value, out.moved_minor, out.split) == ("OK", 0, {"game:acme": -6000})
    assert held(play) == (4000, 0)


def test_more_than_the_provider_tells_cannot_be_transferred_and_nothing_is_settled() -> None:
    play = Play(SETTLES)
    play.send("transfer_in", "t1", amount="60.00")
    assert play.send("transfer_out", "t2", amount="50.00", own=reported("20.00")).code == "INSUFFICIENT_FUNDS"
    assert held(play) == (4000, 6000)


def test_what_a_settlement_says_was_lost_counts_as_lost_and_not_as_wagered() -> None:
    play = Play(SETTLES)
    for name in ("loss", "wager"):
        own = (("limit", name), ("period", "day"))
        play.send("set_limit", f"l-{name}", amount="50.00", currency="EUR", own=own)
    play.send("transfer_in", "t1", amount="60.00")
    play.send("transfer_out", "t2", amount="all", own=reported("20.00"))
    play.send("transfer_in", "t3", amount="50.00")
    refused = play.send("bet", "b1", amount="10.01")
    assert refused.details is not None
    assert refused.details["limit"] == {
        "limit": "loss",
        "period": "day",
        "amount": "50.00",
        "left": "10.00",
        "resets_at": "2026-11-23T00:00:00Z",
    }
    play.send("transfer_out", "t4", amount="all", own=reported("55.00"))
    play.send("transfer_in", "t5", amount="50.00")
    assert play.send("bet", "b2", amount="15.00").code == "OK"
