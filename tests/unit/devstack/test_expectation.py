"""The naive wallet of the demo: what each kind of play does to a balance, worked out by hand."""

from __future__ import annotations

from random import Random

import pytest

from processor.devstack.traffic.event import Player, Table, TrafficEvent
from processor.devstack.traffic.expectation import Expectation
from processor.devstack.traffic.play import Traffic


class Desk:
    """Sends hand-made events of one player with 100.00 EUR to the expectation."""

    def __init__(self) -> None:
        self.table = Table(Random(1), "t")
        self.player = Player("t-p", "EUR")
        self.expectation = Expectation()
        self.hear("open_player", "operator", currency="EUR")
        self.hear("deposit", "cashier", currency="EUR", amount="100.00")
        self.hear("open_session", "operator", currency="EUR", session_id="s")

    def hear(self, type_: str, provider: str, **fields: object) -> TrafficEvent:
        event = self.table.event(self.player, type_, provider, type_, **fields)
        self.expectation.hear(event)
        return event

    def bet(self, transaction_id: str, amount: str, provider: str = "acme", **fields: object) -> TrafficEvent:
        place = {"currency": "EUR", "game_id": "g", "round_id": "r", "session_id": "s", **fields}
        return self.hear("bet", provider, transaction_id=transaction_id, amount=amount, **place)

    def win(self, reference: str, amount: str, provider: str = "acme", **fields: object) -> TrafficEvent:
        place = {"currency": "EUR", "game_id": "g", "round_id": "r", "session_id": "s", **fields}
        return self.hear("win", provider, reference=reference, amount=amount, **place)

    def rollback(self, reference: str, provider: str = "acme") -> TrafficEvent:
        return self.hear("rollback", provider, reference=reference)

    @property
    def balance_minor(self) -> int:
        return self.pool_minor("cash")

    def pool_minor(self, pool: str) -> int:
        """What a pool holds."""
        return self.expectation.balances()["t-p", "EUR", pool]

    def codes(self) -> dict[str, int]:
        """Codes beside the three OKs of opening."""
        codes = self.expectation.codes.copy()
        codes["OK"] -= 3
        return {code: count for code, count in codes.items() if count}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_bet_takes_and_a_win_pays(desk: Desk) -> None:
    desk.bet("b", "10.00")
    desk.win("b", "2.50")
    assert desk.balance_minor == 92_50
    assert desk.codes() == {"OK": 2}


def test_the_same_bytes_again_move_nothing(desk: Desk) -> None:
    desk.expectation.hear(desk.bet("b", "10.00"))
    assert desk.balance_minor == 90_00
    assert desk.expectation.replayed == 1


def test_another_amount_under_a_known_id_is_a_conflict(desk: Desk) -> None:
    desk.bet("b", "10.00")
    desk.bet("b", "11.00")
    assert desk.balance_minor == 90_00
    assert desk.codes() == {"OK": 1, "CONFLICT": 1}


def test_a_rollback_gives_back_once(desk: Desk) -> None:
    desk.bet("b", "10.00")
    desk.rollback("b")
    desk.rollback("b")
    assert desk.balance_minor == 100_00
    assert desk.codes() == {"OK": 2, "ALREADY_ROLLED_BACK": 1}


@pytest.mark.parametrize(("provider", "answer"), [("acme", "OK"), ("norse", "BET_NOT_FOUND")])
def test_a_bet_after_its_rollback_takes_nothing(desk: Desk, provider: str, answer: str) -> None:
    desk.rollback("b", provider)
    desk.bet("b", "10.00", provider)
    assert desk.balance_minor == 100_00
    assert desk.codes() == {answer: 1, "ROLLED_BACK": 1}


def test_a_win_before_its_bet_waits_and_what_follows_queues_behind_it(desk: Desk) -> None:
    desk.win("b", "50.00")
    desk.bet("all", "140.00")
    assert desk.balance_minor == 100_00
    desk.bet("b", "10.00")
    assert desk.balance_minor == 0, "100 − 10 + 50 − 140: the bet, the win, then the one that queued"
    assert desk.codes() == {"OK": 3}


def test_a_waiting_win_does_not_hold_up_the_cashier_nor_another_provider(desk: Desk) -> None:
    desk.win("b", "50.00")
    desk.hear("deposit", "cashier", currency="EUR", amount="1.00")
    desk.bet("n", "2.00", "norse")
    assert desk.balance_minor == 99_00


def test_a_win_whose_bet_never_comes_is_refused_in_the_end(desk: Desk) -> None:
    desk.win("never", "50.00")
    desk.bet("b", "10.00")
    desk.expectation.finish()
    assert desk.balance_minor == 90_00
    assert desk.codes() == {"OK": 1, "BET_NOT_FOUND": 1}


