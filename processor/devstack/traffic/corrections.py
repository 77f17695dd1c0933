"""Pieces of play in which something is given back or put right: refunds, reversed wins, adjustments."""

from __future__ import annotations

from collections.abc import Iterator

from processor.devstack.traffic.event import Player, Table, TrafficEvent
from processor.devstack.traffic.seat import Seat, id_of


def refund_in_parts(table: Table, player: Player) -> Iterator[TrafficEvent]:
    """A bet that comes back in two parts; sometimes a third, which is too much, or a rollback, which is too late."""
    seat = Seat(table, player)
    bet = seat.bet(amount=seat.amount(10, 20))
    yield bet
    for amount in [seat.amount(1, 5) for _ in range(2)]:
        yield about(seat, "refund", bet, "refund", amount=amount)
    if table.random.random() < 0.3:
        yield about(seat, "refund", bet, "refund of too much", amount=seat.amount(21, 30))
    if table.random.random() < 0.3:
        yield seat.rollback(id_of(bet), "rollback after a refund")


def refund_too_late(table: Table, player: Player) -> Iterator[TrafficEvent]:
    """A refund of a bet that is settled, and of one that was cancelled."""
    seat = Seat(table, player)
    settled = seat.bet()
    yield settled
    yield seat.win(id_of(settled))
    yield about(seat, "refund", settled, "refund after the win", amount=seat.amount(1, 1))
    cancelled = seat.bet()
    yield cancelled
    yield seat.rollback(id_of(cancelled))
    yield about(seat, "refund", cancelled, "refund after the rollback", amount=seat.amount(1, 1))


def take_a_win_back(table: Table, player: Player) -> Iterator[TrafficEvent]:
    """A win that is reversed, where its provider may; sometimes twice."""
    seat = Seat(table, player)
    bet = seat.bet()
    yield bet
    win = seat.win(id_of(bet), amount=seat.amount(1, 30))
    yield win
    yield about(seat, "reverse_win", win, "reversal of a win", reason="the game was broken")
    if table.random.random() < 0.3:
        yield about(seat, "reverse_win", win, "second reversal", reason="the game was broken")


def put_right(table: Table, player: Player) -> Iterator[TrafficEvent]:
    """A correction some time after, in the player's favour or not; a large one may find too little money."""
    seat = Seat(table, player)
    against = table.random.random() < 0.5
    amount = seat.amount(1, 900) if against else seat.amount(1, 10)
    fields = {
        "currency": player.currency,
        "amount": f"-{amount}" if against else amount,
        "reason": "late count",
    }
    yield table.event(player, "adjust", seat.provider, "adjustment", **fields)


def about(seat: Seat, type_: str, original: TrafficEvent, what: str, **fields: str) -> TrafficEvent:
    """An event that names an earlier one."""
    return seat.table.event(seat.player, type_, seat.provider, what, reference=id_of(original), **fields)
