"""Two processes under one static name, as a careless deployment starts them: they take lanes from each other."""

from __future__ import annotations

import os
import signal

import pytest

from tests.chaos.play import Play
from tests.chaos.report import Report
from tests.chaos.scene import Scene


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_two_workers_of_one_name_cost_take_overs_and_nothing_else(scene: Scene, report: Report) -> None:
    """The group throws out one for the other again and again; the lease decides each time who may write."""
    play = Play(33)
    async with report.trying(scene, play, "same name twice", "the older one frozen, then awake"):
        older = await scene.start("a")
        await older.wait_ready()
        play.start(scene.settings)
        await scene.progress()
        os.kill(older.pid, signal.SIGSTOP)
        before = {lane.lane: lane.epoch for lane in await scene.books.lanes()}
        await scene.start("a")
        await scene.all_taken_over(before)
        await scene.progress()
        os.kill(older.pid, signal.SIGCONT)
        for _ in range(5):
            await scene.progress()
        assert await older.stop() == 0