def test_one_win_per_bet_where_the_provider_settles_so(desk: Desk) -> None:
    desk.bet("b", "10.00", "norse")
    desk.win("b", "1.00", "norse")
    desk.win("b", "1.00", "norse")
    assert desk.balance_minor == 91_00
    assert desk.codes() == {"OK": 2, "ALREADY_SETTLED": 1}


def test_a_bet_comes_back_in_parts_and_no_further(desk: Desk) -> None:
    desk.bet("b", "10.00")
    for amount in ("4.00", "6.00", "0.01"):
        desk.hear("refund", "acme", reference="b", amount=amount)
    desk.rollback("b")
    assert desk.balance_minor == 100_00
    assert desk.codes() == {"OK": 3, "REFUND_EXCEEDS_BET": 1, "ALREADY_SETTLED": 1}


def test_a_win_is_taken_back_as_far_as_there_is_money_where_its_provider_may(desk: Desk) -> None:
    for provider in ("acme", "norse"):
        desk.bet("b", "100.00" if provider == "acme" else "1.00", provider)
        desk.hear("win", provider, transaction_id="w", reference="b", amount="30.00", round_id="r")
        if provider == "acme":
            desk.hear("withdraw", "cashier", currency="EUR", amount="20.00")
        desk.hear("reverse_win", provider, reference="w")
        if provider == "acme":
            assert desk.balance_minor == 0
            desk.hear("reverse_win", provider, reference="w")
            desk.hear("deposit", "cashier", currency="EUR", amount="1.00")
    assert desk.balance_minor == 30_00
    assert desk.codes() == {"OK": 7, "ALREADY_ROLLED_BACK": 1, "NOT_ROLLBACKABLE": 1}


def test_an_adjustment_gives_and_takes_what_is_there(desk: Desk) -> None:
    for provider, amount in (("norse", "5.00"), ("norse", "-200.00"), ("acme", "-200.00")):
        desk.hear("adjust", provider, currency="EUR", amount=amount)
    assert desk.balance_minor == 0
    assert desk.codes() == {"OK": 2, "INSUFFICIENT_FUNDS": 1}


def test_a_bet_and_its_win_in_one_are_settled(desk: Desk) -> None:
    place = {"currency": "EUR", "round_id": "r", "session_id": "s"}
    desk.hear("bet_win", "acme", transaction_id="x", bet_amount="10.00", win_amount="3.00", **place)
    desk.hear("bet_win", "acme", bet_amount="93.01", win_amount="1000.00", **place)
    desk.rollback("x")
    assert desk.balance_minor == 93_00
    assert desk.codes() == {"OK": 1, "INSUFFICIENT_FUNDS": 1, "ALREADY_SETTLED": 1}


def test_a_batch_is_taken_whole_or_not(desk: Desk) -> None:
    def action(type_: str, name: str, amount: str, **fields: str) -> dict[str, str]:
        return {"type": type_, "transaction_id": name, "amount": amount, **fields}

    place = {"currency": "EUR", "round_id": "r", "session_id": "s"}
    desk.hear("batch", "acme", actions=[action("bet", "b1", "60.00"), action("bet", "b2", "40.01")], **place)
    desk.win("b1", "5.00")
    actions = [action("bet", "b3", "60.00"), action("win", "w1", "1.00", reference="b3")]
    desk.hear("batch", "acme", actions=actions, round_closed=True, **place)
    desk.bet("b4", "1.00")
    assert desk.balance_minor == 41_00
    assert desk.codes() == {"INSUFFICIENT_FUNDS": 1, "BET_NOT_FOUND": 1, "OK": 1, "ROUND_CLOSED": 1}


def test_play_with_a_game_wallet_leaves_the_cash_alone(desk: Desk) -> None:
    def transfer(type_: str, amount: str, **fields: str) -> None:
        desk.hear(type_, "live", currency="EUR", amount=amount, **fields)

    transfer("transfer_in", "100.01")
    transfer("transfer_in", "60.00")
    desk.bet("b", "20.00", "live")
    desk.win("b", "5.00", "live")
    assert desk.balance_minor == 40_00
    transfer("transfer_out", "all", reported_balance="46.00")
    transfer("transfer_out", "45.01")
    transfer("transfer_out", "5.00", reported_balance="45.00")
    transfer("transfer_out", "all")
    assert desk.balance_minor == 85_00
    assert desk.codes() == {"INSUFFICIENT_FUNDS": 2, "OK": 5, "DISCREPANCY": 1}


