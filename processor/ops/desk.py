"""Opening the operators' desk with the settings' DSN, and what commands know of currencies and time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from processor.errors import CroupierError
from processor.ops.money import Amounts
from processor.ports import Layout
from processor.postgres.connection import Timeouts
from processor.postgres.desk.desk import Desk
from processor.postgres.desk.desk import open_desk as open_desk_at
from processor.postgres.layout_store import PostgresLayoutStore
from processor.postgres.reference import reference_of
from processor.settings import Settings

#: For statements that touch every row of a table, such as all players when partitions are multiplied.
_PATIENCE_SECONDS = 3600.0


class NotFound(CroupierError):
    """What the command names is not there."""


@asynccontextmanager
async def open_desk(
    settings: Settings, *, replica: bool = False, owner: bool = False, patient: bool = False
) -> AsyncIterator[Desk]:
    """The desk of this installation.

    ``replica`` prefers the replica, for what only reads; ``owner`` has the owner's rights, for what no worker may do;
    ``patient`` lets a statement touch every row of a table.
    """
    dsn = settings.postgres_dsn
    if replica and settings.postgres_replica_dsn is not None:
        dsn = settings.postgres_replica_dsn
    if owner and settings.postgres_migrator_dsn is not None:
        dsn = settings.postgres_migrator_dsn
    timeouts = (
        Timeouts(statement_seconds=_PATIENCE_SECONDS, idle_in_transaction_seconds=_PATIENCE_SECONDS)
        if patient
        else None
    )
    async with open_desk_at(dsn.get_secret_value(), timeouts=timeouts) as desk:
        yield desk


async def amounts_of(desk: Desk) -> Amounts:
    """How amounts are written here: built-in and configured currencies."""
    return Amounts(reference_of(await desk.fetch("reference", "read")).currencies)


def as_utc(time: datetime | None) -> datetime | None:
    """A time of the command line, which has no zone, as UTC."""
    return None if time is None else time.replace(tzinfo=UTC)


def time_text(time: datetime | None) -> str | None:
    """RFC 3339 with microseconds."""
    return None if time is None else time.isoformat(timespec="microseconds").replace("+00:00", "Z")


async def stored_layout(settings: Settings) -> Layout | None:
    """The lane layout that the database holds, None before the first worker."""
    store = PostgresLayoutStore(settings.postgres_dsn.get_secret_value())
    try:
        return await store.current()
    finally:
        await store.close()
