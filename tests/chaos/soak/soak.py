"""A soak: hours of play with trouble every minute, samples all the while, and the oracle at the end.

The load is a share of what two workers can drain here, measured first, through the same proxies; the trouble is the
table's (scenarios/table.py), in an order that the seed decides.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final, Self

from processor.devstack.embedded import EmbeddedStack
from tests.chaos.oracle import examine
from tests.chaos.play import Play
from tests.chaos.scenarios.plan import Injection, injection
from tests.chaos.scenarios.stage import Stage, set_up
from tests.chaos.scenarios.table import TROUBLES
from tests.chaos.scene import Scene, staged
from tests.chaos.soak.judge import Judgement, judged
from tests.chaos.soak.samples import Sample, Sampler
from tests.chaos.waiting import until
from tests.installations import make_template

#: What needs a database of its own kind is left to `make chaos`.
_TOUCHES_NOT: Final = frozenset({"database"})
_WAIT_SECONDS: Final = 600
_LANES: Final = {"CROUPIER_LANES": "3"}
_AS_FAST_AS_IT_GOES: Final = 1e9
_DRAINED_PATIENCE_SECONDS: Final = 900.0


@dataclass(frozen=True)
class SoakPlan:
    """What is asked for; ``rate`` None means ``share`` of the measured one."""

    seconds: float
    every_seconds: float
    seed: int
    share: float
    measured_events: int
    rate: float | None


@dataclass
class SoakReport:
    """How it went."""

    plan: SoakPlan
    measured_per_second: float = 0.0
    rate: float = 0.0
    seconds: float = 0.0
    events: int = 0
    answers: int = 0
    deaths: int = 0
    troubles: list[str] = field(default_factory=list)
    rows: list[Judgement] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Nothing lost, nothing doubled, nothing that grows as it must not."""
        return not self.faults and all(row.good for row in self.rows)

    def as_document(self) -> dict[str, Any]:
        return {**asdict(self), "good": self.good}

    @classmethod
    def judged_again(cls, document: dict[str, Any]) -> Self:
        """An earlier soak's report, its samples judged as they are judged now."""
        told = {name: value for name, value in document.items() if name != "good"}
        rows = judged([Sample.of_document(one) for one in document["samples"]])
        return cls(**{**told, "plan": SoakPlan(**document["plan"]), "rows": rows})


async def soak(plan: SoakPlan, directory: Path, say: Callable[[str], None]) -> SoakReport:
    """The whole of it, on a stack of its own."""
    report = SoakReport(plan)
    measuring, playing = _folders(directory, "measuring", "playing")
    async with EmbeddedStack() as servers:
        template = await make_template(servers)
        rate = plan.rate
        if rate is None:
            report.measured_per_second = await _measured(servers, template, measuring, plan)
            rate = plan.share * report.measured_per_second
            say(f"Two workers drain {report.measured_per_second:,.0f} events a second here.")
        report.rate = rate
        say(
            f"Playing at {rate:,.0f} a second for {plan.seconds:,.0f} seconds, trouble every {plan.every_seconds:.0f}."
        )
        async with staged(
            servers, template, playing, wait_seconds=_WAIT_SECONDS, signed=False, **_LANES
        ) as scene:
            await _play(servers, scene, report, say)
    return report


def _folders(directory: Path, *names: str) -> list[Path]:
    folders = [directory / name for name in names]
    for folder in folders:
        folder.mkdir()
    return folders


async def _measured(servers: EmbeddedStack, template: str, directory: Path, plan: SoakPlan) -> float:
    """Events a second of a backlog, drained by two workers through the proxies, from the first batch on."""
    play = Play(plan.seed, exactly=True, rate=_AS_FAST_AS_IT_GOES, orphans=False)
    async with (
        staged(servers, template, directory, wait_seconds=_WAIT_SECONDS, signed=False, **_LANES) as scene,
        set_up(servers, scene, play, frozenset(), None) as stage,
    ):
        play.start(scene.settings)

        async def enough() -> bool:
            return len(play.sent) >= plan.measured_events

        await until(enough, "the backlog")
        await play.end()
        await stage.crew.join("a")
        await stage.crew.join("b")
        await scene.progress()
        already, began = await _applied(scene), time.monotonic()
        await scene.drained()
        rate = (await _applied(scene) - already) / (time.monotonic() - began)
        await stage.crew.stand_down()
        await scene.stop_all()
    return rate


async def _applied(scene: Scene) -> int:
    return sum(offset for lane in await scene.books.lanes() for offset in lane.next_offsets.values())


async def _play(servers: EmbeddedStack, scene: Scene, report: SoakReport, say: Callable[[str], None]) -> None:
    plan = report.plan
    play = Play(plan.seed, exactly=True, players=2_000, rate=report.rate, orphans=False)
    needs = frozenset[str]().union(*(kind.needs for kind in TROUBLES)) - {"small disk"}
    async with set_up(servers, scene, play, needs, None) as stage:
        await stage.crew.join("a")
        await stage.crew.join("b")
        play.start(scene.settings)
        await scene.progress()
        sampler = Sampler(stage)
        sampling = asyncio.create_task(sampler.run(), name="sampler")
        began = time.monotonic()
        try:
            await _trouble_again_and_again(stage, report, began, say)
        finally:
            sampling.cancel()
            await asyncio.gather(sampling, return_exceptions=True)
        await play.end()
        await scene.drained(seconds=_DRAINED_PATIENCE_SECONDS)
        report.seconds = time.monotonic() - began
        await stage.crew.stand_down()
        await scene.stop_all()
    say("All drained; auditing, and comparing every balance.")
    verdict = await examine(scene, play)
    report.faults += verdict.faults
    report.events, report.answers = verdict.events, verdict.results + verdict.letters
    report.deaths = scene.deaths
    report.samples = [one.as_document() for one in sampler.samples]
    report.rows = judged(sampler.samples)


async def _trouble_again_and_again(
    stage: Stage, report: SoakReport, began: float, say: Callable[[str], None]
) -> None:
    plan = report.plan
    for number, one in enumerate(_troubles(plan.seed), 1):
        due = began + number * plan.every_seconds
        if due - began > plan.seconds:
            await asyncio.sleep(max(0.0, began + plan.seconds - time.monotonic()))
            return
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        said = f"{time.monotonic() - began:,.0f} s: {one.trouble.words()}"
        say(said)
        try:
            async with one.trouble.made(stage):
                await asyncio.sleep(one.lasts_seconds)
        except AssertionError as never:
            report.faults.append(f"{said}: {never}")
        report.troubles.append(said)


def _troubles(seed: int) -> Iterator[Injection]:
    """Round after round of all of them, each round in another order."""
    chance = Random(f"{seed} soak")
    kinds = [kind for kind in TROUBLES if not kind.touches & _TOUCHES_NOT]
    while True:
        for kind in chance.sample(kinds, len(kinds)):
            yield injection(kind, chance)
