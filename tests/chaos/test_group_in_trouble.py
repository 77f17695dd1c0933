"""Workers that freeze and wake, join and leave: a lane has one owner, and the lease says who."""

from __future__ import annotations

import os
import signal

import pytest

from processor.lane.steps import Step
from tests.chaos.play import Play
from tests.chaos.report import Report
from tests.chaos.scene import Scene
from tests.chaos.waiting import until

ZOMBIES = [
    (Step.RECEIPT, "before"),
    pytest.param((Step.COMMIT, "before"), marks=pytest.mark.long),
    pytest.param((Step.FETCH, "after"), marks=pytest.mark.long),
    pytest.param((Step.COMMIT, "after"), marks=pytest.mark.long),
    pytest.param((Step.PUBLISH, "before"), marks=pytest.mark.long),
    pytest.param((Step.RECEIPT, "after"), marks=pytest.mark.long),
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("point", ZOMBIES, ids=lambda point: f"{point[1]}-{point[0].word}")
async def test_a_worker_that_was_frozen_past_its_session_writes_nothing_when_it_wakes(
    scene: Scene, report: Report, point: tuple[Step, str]
) -> None:
    """Frozen before its COMMIT it must be fenced in Postgres, with a Kafka transaction open it must be in Kafka."""
    step, when = point
    play = Play(31)
    async with report.trying(scene, play, "zombie", f"frozen {when} step {step.value}"):
        # A frozen client's transaction holds its rows until Postgres ends it.
        short = {"CROUPIER_IDLE_IN_TRANSACTION_TIMEOUT_SECONDS": "4"}
        zombie = await scene.start("a", trouble=f"stop:{step.value}:{when}:+5", **short)
        await zombie.wait_ready()
        play.start(scene.settings)
        await scene.freezes(zombie)
        before = {lane.lane: lane.epoch for lane in await scene.books.lanes()}
        await scene.start("b", **short)
        await scene.all_taken_over(before)
        await scene.progress()
        os.kill(zombie.pid, signal.SIGCONT)

        async def has_noticed() -> bool:
            return bool(scene.said("lane.fenced")) or bool(scene.said("lane.left"))

        await until(has_noticed, lambda: f"the zombie letting go; {scene.tails()}")
        await scene.progress()


@pytest.mark.timeout(300)
async def test_workers_join_and_leave_under_load_and_a_lane_that_stays_keeps_its_epoch(
    scene: Scene, report: Report
) -> None:
    play = Play(32)
    async with report.trying(scene, play, "join and leave", "twice"):
        first = await scene.start("a")
        await first.wait_ready()
        play.start(scene.settings)
        await scene.progress()
        for _ in range(2):
            before = {lane.lane: lane.epoch for lane in await scene.books.lanes()}
            second = await scene.start("b")
            await scene.taken_over(before)
            await scene.progress()
            moved = [lane for lane in await scene.books.lanes() if lane.epoch != before[lane.lane]]
            assert [lane.epoch - before[lane.lane] for lane in moved] == [1], "one lane moves, once"
            assert await second.stop() == 0
            await scene.progress()
    assert not scene.said("lane.fenced"), "who leaves in good order is never fenced"
