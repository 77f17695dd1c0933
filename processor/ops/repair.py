"""What `croupier audit --repair results` does: lanes are asked to tell again what the topic lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from processor.ops.desk import open_desk
from processor.ops.results_audit import Missing
from processor.postgres.desk import results
from processor.postgres.desk.parked import request_state
from processor.settings import Settings

_LOOK_EVERY_SECONDS = 0.2


@dataclass(slots=True)
class Repaired:
    """What came of a repair: results told again, requests that wait for a worker, and those that could not be."""

    told_again: int = 0
    waiting: int = 0
    refused: list[str] = field(default_factory=list)


async def repair(
    settings: Settings, missing: Sequence[Missing], *, actor: str, why: str, wait_seconds: float
) -> Repaired:
    """Put a request for each missing first result before its lane, and wait a while for what comes of them.

    Nothing is written beside a lane's fence: the lane itself renders and publishes, in its next batch.
    """
    report = Repaired()
    async with open_desk(settings) as desk:
        asked: dict[int, Missing] = {}
        for one in missing:
            outcome = one.outcome
            number = await results.ask_for_repair(
                desk, outcome.player, outcome.sequence, outcome.event_partition, actor=actor, why=why
            )
            if number is None:
                report.waiting += 1
            else:
                asked[number] = one
        deadline = asyncio.get_running_loop().time() + wait_seconds
        while asked:
            for number in list(asked):
                done_at, what_came = await request_state(desk, number)
                if done_at is not None:
                    _note(report, asked.pop(number), what_came or "")
            if asked and asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
        report.waiting += len(asked)
    return report


def _note(report: Repaired, one: Missing, what_came: str) -> None:
    if what_came == "told again":
        report.told_again += 1
    else:
        report.refused.append(f"{one.outcome.provider}/{one.outcome.transaction_id}: {what_came}")
