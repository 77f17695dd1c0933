"""A desk: one connection for one command, its errors in words for a person."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from processor.errors import BadEvent, NotMigrated, PostgresUnreachable, WrongUsage
from processor.postgres.connection import Connection, Timeouts, connect, require_schema, session_settings
from processor.postgres.faults import ASYNCPG_ERRORS, translate
from processor.postgres.statements import statements

#: Rows that a stream fetches at a time.
_STREAM_ROWS = 5000


class Desk:
    """Runs named statements of one ``sql/desk_*.sql`` file after the other; made by `open_desk`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def fetch(self, file: str, statement: str, *arguments: Any) -> list[Any]:
        """All rows of a statement. Raises `errors.PostgresUnreachable`, `errors.NotMigrated`, `errors.WrongUsage`
        (a value that no row can have, such as a NUL character)."""
        try:
            rows: list[Any] = await self._connection.fetch(statements(file)[statement], *arguments)
        except ASYNCPG_ERRORS as error:
            raise for_a_person(error) from error
        return rows

    async def one(self, file: str, statement: str, *arguments: Any) -> Any | None:
        """The only row of a statement, None where there is none."""
        rows = await self.fetch(file, statement, *arguments)
        return rows[0] if rows else None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """All statements of the block, or none of them."""
        try:
            async with self._connection.transaction():
                yield
        except ASYNCPG_ERRORS as error:
            raise for_a_person(error) from error

    async def stream(self, file: str, statement: str, *arguments: Any) -> AsyncIterator[Any]:
        """The rows of a statement one by one, all of one snapshot."""
        try:
            async with self._connection.transaction(isolation="repeatable_read", readonly=True):
                rows = self._connection.cursor(statements(file)[statement], *arguments, prefetch=_STREAM_ROWS)
                async for row in rows:
                    yield row
        except ASYNCPG_ERRORS as error:
            raise for_a_person(error) from error


def for_a_person(error: BaseException) -> Exception:
    """A failed statement as what the person at the command line can do about it."""
    ours = translate(error)
    if isinstance(ours, NotMigrated):
        return ours
    if isinstance(ours, BadEvent):
        return WrongUsage(f"Postgres cannot take a value of this command: {error}.")
    return PostgresUnreachable(f"Postgres did not answer the question: {error}.")


@asynccontextmanager
async def open_desk(dsn: str, *, timeouts: Timeouts | None = None) -> AsyncIterator[Desk]:
    """A desk on a migrated database. Raises `errors.PostgresUnreachable`, `errors.NotMigrated`."""
    bounds = timeouts or Timeouts()
    settings: Mapping[str, str] = session_settings(bounds)
    connection = await connect(dsn, dict(settings), connect_seconds=bounds.connect_seconds)
    try:
        await require_schema(connection)
        yield Desk(connection)
    finally:
        try:
            await connection.close(timeout=bounds.connect_seconds)
        except ASYNCPG_ERRORS:
            connection.terminate()
