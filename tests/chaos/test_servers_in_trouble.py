"""Postgres or the broker stops or dies under load: whole batches are tried again, nothing is lost or doubled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

import asyncpg
import pytest

from processor.devstack.databases import with_database, with_port
from processor.devstack.embedded import EmbeddedStack
from processor.devstack.proxy import Direction, TcpProxy
from processor.devstack.stack import POSTGRES_DSN
from tests.chaos.books import statement
from tests.chaos.play import Play
from tests.chaos.report import Report
from tests.chaos.scene import Scene

_GONE_SECONDS = 2.0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("gone_seconds", [_GONE_SECONDS, pytest.param(60.0, marks=pytest.mark.long)])
@pytest.mark.parametrize("how", ["kill", pytest.param("stop", marks=pytest.mark.long)])
async def test_postgres_goes_and_comes_back(
    patient_scene: Scene, report: Report, servers: EmbeddedStack, how: str, gone_seconds: float
) -> None:
    await _outage(patient_scene, report, f"Postgres: {how}", servers.postgres, how, gone_seconds)
    assert patient_scene.said("batch.retrying"), "Postgres was away, and no batch was tried again"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("gone_seconds", [_GONE_SECONDS, pytest.param(60.0, marks=pytest.mark.long)])
@pytest.mark.parametrize("how", ["kill", pytest.param("stop", marks=pytest.mark.long)])
async def test_the_broker_goes_and_comes_back(
    patient_scene: Scene, report: Report, servers: EmbeddedStack, how: str, gone_seconds: float
) -> None:
    await _outage(patient_scene, report, f"broker: {how}", servers.kafka, how, gone_seconds)
    assert patient_scene.said("lane.recovering"), "the broker was away, and no producer was replaced"


async def _outage(
    scene: Scene, report: Report, scenario: str, server: object, how: str, gone_seconds: float
) -> None:
    end: Callable[[], Awaitable[None]] = getattr(server, how)
    start: Callable[[], Awaitable[None]] = server.start  # type: ignore[attr-defined]  # both servers have it
    play = Play(21, orphans=False)
    async with report.trying(scene, play, scenario, f"for {gone_seconds:.0f} s"):
        await scene.start("a")
        play.start(scene.settings)
        await scene.progress()
        await end()
        await asyncio.sleep(gone_seconds)
        await start()
        await scene.progress()


@pytest.mark.long
async def test_postgres_ends_the_lanes_backends_again_and_again(scene: Scene, report: Report) -> None:
    play = Play(22)
    async with report.trying(scene, play, "backends killed", "12 times, anywhere in a batch"):
        await scene.start("a")
        play.start(scene.settings)
        await scene.progress()
        await _kill_backends(scene, 12, Random(play.seed))
        await scene.progress()
    assert scene.said("batch.retrying"), "backends were killed, and no batch was tried again"


async def _kill_backends(scene: Scene, times: int, chance: Random) -> None:
    superuser = await asyncpg.connect(with_database(scene.superuser_dsn, scene.database.name))
    try:
        for _ in range(times):
            await superuser.fetch(statement("kill_backends"))
            await asyncio.sleep(chance.uniform(0.1, 0.6))
    finally:
        await superuser.close()


@pytest.mark.long
async def test_connections_to_postgres_end_in_the_middle_of_an_answer(scene: Scene, report: Report) -> None:
    """Among the answers that are cut are those to COMMIT: then the lane's row says whether it happened."""
    play = Play(23)
    async with (
        TcpProxy(scene.postgres_port, seed=23) as proxy,
        report.trying(scene, play, "answers of Postgres cut", "40 times"),
    ):
        through = with_port(scene.database.worker_dsn, proxy.port)
        await scene.start("a", **{POSTGRES_DSN: through})
        play.start(scene.settings)
        await scene.progress()
        chance = Random(play.seed)
        for _ in range(40):
            proxy.cut_within_next(Direction.TO_CLIENT)
            await asyncio.sleep(chance.uniform(0.05, 0.3))
        proxy.heal()
        await scene.progress()
    assert scene.said("batch.retrying"), "answers were cut, and no batch was tried again"
