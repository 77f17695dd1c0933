"""Where the layout lives: how the input is cut into lanes (implements `ports.LayoutStore`)."""

from __future__ import annotations

from typing import Any

from processor.errors import LedgerUnavailable, PostgresUnreachable
from processor.ports import Layout
from processor.postgres.connection import Timeouts
from processor.postgres.session import Session
from processor.postgres.statements import statements


class PostgresLayoutStore:
    """The stored layout, over a connection of its own. Raises `errors.PostgresUnreachable`, `errors.NotMigrated`."""

    def __init__(self, dsn: str, *, timeouts: Timeouts | None = None) -> None:
        self._session = Session(dsn, timeouts or Timeouts())
        self._sql = statements("layout")

    async def current(self) -> Layout | None:
        """The layout with the highest number, None before the first."""
        rows = await self._fetch("current")
        return Layout(*rows[0]) if rows else None

    async def create_first(self, layout: Layout) -> Layout:
        """Store the first layout and its lanes; whoever comes second gets the first one's."""
        await self._fetch(
            "create_first",
            layout.number,
            layout.topic,
            layout.topic_id,
            layout.partitions,
            layout.lanes,
            layout.shards,
        )
        stored = await self.current()
        assert stored is not None
        return stored

    async def close(self) -> None:
        """Let go of the connection."""
        await self._session.close()

    async def _fetch(self, statement: str, *arguments: Any) -> list[Any]:
        """Nothing works without a layout: what cannot be reached now is said, not waited for."""
        try:
            await self._session.ready()
            return await self._session.fetch(self._sql[statement], *arguments)
        except LedgerUnavailable as error:
            raise PostgresUnreachable(str(error)) from error
