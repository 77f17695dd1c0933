"""Each role of the database does what it must, and every try to do more is refused. Nobody is a superuser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import asyncpg
import pytest

from processor.devstack.databases import MIGRATOR, WORKER, with_database
from processor.devstack.embedded import EmbeddedStack
from processor.devstack.stack import Stack
from processor.errors import WrongInstallation
from processor.postgres.desk.actions import note
from processor.postgres.desk.desk import open_desk
from processor.postgres.migrate import migrate
from tests.contract.ledger.bookkeeper import bet, opening
from tests.installations import Database, unique
from tests.integration.postgres.installed import Installed

Connection: TypeAlias = "asyncpg.Connection[Any]"
Connect: TypeAlias = "Callable[[str], Awaitable[Connection]]"

#: What nobody may do with the books: not the worker for lack of a right, not the owner because of the triggers.
CHANGING_THE_BOOKS = [
    "UPDATE entries SET amount_minor = amount_minor + 1",
    "DELETE FROM entries",
    "TRUNCATE entries",
    "UPDATE outcomes SET code = 'OK'",
    "DELETE FROM outcomes",
    "TRUNCATE outcomes",
    "TRUNCATE outcomes_3",
    "UPDATE seals SET seal = seal",
    "DELETE FROM seals",
    "TRUNCATE seals",
    "UPDATE operator_actions SET why = 'nothing'",
    "DELETE FROM operator_actions",
    "TRUNCATE operator_actions",
    "TRUNCATE reference_revisions",
    "SET session_replication_role = replica",
]

#: What a worker's login may not do beside that.
BEYOND_A_WORKER = [
    "ALTER TABLE entries DISABLE TRIGGER ALL",
    "DROP TRIGGER append_only ON entries",
    "ALTER TABLE entries ADD COLUMN note text",
    "DROP TABLE seals",
    "ALTER FUNCTION refuse_change() OWNER TO CURRENT_USER",
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE sql AS 'SELECT NULL'",
    "CREATE TABLE croupier.mine (a integer)",
    "CREATE TEMPORARY TABLE mine (a integer)",
    "CREATE SCHEMA mine",
    "LOCK TABLE entries IN ACCESS EXCLUSIVE MODE",
    "DELETE FROM accounts",
    "UPDATE accounts SET currency = 'XXX'",
    "DELETE FROM players",
    "UPDATE players SET player_id = 'another'",
    "DELETE FROM bet_marks",
    "DELETE FROM dead_letters",
    "UPDATE dead_letters SET event_value = ''",
    "DELETE FROM lanes",
    "UPDATE layouts SET lanes = 1",
    "UPDATE schema_version SET version = 0",
    "INSERT INTO reference_revisions DEFAULT VALUES",
    "UPDATE reference_documents SET document = document",
    "SELECT erase_metadata('anna')",
    f"SET ROLE {MIGRATOR}",
    "ALTER ROLE CURRENT_USER CREATEROLE",
    "CREATE ROLE mine",
    "SELECT pg_read_file('/etc/hostname')",
    "COPY players TO PROGRAM 'cat'",
]

BEYOND_A_READER = [
    "SELECT * FROM metadata",
    "SELECT * FROM parked",
    "SELECT * FROM dead_letters",
    "INSERT INTO audit_marks DEFAULT VALUES",
    "UPDATE accounts SET balance = 0",
    "DELETE FROM journal",
    "SELECT make_entry_partitions(1)",
    "CREATE TABLE croupier.mine (a integer)",
    "CREATE TEMPORARY TABLE mine (a integer)",
    f"SET ROLE {WORKER}",
]


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


@pytest.fixture
async def played(installed: Installed) -> Installed:
    """Books with something in them, so that a statement would find rows to change."""
    keeper = await installed.keeper()
    await keeper.apply(opening("anna"), bet("anna", "b-1"))
    async with open_desk(installed.database.worker_dsn) as desk:
        await note(desk, actor="rita", action="test", target="nothing", why="a row to try on")
    return installed


async def refused(connection: Connection, statement: str) -> bool:
    """Whether a statement is refused for lack of a right. It is rolled back, should it be carried out."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return True
    finally:
        await transaction.rollback()
    return False


