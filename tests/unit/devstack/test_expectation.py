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
        return self.expectation.balances()["t-p", "EUR"]

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


def test_every_event_ends_as_one_result_or_one_dead_letter() -> None:
    expectation = Expectation()
    for event in Traffic(3, 200).events(5_000):
        expectation.hear(event)
    expectation.finish()
    assert expectation.results + sum(expectation.letters.values()) == expectation.events
    assert min(expectation.balances().values()) >= 0
