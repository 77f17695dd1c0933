"""Pieces of play with a bonus: granted, played away beside cash, turned into cash or taken back."""

from __future__ import annotations

from collections.abc import Iterator

from processor.devstack.traffic.corrections import about
from processor.devstack.traffic.event import Player, Table, TrafficEvent
from processor.devstack.traffic.seat import Seat, id_of


def play_with_a_bonus(table: Table, player: Player) -> Iterator[TrafficEvent]:
    """A bonus that is the player's at once, or one that no play ever wagers; stakes so large that cash and bonus pay
    them together; at the end some of it released, the rest taken back."""
    fields = {"currency": player.currency, "bonus_id": table.new_id("g")}
    seat = Seat(table, player)
    asked = {"wagering_requirement": seat.amount(10**7, 10**8)} if table.random.random() < 0.4 else {}
    yield table.event(
        player, "grant_bonus", "cashier", "bonus granted", amount=seat.amount(50, 400), **fields, **asked
    )
    for _ in range(table.random.randint(1, 3)):
        yield from _play_high(Seat(table, player))
    for lowest, highest in ((1, 100), (50, 600)):
        if table.random.random() < 0.5:
            amount = seat.amount(lowest, highest)
            yield table.event(player, "release_bonus", "cashier", "bonus released", amount=amount, **fields)
    amount = seat.amount(1, 500)
    yield table.event(player, "expire_bonus", "cashier", "bonus taken back", amount=amount, **fields)


def _play_high(seat: Seat) -> Iterator[TrafficEvent]:
    """A large stake, and its win, its rollback, or a part of it that is given back."""
    bet = seat.bet("bet with a bonus", amount=seat.amount(50, 600))
    yield bet
    how = seat.table.random.random()
    if how < 0.5:
        yield seat.win(id_of(bet), "win of a bet with a bonus", amount=seat.amount(0, 400))
    elif how < 0.7:
        yield seat.rollback(id_of(bet), "rollback of a bet with a bonus")
    else:
        for _ in range(2):
            amount = seat.amount(1, 50)
            yield about(seat, "refund", bet, "refund of a bet with a bonus", amount=amount)
