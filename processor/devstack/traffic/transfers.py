"""Pieces of play with a provider that has a wallet of its own: money in, play, money out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from processor.devstack.traffic.event import Player, Table, TrafficEvent
from processor.devstack.traffic.seat import Seat, id_of

_PROVIDER: Final = "live"


def visit_live_game(table: Table, player: Player) -> Iterator[TrafficEvent]:
    """Money in, a round or two, all of it out again; sometimes the provider tells another balance first."""
    seat = Seat(table, player, _PROVIDER)
    yield _transfer(seat, "transfer_in", "transfer in", seat.amount(5, 60))
    for _ in range(table.random.randint(0, 2)):
        bet = seat.bet("bet in a live game")
        yield bet
        yield seat.win(id_of(bet), "win in a live game")
    if table.random.random() < 0.2:
        reported = seat.amount(10**6, 10**7)
        yield _transfer(
            seat, "transfer_out", "transfer out of a balance that is not", "all", reported_balance=reported
        )
    if table.random.random() < 0.2:
        yield _transfer(seat, "transfer_out", "transfer out of too much", seat.amount(10**6, 10**7))
    if table.random.random() < 0.8:
        yield _transfer(seat, "transfer_out", "transfer out", "all")


def _transfer(seat: Seat, type_: str, what: str, amount: str, **fields: Any) -> TrafficEvent:
    fields |= {"currency": seat.player.currency, "amount": amount}
    return seat.table.event(seat.player, type_, seat.provider, what, **fields)
