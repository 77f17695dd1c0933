"""A standby of the ledger's Postgres: operators read from it, and it takes the primary's place."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Final

import pytest

from processor.devstack.commands import croupier
from processor.devstack.embedded import EmbeddedStack
from processor.devstack.stack import POSTGRES_DSN
from processor.kafka.tailing import end_offsets
from processor.settings import Settings
from tests.chaos.books import Books
from tests.chaos.play import Play
from tests.chaos.report import Report
from tests.chaos.scene import Scene
from tests.chaos.standby import look_at, standby_of
from tests.chaos.waiting import until

_CALM_SECONDS: Final = 1.5
#: An open session lasts longer each time that somebody asks.
_SO_FAR: Final = re.compile(r'"duration_seconds": [0-9.]+')


@pytest.mark.timeout(300)
async def test_histories_and_audits_are_read_from_a_standby(
    scene: Scene, report: Report, servers: EmbeddedStack
) -> None:
    play = Play(44)
    async with standby_of(servers, scene) as standby:
        async with report.trying(scene, play, "read from a standby", "while the lanes work"):
            await scene.start("a")
            play.start(scene.settings)
            await scene.progress()
            await standby.caught_up()
            from_standby = {
                **scene.environment,
                "CROUPIER_POSTGRES_REPLICA_DSN": standby.dsn(scene.database.worker_dsn),
            }
            assert json.loads((await croupier(["audit", "--json"], from_standby))[1])["clean"] is True
        await standby.caught_up()
        player = max(await scene.books.balances())[0]
        for words in (
            ["balance", player],
            ["history", player],
            ["sessions", player],
            ["rounds", "stuck"],
            ["discrepancies"],
            ["audit", "--full"],
        ):
            said = [
                _SO_FAR.sub("", (await croupier([*words, "--json"], environment))[1])
                for environment in (scene.environment, from_standby)
            ]
            assert said[0] == said[1], words


@pytest.mark.timeout(300)
async def test_a_synchronous_standby_takes_over_and_nothing_is_lost(
    scene: Scene, report: Report, servers: EmbeddedStack
) -> None:
    play = Play(45)
    async with standby_of(servers, scene) as standby:
        await standby.make_synchronous()
        async with report.trying(scene, play, "Postgres failed over", "to a synchronous standby"):
            await scene.start("a", **{POSTGRES_DSN: standby.both(scene.database.worker_dsn)})
            play.start(scene.settings)
            await scene.progress()
            await servers.postgres.kill()
            await standby.promote()
            look_at(scene, standby)
            await scene.progress()


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_a_standby_that_lacks_commits_is_refused_and_the_old_primary_goes_on(
    scene: Scene, report: Report, servers: EmbeddedStack
) -> None:
    play = Play(46)
    old_books = scene.books
    async with (
        standby_of(servers, scene) as standby,
        report.trying(scene, play, "Postgres failed over", "to one that lacks commits, and back"),
    ):
        await scene.start("a", **{POSTGRES_DSN: standby.both(scene.database.worker_dsn)})
        play.start(scene.settings)
        await scene.progress()
        await standby.fall_behind()
        await scene.progress()
        await servers.postgres.kill()
        await standby.promote()
        scene.books = Books(standby.dsn(scene.database.migrator_dsn))

        async def refused() -> bool:
            reasons = [lane.stopped_reason or "" for lane in await scene.books.lanes()]
            return all(one.startswith(("ReceiptAhead", "LedgerWentBack")) for one in reasons)

        await until(refused, lambda: f"every lane refusing the standby; {scene.tails()}")
        before = await _published(scene.settings), await scene.books.balances()
        await asyncio.sleep(_CALM_SECONDS)
        assert (await _published(scene.settings), await scene.books.balances()) == before
        await standby.stop()
        await servers.postgres.start()
        scene.books = old_books
        await scene.progress()


async def _published(settings: Settings) -> list[dict[int, int]]:
    return [await end_offsets(settings, one) for one in (settings.results_topic, settings.dead_letters_topic)]
