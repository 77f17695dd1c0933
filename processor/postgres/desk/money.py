"""A player's money: balances by pool."""

from __future__ import annotations

from typing import NamedTuple

from processor.postgres.desk.desk import Desk

_FILE = "desk_money"


class PoolBalance(NamedTuple):
    """One pool of a wallet; ``version`` counts its entries."""

    currency: str
    pool: str
    balance_minor: int
    version: int


async def balances(desk: Desk, player_id: str) -> list[PoolBalance] | None:
    """What a player has; None where the player is not known."""
    player = await desk.one(_FILE, "player", player_id)
    if player is None:
        return None
    rows = await desk.fetch(_FILE, "balances", player["number"])
    return [PoolBalance(currency, pool, int(balance), version) for currency, pool, balance, version in rows]
