"""Opening connections: who asks, in which schema, for how long a statement, a lock or an idle transaction may last."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from processor.errors import LedgerUnavailable, NotMigrated, PostgresUnreachable
from processor.postgres.faults import ASYNCPG_ERRORS, as_unreachable, translate
from processor.postgres.statements import statements

SCHEMA = "croupier"

#: The schema versions this program works with; wider than one while an upgrade runs old and new side by side.
OLDEST_SCHEMA, NEWEST_SCHEMA = 16, 16

Connection = asyncpg.Connection


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long things may last on the server before it gives up by itself, so that a hung client holds nothing."""

    statement_seconds: float = 15.0
    lock_seconds: float = 5.0
    idle_in_transaction_seconds: float = 15.0
    connect_seconds: float = 5.0


def _milliseconds(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))


def lane_settings(timeouts: Timeouts) -> dict[str, str]:
    """Session settings of a lane's connection.

    A lane repeats a handful of statements that all are index look-ups by arrays of keys. They are planned once, for
    any number of keys, and never as a scan of a whole table: a plan made while tables were empty, or statistics
    that are late, once made such statements fifteen times slower.
    """
    return session_settings(timeouts) | {
        "synchronous_commit": "on",
        "plan_cache_mode": "force_generic_plan",
        "enable_seqscan": "off",
        "enable_hashjoin": "off",
        "enable_mergejoin": "off",
        "jit": "off",
    }


def session_settings(timeouts: Timeouts) -> dict[str, str]:
    """Session settings of any connection of ours."""
    return {
        "application_name": "croupier",
        "search_path": SCHEMA,
        "timezone": "UTC",
        "default_transaction_isolation": "read committed",
        "statement_timeout": _milliseconds(timeouts.statement_seconds),
        "lock_timeout": _milliseconds(timeouts.lock_seconds),
        "idle_in_transaction_session_timeout": _milliseconds(timeouts.idle_in_transaction_seconds),
        "client_connection_check_interval": "2000",
    }


async def connect(
    dsn: str, settings: dict[str, str], *, connect_seconds: float = 5.0, command_seconds: float | None = None
) -> Connection:
    """One connection with these session settings; a call that lasts longer than ``command_seconds`` is given up.

    Raises `errors.PostgresUnreachable`.
    """
    try:
        return await asyncpg.connect(
            dsn, server_settings=settings, timeout=connect_seconds, command_timeout=command_seconds
        )
    except ASYNCPG_ERRORS as error:
        raise as_unreachable(error) from error


@asynccontextmanager
async def opened(dsn: str, timeouts: Timeouts | None = None) -> AsyncIterator[Connection]:
    """A connection for one piece of work that is no lane's, to a database that is migrated.

    Raises `errors.PostgresUnreachable` (also when it is lost midway), `errors.NotMigrated`, `errors.Doubt`.
    """
    bounds = timeouts or Timeouts()
    connection = await connect(dsn, session_settings(bounds), connect_seconds=bounds.connect_seconds)
    try:
        await require_schema(connection)
        yield connection
    except ASYNCPG_ERRORS as error:
        ours = translate(error)
        raise PostgresUnreachable(str(ours)) if isinstance(ours, LedgerUnavailable) else ours from error
    finally:
        await leave(connection)


async def leave(connection: Connection) -> None:
    """Say good-bye, or drop where that is not heard."""
    try:
        await connection.close(timeout=2)
    except ASYNCPG_ERRORS:
        connection.terminate()


async def require_schema(connection: Connection) -> int:
    """The schema's version. Raises `errors.NotMigrated` when it is outside what this program accepts."""
    try:
        version = await connection.fetchval(statements("migrate")["version"])
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError, asyncpg.InsufficientPrivilegeError):
        version = None
    if version is None:
        raise NotMigrated(
            "the database has no ledger yet, or this role may not see it: run `croupier migrate`"
        )
    if not OLDEST_SCHEMA <= version <= NEWEST_SCHEMA:
        what_to_do = "run `croupier migrate`" if version < OLDEST_SCHEMA else "run a newer program"
        raise NotMigrated(
            f"the ledger is at schema version {version}, this program works with"
            f" {OLDEST_SCHEMA} to {NEWEST_SCHEMA}: {what_to_do}"
        )
    return int(version)
