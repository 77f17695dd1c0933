"""Operations: what each type moves, between which accounts, and what it leaves behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from processor.domain.answers import Refusal
from processor.domain.books import house_changes
from processor.domain.profiles import Profile
from processor.domain.state import Account
from tests.unit.domain.memory import START
from tests.unit.domain.play import Play

ACME = Profile("acme")


def posted(play: Play, since: int) -> list[tuple[str, str, int]]:
    """(debit, credit, minor units) of the entries after the first ones."""
    return [(entry.debit, entry.credit, entry.amount_minor) for entry in play.ledger.entries[since:]]


# -------------------------------------------------------------------------------------------------------- bets


@pytest.mark.parametrize(
    ("kind", "account"),
    [
        ("stake", "house:gaming"),
        ("free_round", "house:gaming"),
        ("tip", "house:tips"),
        ("fee", "house:fees"),
        ("buy_in", "house:tournament"),
        ("rebuy", "house:tournament"),
        ("add_on", "house:tournament"),
    ],
)
def test_a_stake_goes_to_the_house_account_of_its_kind_and_comes_back_from_it(
    kind: str, account: str
) -> None:
    play = Play()
    play.send("bet", "b1", kind=kind, amount="2.00")
    play.send("rollback", "c1", reference="b1")
    assert posted(play, 1) == [("cash", account, 200), (account, "cash", 200)]


@pytest.mark.parametrize(
    ("kind", "account"),
    [
        ("game", "house:gaming"),
        ("free_round", "house:gaming"),
        ("jackpot", "house:jackpot"),
        ("tournament", "house:tournament"),
        ("promo", "house:promotion"),
        ("bonus", "house:promotion"),
    ],
)
def test_a_win_is_paid_from_the_house_account_of_its_kind(kind: str, account: str) -> None:
    play = Play()
    play.send("bet", "b1", amount="1.00")
    play.send("win", "w1", kind=kind, reference="b1", amount="3.00")
    assert posted(play, 2) == [(account, "cash", 300)]


def test_a_jackpots_contribution_is_a_part_of_the_stake() -> None:
    play = Play()
    bet = play.send("bet", "b1", amount="2.00", own=(("jackpot_contribution", "0.05"),))
    assert (bet.moved_minor, bet.split) == (-200, {"cash": -200})
    play.send("rollback", "c1", reference="b1")
    assert posted(play, 1) == [
        ("cash", "house:gaming", 195),
        ("cash", "house:jackpot", 5),
        ("house:gaming", "cash", 195),
        ("house:jackpot", "cash", 5),
    ]
    [round_] = play.ledger.rounds.values()
    assert (round_.staked_minor, round_.bets, round_.bets_rolled_back) == (0, 1, 1)


def test_a_stake_draws_on_cash_then_bonus_and_each_gets_its_own_back() -> None:
    play = Play(cash="1.00")
    play.ledger.players["p"].accounts[("EUR", "bonus")] = Account("EUR", "bonus", 500, 1)
    bet = play.send("bet", "b1", amount="3.00", own=(("jackpot_contribution", "2.50"),))
    assert bet.split == {"cash": -100, "bonus": -200}
    assert bet.balance is not None
    assert (bet.balance.cash_minor, bet.balance.bonus_minor) == (0, 300)
    assert posted(play, 1) == [
        ("cash", "house:gaming", 50),
        ("cash", "house:jackpot", 50),
        ("bonus", "house:jackpot", 200),
    ]
    back = play.send("rollback", "c1", reference="b1")
    assert back.split == {"cash": 100, "bonus": 200}
    assert back.balance is not None
    assert (back.balance.cash_minor, back.balance.bonus_minor) == (100, 500)


def test_an_empty_pool_takes_no_part_in_a_stake() -> None:
    play = Play(cash="0.00")
    play.ledger.players["p"].accounts[("EUR", "bonus")] = Account("EUR", "bonus", 500, 1)
    assert play.send("bet", "b1", amount="3.00").split == {"bonus": -300}
    assert play.send("bet", "b2", amount="2.01").code == "INSUFFICIENT_FUNDS"


@pytest.mark.parametrize(("bonus_minor", "pool"), [(100, "cash"), (101, "bonus"), (99, "cash")])
def test_a_win_goes_to_the_pool_that_paid_most_of_the_bet_and_a_tie_to_cash(
    bonus_minor: int, pool: str
) -> None:
    play = Play(cash="1.00")
    play.ledger.players["p"].accounts[("EUR", "bonus")] = Account("EUR", "bonus", 500, 1)
    stake = f"{(100 + bonus_minor) / 100:.2f}"
    play.send("bet", "b1", amount=stake)
    assert play.send("win", "w1", reference="b1", amount="7.00").split == {pool: 700}


def test_a_debt_is_repaid_by_the_next_win_and_deposit_before_anything_else() -> None:
    play = Play()
    play.ledger.players["p"].accounts[("EUR", "debt")] = Account("EUR", "debt", -500, 1)
    win = play.send("win", "w1", kind="promo", amount="3.00")
    assert win.split == {"debt": 300}
    deposit = play.send("deposit", "d1", amount="3.00")
    assert deposit.split == {"debt": 200, "cash": 100}
    assert deposit.balance is not None
    assert (deposit.balance.cash_minor, deposit.balance.debt_minor) == (10100, 0)


def test_zero_is_recorded_and_moves_nothing() -> None:
    play = Play()
    bet = play.send("bet", "b1", amount="0.00")
    win = play.send("win", "w1", reference="b1", amount="0.00")
    assert (bet.code.value, bet.moved_minor, bet.moved_currency, bet.split) == ("OK", 0, "EUR", {})
    assert (win.code.value, win.moved_minor) == ("OK", 0)
    assert posted(play, 1) == []
    assert play.send("rollback", "c1", reference="b1").code == "ALREADY_SETTLED"


def test_amounts_beyond_64_bits_are_exact() -> None:
    play = Play(cash="99999999999999999999.99")
    assert play.send("bet", "b1", amount="99999999999999999999.98").balance is not None
    assert play.cash_of() == 1


# --------------------------------------------------------------------------------------------- rounds and wins


def test_a_round_keeps_its_figures() -> None:
    play = Play(replace(ACME, wins_per_bet="many"))
    play.send("bet", "b1", amount="2.00")
    play.send("bet", "b2", amount="3.00")
    play.send("bet", "t1", amount="1.00", kind="tip")
    play.send("win", "w1", reference="b1", amount="4.00")
    play.send("win", "j1", reference="b1", amount="9.00", kind="jackpot")
    play.send("rollback", "c1", reference="b2")
    play.send("win", "w2", reference="b1", amount="0.00", round_closed=True)
    [round_] = play.ledger.rounds.values()
    assert (round_.bets, round_.bets_rolled_back, round_.wins) == (3, 1, 3)
    assert (round_.staked_minor, round_.won_minor) == (200, 400)
    assert round_.closed_at == START


def test_a_refused_event_opens_no_round() -> None:
    play = Play()
    play.send("bet", "b1", amount="1000.00")
    assert play.ledger.rounds == {}


def test_a_round_that_is_closed_before_anything_was_played_takes_no_bet() -> None:
    play = Play()
    assert play.send("close_round", "e1").code == "OK"
    assert play.send("close_round", "e2").code == "OK"
    assert play.send("bet", "b1").code == "ROUND_CLOSED"
    assert play.send("bet", "b2", provider="other").code == "OK"


def test_a_closed_round_settles_its_bets() -> None:
    play = Play()
    play.send("bet", "b1")
    play.send("close_round", "e1")
    assert play.send("rollback", "c1", reference="b1").code == "ALREADY_SETTLED"


@pytest.mark.parametrize("kind", ["promo", "tournament", "free_round", "jackpot", "bonus"])
def test_a_win_of_another_kind_is_paid_though_the_round_is_closed(kind: str) -> None:
    play = Play()
    play.send("close_round", "e1")
    assert play.send("win", "w1", kind=kind).code == "OK"
    assert play.send("win", "w2", kind=kind, round_id=None, game_id=None).code == "OK"


def test_a_win_in_another_round_than_its_bet_finds_no_bet() -> None:
    play = Play()
    play.send("bet", "b1")
    answer = play.send("win", "w1", reference="b1", round_id="r2")
    assert (answer.code.value, answer.burnt) == ("BET_NOT_FOUND", False)


def test_a_win_in_another_currency_than_its_bet_is_refused() -> None:
    play = Play()
    play.send("open_player", "usd", currency="USD")
    play.send("bet", "b1")
    assert play.send("win", "w1", reference="b1", currency="USD").code == "WRONG_CURRENCY"


def test_a_win_on_a_refused_bet_is_final() -> None:
    play = Play()
    play.send("bet", "b1", amount="1000.00")
    answer = play.send("win", "w1", reference="b1")
    assert (answer.code.value, answer.burnt, answer.retryable) == ("BET_NOT_FOUND", True, False)
    assert play.send("win", "w1", reference="b1").replayed


def test_a_win_that_names_no_bet_but_another_win_finds_no_bet_at_once() -> None:
    play = Play()
    play.send("win", "w1", kind="promo")
    answer = play.send("win", "w2", reference="w1")
    assert (answer.code.value, answer.burnt) == ("BET_NOT_FOUND", False)


def test_a_win_on_a_bet_whose_rollback_came_first_is_rolled_back() -> None:
    play = Play()
    play.send("rollback", "c1", reference="b1")
    assert play.send("win", "w1", reference="b1").code == "ROLLED_BACK"
    assert play.send("bet", "b1").code == "ROLLED_BACK"
    assert play.send("win", "w2", reference="b1").code == "ROLLED_BACK"


# --------------------------------------------------------------------------------------------------- rollbacks


def test_a_tombstone_catches_any_type_under_its_id() -> None:
    play = Play()
    play.send("rollback", "c1", reference="x")
    assert play.send("win", "x", kind="promo").code == "ROLLED_BACK"


def test_another_players_rollback_does_not_touch_the_bet() -> None:
    play = Play(replace(ACME, rollback_unknown="accept"))
    play.join("q", "10.00")
    play.send("bet", "b1", amount="4.00")
    assert play.send("rollback", "c1", reference="b1", player_id="q").code == "OK"
    assert (play.cash_of(), play.cash_of("q")) == (9600, 1000)
    assert play.send("rollback", "c2", reference="b1").code == "OK"
    assert play.cash_of() == 10000


def test_another_providers_rollback_does_not_touch_the_bet() -> None:
    play = Play()
    play.send("bet", "b1", amount="4.00")
    assert play.send("rollback", "c1", reference="b1", provider="other").code == "BET_NOT_FOUND"
    assert play.cash_of() == 9600


def test_a_rollback_for_an_unknown_player_leaves_its_tombstone() -> None:
    play = Play()
    assert play.send("rollback", "c1", reference="b1", player_id="q").code == "PLAYER_NOT_FOUND"
    play.join("q", "10.00")
    assert play.send("bet", "b1", player_id="q").code == "ROLLED_BACK"


@pytest.mark.parametrize("type_", ["deposit", "withdraw"])
def test_what_is_no_bet_is_not_rolled_back(type_: str) -> None:
    play = Play()
    play.send(type_, "x1", provider="acme")
    assert play.send("rollback", "c1", reference="x1").code == "NOT_ROLLBACKABLE"


def test_a_rollback_is_not_rolled_back() -> None:
    play = Play()
    play.send("bet", "b1")
    play.send("rollback", "c1", reference="b1")
    assert play.send("rollback", "c2", reference="c1").code == "NOT_ROLLBACKABLE"


def test_a_rollback_needs_neither_session_nor_currency_nor_an_unblocked_player() -> None:
    play = Play()
    play.send("bet", "b1", amount="4.00")
    play.ledger.players["p"].blocked = True
    play.ledger.sessions.clear()
    answer = play.send("rollback", "c1", reference="b1", currency="JPY", round_id="r9", game_id="g9")
    assert (answer.code.value, answer.moved_minor, answer.moved_currency) == ("OK", 400, "EUR")


# -------------------------------------------------------------------------------------- players and their money


def test_opening_twice_is_ok_and_changes_nothing() -> None:
    play = Play()
    assert play.send("open_player", "again", own=(("country", "DE"),)).code == "OK"
    player = play.ledger.players["p"]
    assert (player.currencies, player.country) == (["EUR"], None)


def test_another_currency_opens_a_wallet_and_leaves_the_player_as_he_is() -> None:
    play = Play()
    play.ledger.pass_time(5)
    play.send("open_player", "usd", currency="USD", own=(("country", "DE"),))
    player = play.ledger.players["p"]
    assert (player.currencies, player.opened_at, player.country) == (["EUR", "USD"], START, None)


def test_a_player_has_one_wallet_per_currency_in_the_order_of_opening() -> None:
    play = Play()
    play.send("open_player", "usd", currency="USD")
    play.send("deposit", "d1", currency="USD", amount="5.00")
    answer = play.send("bet", "b1", currency="USD", amount="2.00")
    assert answer.balance is not None
    assert (answer.balance.currency, answer.balance.cash_minor) == ("USD", 300)
    refused = play.send("bet", "b2", currency="JPY", amount="2")
    assert refused.code == "WRONG_CURRENCY"
    assert refused.balance is not None
    assert (refused.balance.currency, refused.balance.cash_minor) == ("EUR", 10000)


def test_the_first_open_player_fixes_the_partition_and_an_event_elsewhere_is_a_dead_letter() -> None:
    play = Play()
    sequence = play.ledger.players["p"].sequence
    [refusal] = play.ledger.run([play.event("bet", "b1", partition=3)])
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "KEY_MISMATCH"
    assert "partition 0" in refusal.detail
    assert play.ledger.players["p"].sequence == sequence


def test_an_unknown_player_has_no_balance_but_counts_his_answers() -> None:
    play = Play()
    answer = play.send("deposit", "d1", player_id="q")
    assert (answer.code.value, answer.balance, answer.sequence) == ("PLAYER_NOT_FOUND", None, 1)
    assert play.send("deposit", "d1", player_id="q").replayed


def test_a_withdrawal_takes_cash_only() -> None:
    play = Play(cash="1.00")
    play.ledger.players["p"].accounts[("EUR", "bonus")] = Account("EUR", "bonus", 500, 1)
    assert play.send("withdraw", "x1", amount="1.01").code == "INSUFFICIENT_FUNDS"
    assert play.send("withdraw", "x2", amount="1.00").code == "OK"
    assert posted(play, 1) == [("cash", "house:withdrawals", 100)]


def test_what_takes_money_is_refused_after_its_deadline_by_either_clock() -> None:
    play = Play()
    soon = START + timedelta(seconds=5)
    event = play.event("bet", "b1", deadline=soon)
    play.ledger.pass_time(6)
    assert play.codes(event) == [("b1", "EXPIRED")]
    assert play.send("bet", "b2", deadline=soon).code == "EXPIRED"
    assert play.send("deposit", "d1", deadline=soon).code == "OK"
    play.ledger.now = START
    assert play.send("bet", "b3", deadline=soon, at_seconds=6).code == "EXPIRED"
    assert play.send("bet", "b4", deadline=soon, at_seconds=5).code == "OK"


def test_an_excluded_player_may_not_stake_or_deposit_until_it_is_over() -> None:
    play = Play()
    play.ledger.players["p"].excluded_until = START + timedelta(seconds=10)
    for type_, id_ in (("bet", "b1"), ("deposit", "d1"), ("open_session", "o1")):
        assert play.send(type_, id_).code == "PLAYER_BLOCKED"
    assert play.send("withdraw", "x1").code == "OK"
    play.ledger.pass_time(10)
    assert play.send("bet", "b2").code == "OK"


def test_house_accounts_move_by_the_sum_of_their_entries() -> None:
    play = Play()
    play.send("bet", "b1", amount="2.00", own=(("jackpot_contribution", "0.50"),))
    play.send("win", "w1", reference="b1", amount="5.00")
    assert house_changes(play.ledger.entries) == {
        ("cashier", "EUR", "deposits"): -10000,
        ("acme", "EUR", "gaming"): 150 - 500,
        ("acme", "EUR", "jackpot"): 50,
    }


def test_entries_carry_the_balance_after_and_the_version_of_the_players_side() -> None:
    play = Play()
    play.send("bet", "b1", amount="2.00")
    play.send("win", "w1", reference="b1", amount="5.00")
    told = [
        (e.debit_balance_after_minor, e.debit_version, e.credit_balance_after_minor, e.credit_version)
        for e in play.ledger.entries
    ]
    assert told == [(None, None, 10000, 1), (9800, 2, None, None), (None, None, 10300, 3)]


# ---------------------------------------------------------------------------------------------------- sessions


def test_a_newer_session_replaces_the_older_on_its_channel_only() -> None:
    play = Play()
    play.send("open_session", "m", session_id="m", own=(("channel", "mobile"),))
    play.send("open_session", "s2", session_id="s2", own=(("channel", "web"),))
    assert play.send("bet", "b1", session_id="s").code == "SESSION_EXPIRED"
    assert play.send("bet", "b2", session_id="s2").code == "OK"
    assert play.send("bet", "b3", session_id="m").code == "OK"


def test_a_session_ends_after_24_hours_or_when_it_said() -> None:
    play = Play()
    expires = (START + timedelta(seconds=30)).isoformat()
    play.send("open_session", "m", session_id="m", own=(("expires_at", expires), ("channel", "mobile")))
    play.ledger.pass_time(29)
    assert play.send("bet", "b1", session_id="m").code == "OK"
    play.ledger.pass_time(1)
    assert play.send("bet", "b2", session_id="m").code == "SESSION_EXPIRED"
    assert play.send("bet", "b3").code == "OK"
    play.ledger.pass_time(24 * 3600)
    assert play.send("bet", "b4").code == "SESSION_EXPIRED"


def test_another_players_session_is_none() -> None:
    play = Play()
    play.send("open_player", "o-q", player_id="q")
    play.send("deposit", "d-q", player_id="q")
    assert play.send("bet", "b1", player_id="q", session_id="s").code == "SESSION_EXPIRED"


def test_closing_a_session_that_nobody_knows_is_ok() -> None:
    play = Play()
    assert play.send("close_session", "z1", session_id="never").code == "OK"
    assert play.send("close_session", "z2").code == "OK"
    assert play.send("bet", "b1").code == "SESSION_EXPIRED"


# ------------------------------------------------------------------------------------------------- fingerprints


@pytest.mark.parametrize(
    ("change", "conflict"),
    [
        ({"currency": "USD"}, "currency"),
        ({"amount": "2.00"}, "amount"),
        ({"game_id": "h"}, "game_id"),
        ({"round_id": "r2"}, "round_id"),
        ({"reference": "x"}, "reference"),
        ({"kind": "tip"}, "kind"),
        ({"own": (("jackpot_contribution", "0.20"), ("bonus_id", None))}, "jackpot_contribution"),
        ({"own": (("jackpot_contribution", "0.1"), ("bonus_id", "y"))}, "bonus_id"),
        ({"amount": "2.00", "game_id": "h"}, "amount"),
        ({"currency": "USD", "amount": "2.00"}, "currency"),
        ({"session_id": "other", "metadata": b"{}", "at_seconds": 5}, None),
        ({"own": (("jackpot_contribution", "0.1"), ("bonus_id", None))}, None),
        ({"amount": "1.0"}, None),
    ],
)
def test_a_conflict_names_the_first_field_that_differs(
    change: dict[str, object], conflict: str | None
) -> None:
    play = Play()
    own = (("jackpot_contribution", "0.10"), ("bonus_id", None))
    play.send("bet", "b1", own=own)
    answer = play.send("bet", "b1", **{"own": own, **change})
    assert answer.conflict == conflict
    assert answer.replayed is (conflict is None)
    assert (answer.wallet_transaction_id is None) is (conflict is not None)
    assert play.send("bet", "b1", own=own).replayed


@pytest.mark.parametrize(
    ("change", "conflict"),
    [
        ({"currency": "USD", "game_id": "h", "round_id": "r2"}, None),
        ({"amount": "1.0"}, None),
        ({"amount": "1.0", "currency": "EUR"}, None),
        ({"amount": "2.00"}, "amount"),
        ({"amount": None}, "amount"),
        ({"reference": "b2"}, "reference"),
    ],
)
def test_a_rollback_is_compared_without_what_belongs_to_its_bet(
    change: dict[str, object], conflict: str | None
) -> None:
    play = Play()
    play.send("bet", "b1")
    play.send("rollback", "c1", reference="b1", amount="1.00")
    assert play.send("rollback", "c1", **{"reference": "b1", "amount": "1.00", **change}).conflict == conflict


def test_a_repeat_within_one_batch_is_a_repeat() -> None:
    play = Play()
    first, second = play.batch(play.event("bet", "b1"), play.event("bet", "b1"))
    assert (first.replayed, second.replayed) == (False, True)
    assert first.wallet_transaction_id == second.wallet_transaction_id
    assert (first.sequence + 1, second.moved_minor) == (second.sequence, first.moved_minor)
    assert play.cash_of() == 9900
