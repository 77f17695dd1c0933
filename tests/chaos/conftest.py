"""Fixtures of the chaos suite: servers that may be broken, an installation on them, the table of what was tried."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from processor.devstack.embedded import EmbeddedStack
from tests.chaos.end_txn_proxy import EndTxnProxy
from tests.chaos.play import chaos_seed
from tests.chaos.report import Report
from tests.chaos.scenarios.small_disk import NoSmallDisk, SmallDisk, small_disk, tablespace_on
from tests.chaos.scene import Scene, staged
from tests.installations import make_template

_REPORT: Final = pytest.StashKey[Report]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table, at the end."""
    made = config.stash.get(_REPORT, None)
    if made is not None:
        file = config.rootpath / "build" / "chaos" / f"seed-{chaos_seed()}.json"
        made.write(file)
        terminalreporter.section("trouble")
        terminalreporter.write_line(made.table())
        terminalreporter.write_line(f"The same as JSON: {file}")


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Report:
    """The table that this session's scenarios are noted in."""
    return request.config.stash.setdefault(_REPORT, Report())


@pytest.fixture(scope="session")
async def servers() -> AsyncIterator[EmbeddedStack]:
    """A Kafka and a Postgres of this suite's own, which its tests may kill, freeze and start again."""
    async with EmbeddedStack() as own:
        yield own


@pytest.fixture(scope="session")
async def migrated(servers: EmbeddedStack) -> str:
    """The name of a migrated database to copy from."""
    return await make_template(servers)


@pytest.fixture
async def scene(servers: EmbeddedStack, migrated: str, tmp_path: Path) -> AsyncIterator[Scene]:
    """A fresh installation on servers that run, whatever was done to them before."""
    await servers.postgres.start()
    await servers.kafka.start()
    async with staged(servers, migrated, tmp_path) as made:
        yield made


@pytest.fixture
async def patient_scene(servers: EmbeddedStack, migrated: str, tmp_path: Path) -> AsyncIterator[Scene]:
    """An installation where wins wait for their bets longer than any outage: play it without orphans."""
    await servers.postgres.start()
    await servers.kafka.start()
    async with staged(servers, migrated, tmp_path, wait_seconds=600) as made:
        yield made


@pytest.fixture
async def proxy(servers: EmbeddedStack) -> AsyncIterator[EndTxnProxy]:
    """A proxy where the broker's second listener is advertised."""
    async with EndTxnProxy(servers.kafka.ports.proxy, servers.kafka.ports.proxied) as made:
        yield made


@pytest.fixture(scope="session")
async def disk(servers: EmbeddedStack) -> AsyncIterator[SmallDisk | None]:
    """A disk of a few megabytes that a database can be put on; None where nothing can be mounted."""
    try:
        with small_disk(servers.directory / "small-disk") as mounted:
            await servers.postgres.start()
            async with tablespace_on(mounted, servers.postgres.superuser_dsn):
                yield mounted
    except NoSmallDisk:
        yield None
