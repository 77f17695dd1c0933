"""Pieces of play in a currency that the player has no wallet in: converted at every step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from processor.devstack.traffic.event import Player, Table, TrafficEvent
from processor.devstack.traffic.seat import Seat, id_of

_PROVIDER: Final = "abroad"


def play_abroad(table: Table, player: Player) -> Iterator[TrafficEvent]:
    """A bet and mostly its win, or its rollback; sometimes a bet beyond all funds."""
    seat = Seat(table, player, _PROVIDER)
    bet = seat.bet("bet in a foreign currency")
    yield bet
    if table.random.random() < 0.8:
        yield seat.win(id_of(bet), "win in a foreign currency", round_closed=table.random.random() < 0.5)
    else:
        yield seat.rollback(id_of(bet), "rollback in a foreign currency")
    if table.random.random() < 0.1:
        yield Seat(table, player, _PROVIDER).bet(
            "bet beyond funds in a foreign currency", amount=seat.amount(10**7, 10**8)
        )
