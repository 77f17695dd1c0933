"""Pieces of play in which a player is held back: by a limit that he sets, by a block."""

from __future__ import annotations

from collections.abc import Iterator

from processor.devstack.traffic.event import Player, Table, TrafficEvent
from processor.devstack.traffic.seat import Seat


def limit_single_bets(table: Table, player: Player) -> Iterator[TrafficEvent]:
    """A limit on each bet, lowered at once, or raised, which waits for a day; and a bet that is above it."""
    seat = Seat(table, player)
    fields = {"limit": "single_bet", "currency": player.currency, "amount": seat.amount(12, 25)}
    yield table.event(player, "set_limit", "operator", "limit", **fields)
    yield seat.bet("bet above the limit", amount=seat.amount(26, 40))


def be_blocked(table: Table, player: Player) -> Iterator[TrafficEvent]:
    """A block, a bet and a deposit that it refuses, and its end."""
    yield table.event(player, "block_player", "operator", "block", reason="a question is open")
    yield Seat(table, player).bet("bet of a blocked player")
    yield table.event(
        player, "deposit", "cashier", "deposit of a blocked player",
        currency=player.currency, amount=Seat(table, player).amount(1, 5),
    )  # fmt: skip
    yield table.event(player, "unblock_player", "operator", "unblock")
