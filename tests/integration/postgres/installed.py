"""A ledger installed for one test: a layout with lanes, and ledgers, connections and bookkeepers made as asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

import asyncpg

from processor.ports import Layout
from processor.postgres.connection import Connection, Timeouts
from processor.postgres.layout_store import PostgresLayoutStore
from processor.postgres.ledger import PostgresLedger
from tests.contract.ledger.bookkeeper import LANES, LAYOUT, PARTITIONS, SHARDS, Bookkeeper
from tests.installations import Database


@dataclass
class Installed:
    """One database with a layout; everything opened here is closed with it."""

    database: Database
    ledgers: list[PostgresLedger] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)

    def ledger(self, timeouts: Timeouts | None = None) -> PostgresLedger:
        """Another connection to the ledger, with the worker's rights."""
        self.ledgers.append(PostgresLedger(self.database.worker_dsn, shards=SHARDS, timeouts=timeouts))
        return self.ledgers[-1]

    async def keeper(self, lane: int = 0) -> Bookkeeper:
        """A lane's bookkeeper over a connection of its own."""
        return await Bookkeeper.of(self.ledger(), lane)

    async def owner(self) -> Connection:
        """A connection of the database's owner, who can do what nobody should."""
        return await self._connected(self.database.migrator_dsn)

    async def worker(self) -> Connection:
        """A plain connection with the worker's rights."""
        return await self._connected(self.database.worker_dsn)

    async def _connected(self, dsn: str) -> Connection:
        self.connections.append(await asyncpg.connect(dsn, server_settings={"search_path": "croupier"}))
        return self.connections[-1]

    async def close(self) -> None:
        """Close all that was opened."""
        for ledger in self.ledgers:
            await ledger.close()
        for connection in self.connections:
            await connection.close()
        self.ledgers.clear()
        self.connections.clear()


async def install(database: Database) -> Installed:
    """Store the layout that the bookkeeper knows."""
    store = PostgresLayoutStore(database.worker_dsn)
    await store.create_first(Layout(LAYOUT, "wallet.events", "topic-id", PARTITIONS, LANES, SHARDS))
    await store.close()
    return Installed(database)
