"""Every trouble of the table alone, and pairs of them at once, as the seed of the run has drawn them (`make chaos`).

``CROUPIER_CHAOS_SEED`` is the seed, ``CROUPIER_CHAOS_PAIRS`` how many pairs. A scenario that was red is played again by
its seed and its name alone: ``CROUPIER_CHAOS_SEED=2 pytest tests/chaos/test_scenarios.py -m long -k …``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

from processor.devstack.embedded import EmbeddedStack
from tests.chaos.play import chaos_seed
from tests.chaos.report import Report
from tests.chaos.scenarios.plan import Scenario, pairs, singles
from tests.chaos.scenarios.runner import play_out
from tests.chaos.scenarios.small_disk import SmallDisk

_PAIRS: Final = int(os.environ.get("CROUPIER_CHAOS_PAIRS", "30"))
#: What `make test` plays of them.
_SHORT: Final = 2


def _parameters() -> list[object]:
    two = pairs(chaos_seed(), _PAIRS)
    short = [pytest.param(one, id=one.name) for one in two[:_SHORT]]
    rest = [*singles(chaos_seed()), *two[_SHORT:]]
    return [*short, *(pytest.param(one, id=one.name, marks=pytest.mark.long) for one in rest)]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("scenario", _parameters())
async def test_nothing_is_lost_and_nothing_doubled(
    scenario: Scenario,
    servers: EmbeddedStack,
    migrated: str,
    tmp_path: Path,
    report: Report,
    disk: SmallDisk | None,
) -> None:
    await servers.postgres.start()
    await servers.kafka.start()
    wanted = "small disk" in scenario.needs()
    if wanted and disk is None:
        pytest.skip("no file system can be mounted here, so no disk can be filled")
    await play_out(scenario, servers, migrated, tmp_path, report, disk if wanted else None)
