"""A database that went back in time, and committed offsets that are gone: refused, or concluded; never guessed."""

from __future__ import annotations

import pytest

from processor.devstack.commands import croupier
from processor.devstack.embedded import EmbeddedStack
from processor.kafka.tailing import end_offsets
from tests.chaos.books import Books
from tests.chaos.offsets import group_deleted
from tests.chaos.play import Play
from tests.chaos.report import Report
from tests.chaos.scene import Scene
from tests.chaos.waiting import until
from tests.installations import drop, make_database


@pytest.mark.timeout(300)
async def test_a_database_restored_behind_kafka_is_refused_and_nothing_is_touched(
    scene: Scene, report: Report, servers: EmbeddedStack
) -> None:
    play = Play(41)
    async with report.trying(scene, play, "database restored", "behind Kafka, then made whole"):
        await _work_a_while(scene, play)
        backup = await make_database(servers, scene.database.name)
        await _work_a_while(scene, None)
        await play.end()
        old = Books(backup.migrator_dsn)
        untouched = await _everything(scene, old)
        await scene.start("b", **backup.environment())

        async def refused() -> bool:
            return all("ReceiptAhead" in (lane.stopped_reason or "") for lane in await old.lanes())

        await until(refused, lambda: f"every lane's refusal; {scene.tails()}")
        assert await _everything(scene, old) == untouched
        await scene.stop_all()
        await drop(servers, backup.name)
        await scene.start("c")


async def _work_a_while(scene: Scene, play: Play | None) -> None:
    worker = await scene.start("a")
    if play is not None:
        play.start(scene.settings)
    await scene.progress()
    assert await worker.stop() == 0


async def _everything(scene: Scene, books: Books) -> object:
    """What a refusal must leave as it is: books, journal, offsets, topics."""
    settings = scene.settings
    lanes = [
        (lane.applied_seq, lane.published_seq, lane.next_offsets, lane.journal)
        for lane in await books.lanes()
    ]
    receipts = [await scene.receipt(lane.lane) for lane in await books.lanes()]
    ends = [
        await end_offsets(settings, topic) for topic in (settings.results_topic, settings.dead_letters_topic)
    ]
    return lanes, receipts, ends, await books.balances(), await books.parked()


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_a_lane_that_noticed_a_database_gone_back_goes_on_once_it_is_whole_and_resumed(
    scene: Scene, report: Report
) -> None:
    """The row steps back by a batch under a working lane, as after a fail-over that lost the newest commit."""
    play = Play(42)
    async with report.trying(scene, play, "row gone back", "under a working lane, then made whole"):
        await scene.start("a")
        play.start(scene.settings)
        await scene.progress()
        await scene.books.rows("step_back")

        async def stopped() -> bool:
            return all(lane.stopped_reason is not None for lane in await scene.books.lanes())

        await until(stopped, lambda: f"every lane's stop; {scene.tails()}")
        await scene.books.rows("step_forward")
        words = ["lanes", "resume", "--all", "--reason", "the row is whole again"]
        await croupier(words, scene.environment)
        await scene.progress()


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("point", ["9:before", "10:after"])
async def test_deleted_offsets_are_concluded_from_the_topics(
    scene: Scene, report: Report, point: str
) -> None:
    """With a batch that is applied and not published, and with one that is published and not known as such."""
    play = Play(43)
    async with report.trying(scene, play, "offsets deleted", f"died at {point}"):
        play.start(scene.settings)
        worker = await scene.start("a", trouble=f"kill:{point}:+5")
        await scene.dies_of_it(worker)

        async def deleted() -> bool:
            return await group_deleted(scene.settings)

        await until(deleted, "the group's end")
        await scene.start("a")
        await scene.progress()
    concluded = [entry["concluded"] for entry in scene.said("lane.recovered")]
    assert any("found batch" in one for one in concluded), concluded
