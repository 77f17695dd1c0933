"""A hot standby of the suite's Postgres: made by pg_basebackup, streaming, and promoted when a test says so."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg
from pydantic import SecretStr

from processor.devstack.account import Account, unprivileged_account
from processor.devstack.child import Child, NotReady, run_tool
from processor.devstack.databases import with_port
from processor.devstack.embedded import EmbeddedStack
from processor.devstack.free_ports import free_ports
from processor.devstack.postgres_programs import programs
from processor.devstack.readiness import postgres_answers
from processor.devstack.stack import POSTGRES_DSN, POSTGRES_MIGRATOR_DSN
from tests.chaos.books import Books, statement
from tests.chaos.scene import Scene
from tests.chaos.waiting import until

_START_TIMEOUT_SECONDS: Final = 120.0
_STOP_TIMEOUT_SECONDS: Final = 30.0


class Standby:
    """One standby. It is a server of its own, and lives no longer than its block."""

    def __init__(self, child: Child, port: int, primary_dsn: str) -> None:
        self.port = port
        self._child = child
        self._primary_dsn = primary_dsn
        self._dsn = with_port(primary_dsn, port)

    def dsn(self, of_primary: str) -> str:
        """The same database here."""
        return with_port(of_primary, self.port)

    def both(self, of_primary: str) -> str:
        """A DSN that names both servers, the primary first, and wants the one that takes writes."""
        credentials, _, rest = of_primary.rpartition("@")
        server, _, database = rest.partition("/")
        return f"{credentials}@{server},127.0.0.1:{self.port}/{database}?target_session_attrs=read-write"

    async def make_synchronous(self) -> None:
        """From now on the primary acknowledges no commit before this standby has it."""
        await _execute(self._primary_dsn, "synchronous_standby")
        await _execute(self._primary_dsn, "reload")

        async def is_synchronous() -> bool:
            return bool(await _value(self._primary_dsn, "synchronous_standbys"))

        await until(is_synchronous, "a synchronous standby")

    async def fall_behind(self) -> None:
        """Hear nothing more from the primary."""
        await _execute(self._dsn, "hear_no_primary")
        await _execute(self._dsn, "reload")

        async def hears_nothing() -> bool:
            return not await _value(self._dsn, "receivers")

        await until(hears_nothing, "a standby that hears nothing")

    async def caught_up(self) -> None:
        """Wait until everything that the primary has written by now can be read here."""
        position = await _value(self._primary_dsn, "wal_position")

        async def replayed() -> bool:
            return bool(await _value(self._dsn, "replayed", position))

        await until(replayed, "a standby that has caught up")

    async def promote(self) -> None:
        """Become the primary, with what has come so far."""
        assert await _value(self._dsn, "promote") is True

    async def stop(self) -> None:
        """Go, in good order."""
        if self._child.running:
            await self._child.end(signal.SIGINT, _STOP_TIMEOUT_SECONDS)


@asynccontextmanager
async def standby_of(servers: EmbeddedStack, scene: Scene) -> AsyncIterator[Standby]:
    """A standby that streams; at the end it is stopped, and the primary runs again without a word of it."""
    directory = servers.directory / f"standby-{scene.database.name}"
    (port,) = free_ports(1)
    try:
        child = await _started(servers.postgres.superuser_dsn, directory, port, scene)
        standby = Standby(child, port, servers.postgres.superuser_dsn)
        try:
            yield standby
        finally:
            await standby.stop()
    finally:
        await servers.postgres.stop()
        await servers.postgres.start()  # writes its configuration anew


async def _started(primary_dsn: str, directory: Path, port: int, scene: Scene) -> Child:
    account = unprivileged_account()
    folder, data = programs(account), directory / "data"
    _make(directory, account)
    copying = ["--pgdata", str(data), "--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
    for number, tablespace in enumerate(await _tablespaces(primary_dsn)):
        copying += ["--tablespace-mapping", f"{tablespace}={directory / f'tablespace-{number}'}"]
    await run_tool([str(folder / "pg_basebackup"), "--dbname", primary_dsn, *copying], account=account)
    child = Child.start(
        [str(folder / "postgres"), "-D", str(data), "-c", f"port={port}"],
        log=directory / "postgres.log",
        keeper=scene.guardian,
        account=account,
        last_signal=signal.SIGQUIT,
    )

    async def answers() -> None:
        problem = await postgres_answers(with_port(primary_dsn, port))
        if problem is not None:
            raise NotReady(problem)

    await child.wait_ready("The standby", answers, _START_TIMEOUT_SECONDS)
    return child


def _make(directory: Path, account: Account | None) -> None:
    directory.mkdir()
    if account is not None:
        account.own(directory)


def look_at(scene: Scene, standby: Standby) -> None:
    """From now on what is known of the ledger is read from the standby."""
    worker_dsn = standby.dsn(scene.database.worker_dsn)
    migrator_dsn = standby.dsn(scene.database.migrator_dsn)
    scene.books = Books(migrator_dsn)
    scene.environment |= {POSTGRES_DSN: worker_dsn, POSTGRES_MIGRATOR_DSN: migrator_dsn}
    scene.settings = scene.settings.model_copy(
        update={"postgres_dsn": SecretStr(worker_dsn), "postgres_migrator_dsn": SecretStr(migrator_dsn)}
    )


async def _tablespaces(dsn: str) -> list[str]:
    """Where other scenarios have put databases: on one machine a copy needs places of its own."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        return [row["place"] for row in await connection.fetch(statement("tablespaces"))]
    finally:
        await connection.close()


async def _execute(dsn: str, name: str) -> None:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        await connection.execute(statement(name))
    finally:
        await connection.close()


async def _value(dsn: str, name: str, *arguments: Any) -> Any:
    connection = await asyncpg.connect(dsn, timeout=60)
    try:
        return await connection.fetchval(statement(name), *arguments)
    finally:
        await connection.close()
