"""Fills a database with so many transactions, by statements of its own: what a ledger holds after a long time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import asyncpg

#: Beside the one with the longest history, who has a tenth of all.
OTHER_PLAYERS = 20_000
_PIECE = 100_000
_AT_ONCE = 2


async def fill(owner_dsn: str, transactions: int, done: Callable[[int], None]) -> str:
    """Write them; ``done`` hears of each piece. Gives the size of the database in words."""
    sql = {file.stem: file.read_text("utf-8") for file in (Path(__file__).parent / "sql").glob("*.sql")}
    async with asyncpg.create_pool(
        owner_dsn, min_size=_AT_ONCE, max_size=_AT_ONCE, server_settings={"synchronous_commit": "off"}
    ) as pool:
        await pool.execute(sql["players"], OTHER_PLAYERS)
        room = asyncio.Semaphore(_AT_ONCE)

        async def piece(first: int) -> None:
            last = min(first + _PIECE, transactions) - 1
            async with room:
                for name in ("outcomes", "entries"):
                    await pool.execute(sql[name], first, last, OTHER_PLAYERS, transactions)
            done(last - first + 1)

        await asyncio.gather(*(piece(first) for first in range(0, transactions, _PIECE)))
        for name in ("rounds", "sessions", "settle"):
            await pool.execute(sql[name])
        return str(await pool.fetchval(sql["size"]))
