"""Pieces of play that tell several things at once: a bet with its win, and batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from processor.devstack.traffic.event import Player, Table, TrafficEvent
from processor.devstack.traffic.seat import Seat


def play_at_once(table: Table, player: Player) -> Iterator[TrafficEvent]:
    """A bet and its win in one event; sometimes the bet is beyond all funds."""
    seat = Seat(table, player)
    stake = seat.amount(1, 20) if table.random.random() < 0.9 else seat.amount(10**7, 10**8)
    fields = {**seat.place(), "bet_amount": stake, "win_amount": seat.amount(0, 25), "round_closed": True}
    yield table.event(player, "bet_win", seat.provider, "bet and win", **fields)


def play_batch(table: Table, player: Player) -> Iterator[TrafficEvent]:
    """Bets and wins of one round, all or none; sometimes one of the bets is beyond all funds."""
    seat = Seat(table, player)
    bets = [_action(table, "bet", seat.amount(1, 10)) for _ in range(table.random.randint(1, 3))]
    wins = [
        _action(table, "win", seat.amount(0, 15), reference=bet["transaction_id"])
        for bet in bets
        if table.random.random() < 0.5
    ]
    if table.random.random() < 0.1:
        bets.append(_action(table, "bet", seat.amount(10**7, 10**8)))
    closes = table.random.random() < 0.5
    yield table.event(
        player, "batch", seat.provider, "batch", **seat.place(), actions=[*bets, *wins], round_closed=closes
    )
    if closes:
        yield seat.bet("bet into a closed round")


def _action(table: Table, type_: str, amount: str, **fields: str) -> dict[str, Any]:
    return {"type": type_, "transaction_id": table.new_id(type_[0]), "amount": amount, **fields}
