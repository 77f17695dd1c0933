"""Pieces of play in which a player is held back: by a limit that he sets, by a block.

What a limit over a period has left depends on the clock, and what the traffic expects must not hang on midnight: so the
only one of them is below every deposit that comes after it.
"""

from __future__ import annotations

from collections.abc import Iterator

from processor.devstack.traffic.event import LOWEST_DEPOSIT, Player, Table, TrafficEvent
from processor.devstack.traffic.seat import Seat


def limit_single_bets(table: Table, player: Player) -> Iterator[TrafficEvent]:
    """A limit on each bet, lowered at once, or raised, which waits for a day; and a bet that is above it."""
    seat = Seat(table, player)
    fields = {"limit": "single_bet", "currency": player.currency, "amount": seat.amount(12, 25)}
    yield table.event(player, "set_limit", "operator", "limit", **fields)
    yield seat.bet("bet above the limit", amount=seat.amount(26, 40))


def limit_deposits(table: Table, player: Player) -> Iterator[TrafficEvent]:
    """A limit on the deposits of a period that no later deposit keeps."""
    fields = {"currency": player.currency}
    period = table.random.choice(("day", "week", "month"))
    amount = Seat(table, player).amount(1, LOWEST_DEPOSIT - 1)
    yield table.event(
        player,
        "set_limit",
        "operator",
        "limit on deposits",
        limit="deposit",
        period=period,
        amount=amount,
        **fields,
    )
    amount = Seat(table, player).amount(LOWEST_DEPOSIT, 100)
    yield table.event(player, "deposit", "cashier", "deposit above the limit", amount=amount, **fields)


def be_blocked(table: Table, player: Player) -> Iterator[TrafficEvent]:
    """A block, a bet and a deposit that it refuses, and its end."""
    yield table.event(player, "block_player", "operator", "block", reason="a question is open")
    yield Seat(table, player).bet("bet of a blocked player")
    yield table.event(
        player, "deposit", "cashier", "deposit of a blocked player",
        currency=player.currency, amount=Seat(table, player).amount(1, 5),
    )  # fmt: skip
    yield table.event(player, "unblock_player", "operator", "unblock")
