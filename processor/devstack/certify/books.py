"""The books behind a case: a look at its players' entries when it is over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg

from processor.errors import PostgresUnreachable

_FAULTS_FILE = Path(__file__).parent.parent / "sql" / "certify_faults.sql"


class Books:
    """One connection to the installation's database, with the rights of its owner."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._faults_sql = _FAULTS_FILE.read_text()
        self._pool: asyncpg.Pool[Any] | None = None

    async def __aenter__(self) -> Books:
        try:
            self._pool = await asyncpg.create_pool(
                self._dsn, min_size=1, max_size=2, server_settings={"search_path": "croupier"}
            )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise PostgresUnreachable(f"Postgres does not answer: {error}") from error
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._pool is not None:
            await self._pool.close()

    async def faults(self, players: Sequence[str]) -> list[str]:
        """Where these players' entries do not sum to zero, or balances differ from the sums of their entries."""
        if self._pool is None:
            raise RuntimeError("the books have not been opened")
        rows = await self._pool.fetch(self._faults_sql, list(players))
        return [str(row["fault"]) for row in rows]
