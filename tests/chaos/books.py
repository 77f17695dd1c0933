"""A look into the ledger from outside: how far lanes have come, what the players have. A fresh connection each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

_SQL = Path(__file__).parent / "sql"


@dataclass(frozen=True)
class LaneState:
    """One lane's row, and the batch numbers that its journal holds."""

    layout: int
    lane: int
    epoch: int
    owner: str | None
    applied_seq: int
    published_seq: int
    next_offsets: dict[int, int]
    stopped_reason: str | None
    journal: tuple[int, ...]

    def faults(self) -> list[str]:
        """Where the row breaks the invariant: published ≤ applied, the journal all batches in between."""
        expected = tuple(range(self.published_seq + 1, self.applied_seq + 1))
        faults = []
        if self.journal != expected:
            faults.append(f"lane {self.lane}: the journal holds {self.journal}, the row says {expected}")
        if len(expected) > 3:
            faults.append(
                f"lane {self.lane} ran ahead: published {self.published_seq}, applied {self.applied_seq}"
            )
        return faults


class Books:
    """The ledger of one installation, read with the owner's rights."""

    def __init__(self, owner_dsn: str) -> None:
        self._dsn = owner_dsn

    async def lanes(self) -> list[LaneState]:
        """All lanes of the layout."""
        return [
            LaneState(
                row["layout"],
                row["lane"],
                row["epoch"],
                row["owner"],
                row["applied_seq"],
                row["published_seq"],
                dict(zip(row["partitions"], row["next_offsets"], strict=True)),
                row["stopped_reason"],
                tuple(row["journal"]),
            )
            for row in await self.rows("lanes")
        ]

    async def suspects(self) -> dict[tuple[int, int], int]:
        """How often a worker died over an event (partition, offset) that it had marked."""
        rows = await self.rows("suspects")
        return {(row["event_partition"], row["event_offset"]): int(row["deaths"]) for row in rows}

    async def parked(self) -> int:
        """How many events wait now."""
        ((count,),) = await self.rows("parked")
        return int(count)

    async def balances(self) -> dict[tuple[str, str, str], int]:
        """(player, currency, pool) to minor units."""
        rows = await self.rows("balances")
        return {(row["player_id"], row["currency"], row["pool"]): int(row["balance_minor"]) for row in rows}

    async def left_over(self) -> dict[str, int]:
        """Currencies in which players and house together have more or less than nothing."""
        return {
            row["currency"]: int(row["left_over"]) for row in await self.rows("money") if row["left_over"]
        }

    async def rows(self, name: str, *arguments: Any) -> Sequence[asyncpg.Record]:
        """The rows of one statement of the folder sql."""
        connection = await asyncpg.connect(self._dsn, timeout=60)
        try:
            return await connection.fetch(statement(name), *arguments)
        finally:
            await connection.close()


def statement(name: str) -> str:
    """One statement of the folder sql."""
    return (_SQL / f"{name}.sql").read_text()