def test_a_limit_is_lowered_at_once_and_raised_later(desk: Desk) -> None:
    for limit in ("10.00", "5.00", "50.00"):
        desk.hear("set_limit", "operator", limit="single_bet", currency="EUR", amount=limit)
    desk.bet("b1", "5.00")
    desk.bet("b2", "5.01")
    assert desk.balance_minor == 95_00
    assert desk.codes() == {"OK": 4, "LIMIT_EXCEEDED": 1}


def test_no_deposit_keeps_the_limit_on_deposits(desk: Desk) -> None:
    for amount in ("10.00", "1.00"):
        desk.hear("deposit", "cashier", currency="EUR", amount=amount)
        desk.hear("set_limit", "operator", limit="deposit", period="day", currency="EUR", amount="0.90")
    assert desk.balance_minor == 110_00
    assert desk.codes() == {"OK": 3, "LIMIT_EXCEEDED": 1}


def test_a_blocked_player_stakes_nothing_and_is_paid(desk: Desk) -> None:
    desk.bet("b", "10.00")
    desk.hear("block_player", "operator")
    desk.bet("b2", "1.00")
    desk.hear("deposit", "cashier", currency="EUR", amount="1.00")
    desk.win("b", "2.00")
    desk.hear("unblock_player", "operator")
    desk.bet("b3", "1.00")
    assert desk.balance_minor == 91_00
    assert desk.codes() == {"OK": 5, "PLAYER_BLOCKED": 2}


def test_a_bonus_pays_what_cash_does_not_and_gets_back_its_part(desk: Desk) -> None:
    desk.hear("grant_bonus", "cashier", currency="EUR", amount="60.00", bonus_id="g")
    desk.bet("b1", "150.00")
    assert (desk.balance_minor, desk.pool_minor("bonus")) == (0, 10_00)
    desk.win("b1", "7.00")
    assert desk.balance_minor == 7_00, "cash paid most of the bet"
    desk.bet("b2", "15.00")
    desk.hear("refund", "acme", reference="b2", amount="5.00")
    assert (desk.balance_minor, desk.pool_minor("bonus")) == (2_34, 4_66), (
        "7 of 15 back to cash, and the rest"
    )
    desk.bet("b3", "7.00")
    desk.win("b3", "1.00")
    assert (desk.balance_minor, desk.pool_minor("bonus")) == (0, 1_00), "the bonus paid most of the bet"
    desk.rollback("b3")
    desk.bet("b4", "1.01")
    assert (desk.balance_minor, desk.pool_minor("bonus")) == (0, 1_00)
    assert desk.codes() == {"OK": 7, "ALREADY_SETTLED": 1, "INSUFFICIENT_FUNDS": 1}


def test_a_bonus_is_released_once_nothing_is_left_to_stake_and_taken_back_at_any_time(desk: Desk) -> None:
    def told(type_: str, bonus_id: str, amount: str, **fields: str) -> None:
        desk.hear(type_, "cashier", currency="EUR", amount=amount, bonus_id=bonus_id, **fields)

    told("grant_bonus", "free", "10.00")
    told("grant_bonus", "bound", "20.00", wagering_requirement="1000000.00")
    told("release_bonus", "bound", "1.00")
    told("release_bonus", "unknown", "1.00")
    told("release_bonus", "free", "30.01")
    told("release_bonus", "free", "4.00")
    assert (desk.balance_minor, desk.pool_minor("bonus")) == (104_00, 26_00)
    told("expire_bonus", "bound", "20.00")
    told("release_bonus", "free", "6.00")
    told("release_bonus", "free", "0.00")
    assert (desk.balance_minor, desk.pool_minor("bonus")) == (110_00, 0)
    assert desk.codes() == {"OK": 5, "INSUFFICIENT_FUNDS": 4}


def test_play_abroad_is_rounded_in_the_players_favour(desk: Desk) -> None:
    desk.bet("b", "10.01", "abroad", currency="USD")
    assert desk.balance_minor == 100_00 - 9_14, "9.146137 EUR, rounded down"
    desk.win("b", "1.00", "abroad", currency="USD")
    assert desk.balance_minor == 90_86 + 92, "0.9137 EUR, rounded up"
    desk.bet("b2", "0.01", "abroad", currency="USD")
    assert desk.balance_minor == 91_77, "a stake never costs nothing"
    desk.rollback("b2", "abroad")
    desk.bet("b3", "1.00", "norse", currency="USD")
    assert desk.balance_minor == 91_78
    assert desk.codes() == {"OK": 4, "WRONG_CURRENCY": 1}


def test_every_event_ends_as_one_result_or_one_dead_letter() -> None:
    expectation = Expectation()
    for event in Traffic(3, 200).events(5_000):
        expectation.hear(event)
    expectation.finish()
    assert expectation.results + sum(expectation.letters.values()) == expectation.events
    assert min(expectation.balances().values()) >= 0
