"""Migrations bring any database to the schema this program knows, once, and say so where they cannot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib import resources
from typing import Any

import asyncpg
import pytest

from processor.errors import NotMigrated, PostgresUnreachable, WrongInstallation
from processor.postgres.connection import NEWEST_SCHEMA, OLDEST_SCHEMA, Connection, opened
from processor.postgres.migrate import known_migrations, migrate
from tests.installations import Database
from tests.migration.catalog import describe

Connect = Callable[[str], Awaitable[Connection]]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Connections that are closed after the test."""
    made: list[Connection] = []

    async def one(dsn: str) -> Connection:
        made.append(await asyncpg.connect(dsn, server_settings={"search_path": "croupier"}))
        return made[-1]

    yield one
    for connection in made:
        await connection.close()


async def test_all_migrations_together_give_the_schema_as_it_is_written(
    empty_database: Database, database: Database, connect: Connect
) -> None:
    by_migrations = await connect(database.migrator_dsn)
    by_file = await connect(empty_database.migrator_dsn)
    await by_file.execute("CREATE SCHEMA croupier")
    await by_file.execute(resources.files("processor.postgres").joinpath("schema.sql").read_text("utf-8"))
    migrated, written = await describe(by_migrations), await describe(by_file)
    assert written.keys() == migrated.keys()
    for kind, things in migrated.items():
        assert written[kind] == things, f"schema.sql differs from the migrations in its {kind}"


async def test_a_migrated_database_is_left_as_it_is(empty_database: Database) -> None:
    names = [step.name for step in known_migrations()]
    assert await migrate(empty_database.migrator_dsn) == names
    assert await migrate(empty_database.migrator_dsn) == []


async def test_two_migrators_at_once_do_it_once(empty_database: Database) -> None:
    done = await asyncio.gather(*(migrate(empty_database.migrator_dsn) for _ in range(3)))
    assert sorted(map(len, done)) == [0, 0, len(known_migrations())]


async def test_a_migration_that_was_edited_after_it_was_applied_is_refused(
    empty_database: Database, connect: Connect
) -> None:
    await migrate(empty_database.migrator_dsn)
    owner = await connect(empty_database.migrator_dsn)
    await owner.execute("UPDATE schema_version SET digest = 'another' WHERE version = 2")
    with pytest.raises(WrongInstallation, match="0002_lanes"):
        await migrate(empty_database.migrator_dsn)


async def test_a_worker_refuses_a_database_that_nobody_has_migrated(empty_database: Database) -> None:
    with pytest.raises(NotMigrated, match="croupier migrate"):
        async with opened(empty_database.worker_dsn):
            pass


@pytest.mark.parametrize(
    ("version", "advice"), [(NEWEST_SCHEMA + 1, "newer program"), (OLDEST_SCHEMA - 1, "croupier migrate")]
)
async def test_a_worker_refuses_a_schema_outside_its_range(
    database: Database, connect: Connect, version: int, advice: str
) -> None:
    owner = await connect(database.migrator_dsn)
    await owner.execute("DELETE FROM schema_version WHERE version >= $1", OLDEST_SCHEMA)
    await owner.execute(
        "INSERT INTO schema_version (version, name, digest) VALUES ($1, '', '') ON CONFLICT DO NOTHING",
        version,
    )
    with pytest.raises(NotMigrated, match=advice):
        async with opened(database.worker_dsn):
            pass


async def test_a_server_that_is_not_there_is_said_to_be_unreachable() -> None:
    with pytest.raises(PostgresUnreachable, match="CROUPIER_POSTGRES_DSN"):
        await migrate("postgresql://nobody@127.0.0.1:1/none")


def test_migrations_are_numbered_without_gap_and_end_at_the_newest_schema() -> None:
    versions = [step.version for step in known_migrations()]
    assert versions == list(range(1, NEWEST_SCHEMA + 1))


APPEND_ONLY = ("outcomes", "outcomes_3", "entries", "seals", "operator_actions", "reference_changes")


@pytest.mark.parametrize("table", APPEND_ONLY)
async def test_what_is_written_for_ever_cannot_be_truncated_even_by_the_owner(
    database: Database, connect: Connect, table: str
) -> None:
    owner = await connect(database.migrator_dsn)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await owner.execute(f"TRUNCATE {table}")


async def test_no_month_of_entries_can_be_truncated_or_changed(database: Database, connect: Connect) -> None:
    owner = await connect(database.migrator_dsn)
    months = await owner.fetch(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'entries'::regclass"
    )
    assert len(months) >= 13
    for month in months:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await owner.execute(f"TRUNCATE {month['name']}")


async def test_the_owner_cannot_change_or_delete_what_is_written_for_ever(
    database: Database, connect: Connect
) -> None:
    owner = await connect(database.migrator_dsn)
    await owner.execute(
        "INSERT INTO operator_actions (actor, action, target, why) VALUES ('a', 'b', 'c', 'd')"
    )
    for statement in ("UPDATE operator_actions SET why = ''", "DELETE FROM operator_actions"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await owner.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE outcomes SET code = 'OK'",
        "DELETE FROM entries",
        "DELETE FROM seals",
        "TRUNCATE journal",
        "DELETE FROM players",
        "UPDATE accounts SET player = 1",
        "UPDATE dead_letters SET event_value = NULL",
        "DELETE FROM metadata",
        "INSERT INTO reference_documents VALUES ('providers', 'x', '{}', 1)",
        "UPDATE layouts SET lanes = 1",
        "UPDATE schema_version SET version = 1",
        "DROP TABLE outcomes",
        "CREATE TABLE croupier.more (x integer)",
        "SELECT erase_metadata('p-1')",
    ],
)
async def test_the_worker_cannot(database: Database, connect: Connect, statement: str) -> None:
    worker = await connect(database.worker_dsn)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await worker.execute(statement)


async def test_the_worker_owns_nothing_and_may_make_months(database: Database, connect: Connect) -> None:
    worker = await connect(database.worker_dsn)
    owned: Any = await worker.fetchval(
        "SELECT count(*) FROM pg_class WHERE relowner = 'croupier_worker'::regrole"
    )
    assert owned == 0
    assert await worker.fetchval("SELECT make_entry_partitions(14)") == 2
    with pytest.raises(asyncpg.DataError, match="24 months"):
        await worker.fetchval("SELECT make_entry_partitions(25)")


async def test_readers_may_read_the_views_and_the_books_and_change_nothing(
    database: Database, connect: Connect
) -> None:
    owner = await connect(database.migrator_dsn)
    relations = await owner.fetch(
        """
        SELECT relname, has_table_privilege('croupier_reader', oid, 'SELECT') AS read,
            has_table_privilege('croupier_reader', oid, 'INSERT, UPDATE, DELETE, TRUNCATE') AS change
        FROM pg_class
        WHERE relnamespace = 'croupier'::regnamespace AND relkind IN ('r', 'p', 'v')
        ORDER BY relname
        """
    )
    views = {"balance_v1", "entry_v1", "round_v1", "transaction_v1"}
    readable = {row["relname"] for row in relations if row["read"]}
    assert readable >= views
    assert readable.isdisjoint({"metadata", "dead_letters", "parked", "operator_actions", "key_uses"})
    assert [row["relname"] for row in relations if row["change"]] == []
    for view in sorted(views):
        assert await owner.fetch(f"SELECT * FROM {view}") == []