async def test_a_workers_login_can_do_nothing_but_its_work(played: Installed, connect: Connect) -> None:
    worker = await connect(played.database.worker_dsn)
    tried = CHANGING_THE_BOOKS + BEYOND_A_WORKER
    assert [one for one in tried if not await refused(worker, one)] == []


async def test_not_even_the_owner_changes_the_books(played: Installed, connect: Connect) -> None:
    owner = await connect(played.database.migrator_dsn)
    assert [one for one in CHANGING_THE_BOOKS if not await refused(owner, one)] == []


@pytest.fixture
async def reader_dsn(stack: Stack, played: Installed, connect: Connect) -> AsyncIterator[str]:
    """A login that is a member of the readers, and nothing else."""
    superuser_dsn = superuser(stack, played.database)
    name = unique("reader")
    boss = await connect(superuser_dsn)
    await boss.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'reader' IN ROLE croupier_reader")
    yield other_login(played.database.worker_dsn, name, "reader")
    await boss.execute(f"DROP ROLE {name}")


def superuser(stack: Stack, database: Database) -> str:
    """The superuser's DSN, where the stack is ours: only to make what an operator's database would have."""
    if not isinstance(stack, EmbeddedStack):
        pytest.skip("the superuser's password is known for the embedded stack only")
    return with_database(stack.postgres.superuser_dsn, database.name)


def other_login(dsn: str, user: str, password: str) -> str:
    """The same database with another login."""
    return f"postgresql://{user}:{password}@{dsn.split('@')[1]}"


async def test_a_reader_reads_the_views_and_the_books_and_nothing_else(
    reader_dsn: str, connect: Connect
) -> None:
    reader = await connect(reader_dsn)
    for view in ("balance_v1", "entry_v1", "transaction_v1", "round_v1"):
        await reader.fetch(f"SELECT * FROM {view}")
    tried = CHANGING_THE_BOOKS + BEYOND_A_READER
    assert [one for one in tried if not await refused(reader, one)] == []


async def test_a_readers_login_is_enough_for_histories_and_for_the_proofs_of_the_audit(
    played: Installed, reader_dsn: str
) -> None:
    from processor.postgres.audit import audit

    async with open_desk(reader_dsn) as desk:
        assert await desk.fetch("reference", "read") is not None
    report = await audit(played.database.worker_dsn, full=True, replica_dsn=reader_dsn)
    assert len(report.proofs) == 8


async def test_a_strangers_login_does_not_come_into_the_database(
    stack: Stack, database: Database, connect: Connect
) -> None:
    await migrate(database.migrator_dsn)
    name = unique("stranger")
    boss = await connect(superuser(stack, database))
    await boss.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'stranger'")
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied for database"):
            await connect(other_login(database.worker_dsn, name, "stranger"))
    finally:
        await boss.execute(f"DROP ROLE {name}")


async def test_a_plain_owner_of_its_database_migrates_it_and_an_owner_that_never_logs_in_has_it(
    stack: Stack, empty_database: Database, connect: Connect
) -> None:
    owner, migrator = unique("owner"), unique("migrator")
    boss = await connect(superuser(stack, empty_database))
    await boss.execute(f"CREATE ROLE {owner} NOLOGIN")
    await boss.execute(f"CREATE ROLE {migrator} LOGIN PASSWORD 'migrator' IN ROLE {owner}")
    await boss.execute(f"ALTER DATABASE {empty_database.name} OWNER TO {owner}")
    dsn = other_login(empty_database.worker_dsn, migrator, "migrator")

    with pytest.raises(WrongInstallation, match="must exist before"):
        await migrate(dsn, worker_role=unique("absent"), owner_role=owner)
    await migrate(dsn, worker_role=WORKER, owner_role=owner)

    owners = await boss.fetch(
        "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'croupier' AND tablename <> 'schema_version'"
    )
    assert [row["tableowner"] for row in owners] == [owner]
    worker = await connect(empty_database.worker_dsn)
    assert [one for one in BEYOND_A_WORKER if not await refused(worker, one)] == []
    await boss.execute(f"ALTER DATABASE {empty_database.name} OWNER TO {MIGRATOR}")
    await boss.execute(f"REASSIGN OWNED BY {owner} TO {MIGRATOR}")
    await boss.execute(f"DROP OWNED BY {owner}")
    await boss.execute(f"DROP ROLE {migrator}")
    await boss.execute(f"DROP ROLE {owner}")
