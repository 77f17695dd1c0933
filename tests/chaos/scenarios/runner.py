"""One scenario from its beginning to the oracle: two workers under load, trouble, healing, recovery.

Senders sign, and the workers believe nobody who does not: so forgeries are among the bad events.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

from processor.devstack.embedded import EmbeddedStack
from tests.chaos.play import Play
from tests.chaos.report import Report
from tests.chaos.scenarios.plan import Injection, Scenario
from tests.chaos.scenarios.small_disk import SmallDisk, move_onto_small_disk
from tests.chaos.scenarios.stage import Stage, set_up
from tests.chaos.scene import staged

#: Three lanes for two workers, one each when a third joins; wins wait for their bets longer than any outage.
_LANES: Final = {"CROUPIER_LANES": "3"}
_WAIT_SECONDS: Final = 600


async def play_out(
    scenario: Scenario,
    servers: EmbeddedStack,
    template: str,
    directory: Path,
    report: Report,
    disk: SmallDisk | None,
) -> None:
    """Raises AssertionError with everything that the oracle finds wrong, or with what was waited for in vain."""
    play = Play(scenario.seed, exactly=True, orphans=False)
    async with staged(
        servers, template, directory, wait_seconds=_WAIT_SECONDS, signed=True, **_LANES
    ) as scene:
        if disk is not None:
            await move_onto_small_disk(scene.database.name, scene.superuser_dsn)
        async with (
            set_up(servers, scene, play, scenario.needs(), None if disk is None else disk.folder) as stage,
            report.trying(scene, play, scenario.name, scenario.words()),
        ):
            await stage.crew.join("a")
            await stage.crew.join("b")
            play.start(scene.settings)
            await scene.progress()
            async with asyncio.TaskGroup() as group:
                for injection in scenario.injections:
                    group.create_task(_made(stage, injection))
            healed = time.monotonic()
            await scene.progress()
            scene.recovery_seconds = time.monotonic() - healed
            await play.end()
            await scene.drained()
            await stage.crew.stand_down()


async def _made(stage: Stage, injection: Injection) -> None:
    await asyncio.sleep(injection.after_seconds)
    async with injection.trouble.made(stage):
        await asyncio.sleep(injection.lasts_seconds)
