"""A look into the ledger for the demonstration: what is parked, and what the players have."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import asyncpg

_SQL = Path(__file__).parent / "sql"


class DemoBooks:
    """One connection with the owner's rights, which only reads."""

    def __init__(self, connection: asyncpg.Connection[Any]) -> None:
        self._connection = connection
        self._parked_sql = (_SQL / "demo_parked.sql").read_text()

    @classmethod
    async def open(cls, owner_dsn: str) -> Self:
        settings = {"search_path": "croupier", "default_transaction_read_only": "on"}
        return cls(await asyncpg.connect(owner_dsn, timeout=10, server_settings=settings))

    async def close(self) -> None:
        await self._connection.close()

    async def parked(self) -> int:
        """How many events wait now."""
        return int(await self._connection.fetchval(self._parked_sql))

    async def balances(self, run: str) -> dict[tuple[str, str, str], int]:
        """(player, currency, pool) to minor units, of this run's players."""
        rows = await self._connection.fetch((_SQL / "demo_balances.sql").read_text(), f"{run}-")
        return {(row["player_id"], row["currency"], row["pool"]): int(row["balance_minor"]) for row in rows}
