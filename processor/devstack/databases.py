"""Roles and databases of a stack: the two logins, and a fresh database for whoever wants one."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

_SQL = Path(__file__).parent / "sql"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")

MIGRATOR = "croupier_migrator"
WORKER = "croupier_worker"
DATABASE = "croupier"


def dsn(
    user: str, password: str, port: int, database: str = DATABASE, *, authority: Path | None = None
) -> str:
    """A connection string to this machine; over TLS, checked against ``authority``, where one is named."""
    tls = f"?sslmode=verify-full&sslrootcert={quote(str(authority), safe='/')}" if authority else ""
    return f"postgresql://{user}:{quote(password, safe='')}@127.0.0.1:{port}/{database}{tls}"


def with_database(any_dsn: str, database: str) -> str:
    """The same connection string for another database of the same server."""
    return urlunsplit(urlsplit(any_dsn)._replace(path=f"/{database}"))


def with_port(any_dsn: str, port: int) -> str:
    """The same connection string through another port of this machine, such as a proxy's."""
    parts = urlsplit(any_dsn)
    credentials = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{credentials}@127.0.0.1:{port}"))


async def ensure_roles(superuser_dsn: str, migrator_password: str, worker_password: str) -> None:
    """Make the two roles, or give them these passwords if they are there."""
    async with _connected(superuser_dsn) as connection:
        await connection.fetch(_sql("set_passwords"), migrator_password, worker_password)
        await connection.execute(_sql("roles"))


async def create_database(migrator_dsn: str, name: str, template: str | None = None) -> str:
    """Make a database, a copy of `template` if given (nobody may be connected to that); gives the migrator's DSN.

    Nobody but the stack's own roles may connect to it.

    Raises ValueError for a name that is not [a-z][a-z0-9_]*, asyncpg's errors for the rest.
    """
    statement = _sql("create_database").replace(":name", _quoted(name))
    async with _connected(migrator_dsn) as connection:
        await connection.execute(statement.replace(":template", _quoted(template or "template0")))
        await connection.execute(_sql("own_database").replace(":name", _quoted(name)))
    return with_database(migrator_dsn, name)


async def ensure_database(migrator_dsn: str, name: str) -> None:
    """Make an empty database unless it is there."""
    async with _connected(migrator_dsn) as connection:
        there = await connection.fetchval(_sql("database_exists"), name)
    if not there:
        await create_database(migrator_dsn, name)


async def drop_database(migrator_dsn: str, name: str) -> None:
    """Drop a database and end whoever is connected to it; nothing happens if it is not there."""
    statement = _sql("drop_database").replace(":name", _quoted(name))
    async with _connected(migrator_dsn) as connection:
        await connection.fetch(_sql("end_sessions"), name)
        await connection.execute(statement)


def _quoted(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a database: lower-case letters, digits and _ only.")
    return f'"{name}"'


def _sql(name: str) -> str:
    return (_SQL / f"{name}.sql").read_text()


@asynccontextmanager
async def _connected(any_dsn: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    # Made from a database that is always there, so that the one in question has no connection of ours.
    connection = await asyncpg.connect(with_database(any_dsn, "postgres"), timeout=10)
    try:
        yield connection
    finally:
        await connection.close()
