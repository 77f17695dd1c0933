"""Brings a database to the schema this program needs, by numbered migrations, one migrator at a time."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from importlib import resources

import asyncpg

from processor.errors import PostgresUnreachable, WrongInstallation
from processor.postgres.connection import SCHEMA, Connection, connect
from processor.postgres.faults import ASYNCPG_ERRORS
from processor.postgres.statements import statements


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step of the schema; ``digest`` tells an edited one from the one that was applied."""

    version: int
    name: str
    text: str
    digest: str


def known_migrations() -> list[Migration]:
    """The program's migrations, in order."""
    folder = resources.files("processor.postgres").joinpath("migrations")
    found = []
    for file in sorted(
        (file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name
    ):
        text = file.read_text("utf-8")
        name = file.name.removesuffix(".sql")
        found.append(Migration(int(name.split("_")[0]), name, text, sha256(text.encode()).hexdigest()))
    return found


async def migrate(
    migrator_dsn: str, *, worker_role: str = "croupier_worker", owner_role: str | None = None
) -> list[str]:
    """Apply what is missing, make the months of entries ahead, and set the rights; the names of what was applied.

    ``owner_role``: who is to own it all, where that is not the migrator itself, who must be a member of it.
    Running it again changes nothing. Raises `errors.PostgresUnreachable`, and `errors.WrongInstallation` where the
    database has a migration that differs from ours or the role lacks a right.
    """
    session = {"search_path": SCHEMA, "timezone": "UTC", "application_name": "croupier"}
    connection = await connect(migrator_dsn, session | ({"role": owner_role} if owner_role else {}))
    try:
        return await _migrate(connection, worker_role)
    except asyncpg.InsufficientPrivilegeError as error:
        raise WrongInstallation(f"the migrator's role lacks a right: {error}") from error
    except ASYNCPG_ERRORS as error:
        raise PostgresUnreachable(f"the migration did not go through: {error}") from error
    finally:
        await connection.close()


async def _migrate(connection: Connection, worker_role: str) -> list[str]:
    sql = statements("migrate")
    await connection.execute(sql["lock"])
    try:
        await connection.execute(sql["prepare"])
        had = {row["version"]: row for row in await connection.fetch(sql["applied"])}
        applied = [await _apply(connection, step) for step in _missing(known_migrations(), had)]
        await connection.execute(sql["make_partitions"])
        await connection.execute(sql["name_worker"], worker_role)
        await connection.execute(sql["rights"])
    finally:
        await connection.execute(sql["unlock"])
    return applied


def _missing(known: list[Migration], had: dict[int, asyncpg.Record]) -> list[Migration]:
    for step in known:
        if step.version in had and had[step.version]["digest"] != step.digest:
            raise WrongInstallation(
                f"migration {step.name} was applied with another text than this program's:"
                " a migration is never edited, use the program that wrote this database"
            )
    return [step for step in known if step.version not in had]


async def _apply(connection: Connection, step: Migration) -> str:
    async with connection.transaction():
        await connection.execute(step.text)
        await connection.execute(statements("migrate")["note"], step.version, step.name, step.digest)
    return step.name
