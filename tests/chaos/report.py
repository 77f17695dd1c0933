"""The table of what was tried: scenario, seed, trouble, events, how long it took, verdict."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from tests.chaos.oracle import examine
from tests.chaos.play import Play
from tests.chaos.scene import Scene

_HEADINGS: Final = ("scenario", "seed", "trouble", "deaths", "events", "answers", "seconds", "verdict")


@dataclass
class Report:
    """One row for each scenario that was tried."""

    rows: list[tuple[str, ...]] = field(default_factory=list)

    @asynccontextmanager
    async def trying(self, scene: Scene, play: Play, scenario: str, trouble: str) -> AsyncIterator[None]:
        """Make trouble within the block; then the play ends, everything drains, and the oracle looks.

        Raises AssertionError with every fault that it finds.
        """
        began = time.monotonic()
        row = [scenario, str(play.seed), trouble]
        try:
            try:
                yield
                await play.end()
                await scene.drained()
            finally:
                play.abandon()
            await scene.stop_all()
            verdict = await examine(scene, play)
        except BaseException as problem:
            self._note(row, scene, "", "", began, f"not seen to its end: {type(problem).__name__}")
            raise
        answers = str(verdict.results + verdict.letters)
        self._note(row, scene, str(verdict.events), answers, began, "; ".join(verdict.faults) or "clean")
        assert verdict.faults == [], "\n".join([*verdict.faults, scene.tails()])

    def _note(
        self, row: list[str], scene: Scene, events: str, answers: str, began: float, verdict: str
    ) -> None:
        seconds = f"{time.monotonic() - began:.1f}"
        self.rows.append((*row, str(scene.deaths), events, answers, seconds, verdict))

    def lines(self) -> list[str]:
        """The table as text, columns aligned."""
        table = [_HEADINGS, *self.rows]
        widths = [max(len(row[place]) for row in table) for place in range(len(_HEADINGS) - 1)]
        return [
            "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])
            for row in table
        ]
