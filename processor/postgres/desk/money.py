"""A player's money: balances by pool, and the bonuses that he has."""

from __future__ import annotations

from typing import NamedTuple

from processor.domain.state import Bonus
from processor.postgres.desk.desk import Desk
from processor.postgres.read_rows import bonuses_of

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


async def bonuses(desk: Desk, player_id: str) -> tuple[Bonus, ...]:
    """The bonuses of a player, oldest first; none where the player is not known."""
    player = await desk.one(_FILE, "player", player_id)
    row = None if player is None else await desk.one(_FILE, "bonuses", player["number"])
    return () if row is None or row["bonuses"] is None else bonuses_of(row["bonuses"])
