"""One owned connection: opened when first needed, opened again after a loss, its errors translated."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg

from processor.errors import CommitUnknown, LedgerUnavailable, PostgresUnreachable
from processor.postgres.connection import (
    SCHEMA,
    Connection,
    Timeouts,
    connect,
    lane_settings,
    require_schema,
)
from processor.postgres.faults import ASYNCPG_ERRORS, translate
from processor.postgres.statements import statements

#: How long beyond the server's own limit we wait for an answer before the connection counts as lost.
_GRACE_SECONDS = 5.0


class Session:
    """A lane's connection. Used by one task at a time; every failure leaves it fit for use or closed."""

    def __init__(self, dsn: str, timeouts: Timeouts) -> None:
        self._dsn = dsn
        self._timeouts = timeouts
        self._connection: Connection | None = None

    async def ready(self) -> None:
        """Open the connection where there is none. Raises `errors.LedgerUnavailable`, `errors.NotMigrated`."""
        if self._connection is not None and not self._connection.is_closed():
            return
        try:
            connection = await connect(
                self._dsn,
                lane_settings(self._timeouts),
                connect_seconds=self._timeouts.connect_seconds,
                command_seconds=self._timeouts.statement_seconds + _GRACE_SECONDS,
            )
        except PostgresUnreachable as error:
            raise LedgerUnavailable(str(error)) from error
        try:
            await require_schema(connection)
            await connection.execute(statements("lane")["make_partitions"])
        except ASYNCPG_ERRORS as error:
            connection.terminate()
            raise translate(error) from error
        except BaseException:
            connection.terminate()
            raise
        self._connection = connection

    async def fetch(self, sql: str, *arguments: Any) -> list[asyncpg.Record]:
        """All rows of a statement."""
        try:
            return await self._open().fetch(sql, *arguments)
        except ASYNCPG_ERRORS as error:
            raise self._failed(error) from error
        except BaseException:
            self.drop()
            raise

    async def fetch_each(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """One statement for each row, sent together."""
        try:
            await self._open().executemany(sql, rows)
        except ASYNCPG_ERRORS as error:
            raise self._failed(error) from error
        except BaseException:
            self.drop()
            raise

    async def copy(self, table: str, columns: Sequence[str], text: bytes) -> None:
        """Rows into a table, in COPY's text form, with nothing for NULL."""
        try:
            await self._open().copy_to_table(
                table, source=_once(text), columns=columns, schema_name=SCHEMA, format="text", null=""
            )
        except ASYNCPG_ERRORS as error:
            raise self._failed(error) from error
        except BaseException:
            self.drop()
            raise

    async def execute(self, sql: str) -> str:
        """A statement without arguments; its command tag."""
        try:
            return await self._open().execute(sql)
        except ASYNCPG_ERRORS as error:
            raise self._failed(error) from error
        except BaseException:
            self.drop()
            raise

    async def commit(self) -> None:
        """COMMIT. Raises `errors.CommitUnknown` whenever the server did not say that it did, or did not."""
        try:
            said = await self._open().execute("COMMIT")
        except ASYNCPG_ERRORS as error:
            self.drop()
            raise CommitUnknown(f"the answer to COMMIT was lost ({error}): ask the lane's row") from error
        except BaseException:
            self.drop()
            raise
        if said != "COMMIT":
            raise LedgerUnavailable(f"Postgres answered {said} to COMMIT: the transaction had failed before")

    async def roll_back(self) -> None:
        """End a transaction that is not to be; a connection that will not is dropped. Never raises for its own sake."""
        if self._connection is None or self._connection.is_closed():
            return
        try:
            await self._connection.execute("ROLLBACK")
        except ASYNCPG_ERRORS:
            self.drop()
        except BaseException:
            self.drop()
            raise

    def drop(self) -> None:
        """Let go of the connection at once; the server rolls back what was open."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        """Say good-bye, or drop where that is not heard."""
        connection, self._connection = self._connection, None
        if connection is None or connection.is_closed():
            return
        try:
            await connection.close(timeout=self._timeouts.connect_seconds)
        except ASYNCPG_ERRORS:
            connection.terminate()

    def _open(self) -> Connection:
        if self._connection is None:
            raise LedgerUnavailable("the connection to Postgres was lost inside the transaction")
        return self._connection

    def _failed(self, error: BaseException) -> Exception:
        """A time-out leaves a connection in the middle of something; missing months are made at re-opening."""
        ours = translate(error)
        if isinstance(error, TimeoutError) or (
            isinstance(ours, LedgerUnavailable) and _months_are_missing(error)
        ):
            self.drop()
        return ours


async def _once(text: bytes) -> AsyncIterator[bytes]:
    yield text


def _months_are_missing(error: BaseException) -> bool:
    return isinstance(error, asyncpg.CheckViolationError)
