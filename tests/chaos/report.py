"""The table of what was tried: scenario, seed, trouble, events, how long recovery took, verdict; also as a file."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import orjson
from rich.console import Console
from rich.table import Table

from tests.chaos.oracle import examine
from tests.chaos.play import Play
from tests.chaos.scene import Scene

_HEADINGS: Final = (
    "scenario",
    "seed",
    "trouble",
    "deaths",
    "events",
    "answers",
    "recovery s",
    "all s",
    "verdict",
)
_WIDTH: Final = 200


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
        recovery = "" if scene.recovery_seconds is None else f"{scene.recovery_seconds:.1f}"
        seconds = f"{time.monotonic() - began:.1f}"
        self.rows.append((*row, str(scene.deaths), events, answers, recovery, seconds, verdict))

    def table(self) -> str:
        """The table for a terminal."""
        table = Table(*_HEADINGS)
        for row in self.rows:
            table.add_row(*row)
        console = Console(width=_WIDTH, force_terminal=False)
        with console.capture() as captured:
            console.print(table, markup=False)
        return captured.get()

    def write(self, file: Path) -> None:
        """The same as JSON: a list with an object for each scenario."""
        file.parent.mkdir(parents=True, exist_ok=True)
        rows = [dict(zip(_HEADINGS, row, strict=True)) for row in self.rows]
        file.write_bytes(orjson.dumps(rows, option=orjson.OPT_INDENT_2))
