"""Kill −9 before and after each numbered step, while bets, wins, rollbacks, repeats and nonsense go on."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from processor.lane.steps import Step
from tests.chaos.oracle import examine
from tests.chaos.play import Play
from tests.chaos.scene import Scene

POINTS = [(step, when) for step in Step for when in ("before", "after")]


async def test_a_worker_dies_before_its_commit_and_its_successor_goes_on(scene: Scene) -> None:
    play = Play(1)
    worker = await scene.start("a", trouble="kill:8:before:+3")
    play.start(scene.settings)
    await scene.dies_of_it(worker)
    await scene.start("a")
    await play.end()
    await scene.drained()
    await scene.stop_all()
    verdict = await examine(scene, play)
    assert verdict.faults == []
    print(verdict)
