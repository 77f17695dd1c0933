"""The stack itself: what tests and `croupier demo` stand on."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from processor.devstack.databases import with_port
from processor.devstack.embedded import EmbeddedStack
from processor.devstack.installation import DirectoryTaken, StackDirectory
from processor.devstack.proxy import TcpProxy
from processor.devstack.readiness import kafka_answers, postgres_answers
from processor.devstack.stack import (
    KAFKA_BOOTSTRAP,
    POSTGRES_DSN,
    POSTGRES_MIGRATOR_DSN,
    ExternalStack,
    Stack,
)
from processor.errors import KafkaUnreachable, PostgresUnreachable, WrongUsage
from tests.conftest import TopicsFactory
from tests.installations import Database, Topics, make_topics

_ORPHAN = """
import asyncio, os, signal
from processor.devstack.databases import with_port
from processor.devstack.embedded import EmbeddedStack

async def main() -> None:
    stack = EmbeddedStack()
    await stack.start()
    print(stack.directory, stack.kafka._child.pid, stack.postgres._child.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_a_fresh_database_is_migrated_and_the_worker_may_log_in(database: Database) -> None:
    assert await postgres_answers(database.worker_dsn) is None
    assert await postgres_answers(database.migrator_dsn) is None


async def test_a_wrong_password_is_refused(database: Database) -> None:
    forged = database.worker_dsn.replace("croupier_worker:", "croupier_worker:x")

    assert "password authentication failed" in str(await postgres_answers(forged))


async def test_neither_login_is_a_superuser(database: Database) -> None:
    for dsn in (database.worker_dsn, database.migrator_dsn):
        connection = await asyncpg.connect(dsn)
        try:
            assert await connection.fetchval("SELECT current_setting('is_superuser')") == "off"
        finally:
            await connection.close()


async def test_a_transactional_record_is_read_back_committed(make_test_topics: TopicsFactory) -> None:
    topics = await make_test_topics(2)

    await _send(topics, b"p-1")

    assert await _first_value(topics) == b"p-1"


async def test_the_environment_names_both_servers_as_an_external_stack(stack: Stack) -> None:
    external = ExternalStack(stack.environment())
    await external.start()

    assert external.environment() == stack.environment()


async def test_an_external_stack_that_does_not_answer_is_named(stack: Stack) -> None:
    nobody = "127.0.0.1:1"

    with pytest.raises(KafkaUnreachable, match=nobody):
        await ExternalStack({**stack.environment(), KAFKA_BOOTSTRAP: nobody}).start()
    with pytest.raises(PostgresUnreachable, match=POSTGRES_DSN):
        await ExternalStack({**stack.environment(), POSTGRES_DSN: f"postgresql://x@{nobody}/x"}).start()


def test_an_external_stack_is_named_whole_or_refused() -> None:
    with pytest.raises(WrongUsage, match=POSTGRES_DSN):
        ExternalStack({KAFKA_BOOTSTRAP: "127.0.0.1:1"})
    assert ExternalStack.named_in({}) is None


async def test_a_killed_broker_comes_back_at_its_ports_with_its_records(own_stack: EmbeddedStack) -> None:
    topics = await make_topics(own_stack.kafka.bootstrap, 1)
    await _send(topics, b"kept")

    await own_stack.kafka.kill()
    assert await kafka_answers(own_stack.kafka.bootstrap) is not None
    await own_stack.kafka.start()

    assert await _first_value(topics) == b"kept"


async def test_a_killed_database_comes_back_with_what_was_committed(own_stack: EmbeddedStack) -> None:
    dsn = own_stack.environment()[POSTGRES_MIGRATOR_DSN]
    await _execute(dsn, "CREATE TABLE kept AS SELECT 42 AS answer")

    await own_stack.postgres.kill()
    assert await postgres_answers(dsn) is not None
    await own_stack.postgres.start()

    connection = await asyncpg.connect(dsn)
    try:
        assert await connection.fetchval("SELECT answer FROM kept") == 42
    finally:
        await connection.close()


async def test_clients_of_the_second_listener_stay_behind_the_proxy(own_stack: EmbeddedStack) -> None:
    ports = own_stack.kafka.ports
    topics = await make_topics(own_stack.kafka.bootstrap, 1)
    behind = dataclasses.replace(topics, bootstrap=own_stack.proxied_bootstrap)

    async with TcpProxy(ports.proxied, port=ports.proxy) as proxy:
        await _send(behind, b"through the proxy")
        carried = proxy.carried_bytes
        assert await _first_value(behind) == b"through the proxy"

    assert proxy.carried_bytes > carried > 0
    assert await kafka_answers(own_stack.proxied_bootstrap) is not None


async def test_a_database_is_reached_through_a_proxy_by_its_port(own_stack: EmbeddedStack) -> None:
    dsn = own_stack.environment()[POSTGRES_DSN]

    async with TcpProxy(own_stack.postgres.port) as proxy:
        assert await postgres_answers(with_port(dsn, proxy.port)) is None
        assert proxy.carried_bytes > 0


async def test_a_directory_keeps_its_data_and_has_one_holder(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    # (pytest's own folders are closed to the unprivileged user that Postgres runs as)
    async with EmbeddedStack() as outer:
        directory = outer.directory / "inner"
        async with EmbeddedStack(directory) as first:
            await _execute(first.environment()[POSTGRES_MIGRATOR_DSN], "CREATE TABLE kept ()")
            topics = await make_topics(first.kafka.bootstrap, 1)
            await _send(topics, b"kept")
            environment = first.environment()
            assert StackDirectory(directory).holder() == os.getpid()
            with pytest.raises(DirectoryTaken):
                await EmbeddedStack(directory).start()
            mode = (directory / "installation.json").stat().st_mode
            assert stat.S_IMODE(mode) == 0o600, "it holds passwords"

        assert StackDirectory(directory).holder() is None
        async with EmbeddedStack(directory) as second:
            assert second.environment() == environment
            await _execute(second.environment()[POSTGRES_MIGRATOR_DSN], "DROP TABLE kept")
            assert await _first_value(topics) == b"kept"


def test_when_the_owner_is_killed_nothing_is_left_running_or_lying_about() -> None:
    orphan = subprocess.run(
        [sys.executable, "-c", _ORPHAN],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path.cwd(),
        timeout=120,
    )
    assert orphan.returncode == -signal.SIGKILL, orphan.stderr
    directory, *pids = orphan.stdout.split()

    gone, alive = psutil.wait_procs(
        [psutil.Process(int(pid)) for pid in pids if psutil.pid_exists(int(pid))], 60
    )

    assert not alive, gone
    _wait_until_erased(Path(directory))


def _wait_until_erased(directory: Path) -> None:
    guardian = [
        process
        for process in psutil.process_iter(["cmdline"])
        if "guardian.py" in " ".join(process.info["cmdline"] or []) and process.ppid() != os.getpid()
    ]
    psutil.wait_procs(guardian, 5)
    assert not directory.exists()


async def _send(topics: Topics, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=topics.bootstrap, transactional_id=topics.app)
    await producer.start()
    try:
        async with producer.transaction():
            await producer.send_and_wait(topics.results, value, key=b"k")
    finally:
        await producer.stop()


async def _first_value(topics: Topics) -> bytes | None:
    consumer = AIOKafkaConsumer(
        topics.results,
        bootstrap_servers=topics.bootstrap,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    await consumer.start()
    try:
        record = await asyncio.wait_for(consumer.getone(), 30)
    finally:
        await consumer.stop()
    value: bytes | None = record.value
    return value


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
