"""Kill −9 before and after each numbered step, while bets, wins, rollbacks, repeats and nonsense go on.

Before step 1 means: between two batches, when the next fetch is about to be made and the last batch may still be on its
way to Kafka. Steps 9 and 10 are also struck while a recovery publishes the journal, when there is something in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random

import pytest

from processor.lane.steps import Step
from tests.chaos.play import Play
from tests.chaos.report import Report
from tests.chaos.scene import Scene

Point = tuple[Step, str]
POINTS: list[Point] = [(step, when) for step in Step for when in ("before", "after")]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in (2, 3, 4))])
async def test_a_worker_dies_before_and_after_every_step_and_comes_back(
    scene: Scene, report: Report, seed: int
) -> None:
    """Two workers, one lane each; both die again and again, each at its half of the places, and are started again."""
    play = Play(seed)
    chance = Random(play.seed)
    points = chance.sample(POINTS, len(POINTS))
    async with report.trying(scene, play, "kill at each step", f"{len(points)} places"):
        play.start(scene.settings)
        await asyncio.gather(
            _die_again_and_again(scene, "a", points[::2], chance),
            _die_again_and_again(scene, "b", points[1::2], chance),
        )
    assert scene.deaths == len(points)


async def _die_again_and_again(scene: Scene, name: str, points: Sequence[Point], chance: Random) -> None:
    for step, when in points:
        worker = await scene.start(name, trouble=f"kill:{step.value}:{when}:+{chance.randint(1, 4)}")
        await scene.dies_of_it(worker)
        await scene.look_at_lanes()
    await scene.start(name)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "point",
    [(Step.COMMIT, "after"), (Step.RECEIPT, "before")],
    ids=lambda one: f"{one[0].word}-{one[1]}",
)
async def test_another_worker_takes_over_from_one_that_died(
    scene: Scene, report: Report, point: Point
) -> None:
    """The dead one's session runs out; then the other publishes what was applied and not published, and goes on."""
    step, when = point
    play = Play(7)
    async with report.trying(scene, play, "take-over", f"{when} step {step.value}"):
        play.start(scene.settings)
        await scene.start("a", trouble=f"kill:{step.value}:{when}:+5")
        dying = scene.workers["a"]
        await scene.start("b")
        await scene.dies_of_it(dying)
        (epochs,) = [{lane.lane: lane.epoch for lane in await scene.books.lanes()}]
        await scene.taken_over(epochs)
