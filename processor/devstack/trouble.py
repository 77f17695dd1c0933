"""Trouble on order: ends, freezes or misleads this very process at a numbered step, so that the chaos tests can aim.

``CROUPIER_TROUBLE=kill:8:before:12`` ends the worker with SIGKILL just before step 8 of the first batch whose number
is 12 or above; ``+3`` in place of ``12`` waits for the third time that any lane of this process comes to that place.
``stop`` in place of ``kill`` freezes the process with SIGSTOP, until somebody sends SIGCONT; ``clock+3600`` and
``clock-3600`` step the clock that the worker reads by so many seconds, from then on.

``CROUPIER_TROUBLE=@FILE`` takes orders while the worker runs, one a line: the file is looked at wherever a step
begins or ends, lines that were added since then are taken up, a file that is not there holds none.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from processor.errors import WrongUsage
from processor.lane.steps import Step
from processor.system import SystemClock

VARIABLE: Final = "CROUPIER_TROUBLE"
_SIGNALS: Final = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
_ORDER: Final = re.compile(
    r"(kill|stop|clock(?=[+-]))([+-]\d{1,9})?:([1-9]|1[01]):(before|after):(\+[1-9]\d*|\d+)"
)
_FORM: Final = "kill|stop|clock+SECONDS|clock-SECONDS:STEP:before|after:BATCH (or +TIMES)"


class SteppedClock(SystemClock):
    """The machine's clock, until it is stepped; its monotonic seconds go on as ever."""

    def __init__(self) -> None:
        self._off_by = timedelta()

    def now(self) -> datetime:
        """What a machine with a wrong clock would say: aware UTC."""
        return super().now() + self._off_by

    def step(self, seconds: float) -> None:
        """Put it forward, or back where negative."""
        self._off_by += timedelta(seconds=seconds)


@dataclass(slots=True)
class _Order:
    """One thing to do, once, at one place; ``left`` counts the times that the place is still to be passed."""

    act: Callable[[], None]
    step: Step
    when: str
    left: int
    seq: int

    def come_by(self, at: int, moment: str, batch: int) -> None:
        if self.left and at == self.step and moment == self.when and batch >= self.seq:
            self.left -= 1
            if not self.left:
                self.act()


class TroubleOnOrder:
    """The orders of one worker: `hook` carries them out, `clock` is the one that they step."""

    def __init__(self, file: Path | None = None) -> None:
        self.clock = SteppedClock()
        self._file = file
        self._seen = 0
        self._orders: list[_Order] = []

    def take(self, ordered: str) -> None:
        """Take up one order. Raises `errors.WrongUsage` where it is not understood."""
        order = _ORDER.fullmatch(ordered)
        if order is None or (order[1] == "clock") != (order[2] is not None):
            raise WrongUsage(f"{VARIABLE}: {ordered!r} is not of the form {_FORM}.")
        what, seconds, step, when, batch = order.groups()
        times, seq = (int(batch), 0) if batch.startswith("+") else (1, int(batch))
        self._orders.append(_Order(self._action(what, seconds), Step(int(step)), when, times, seq))

    async def hook(self, at: int, moment: str, batch: int) -> None:
        """The lane comes by: called as (step number, "before" or "after", batch number)."""
        self._look_for_more()
        for order in self._orders:
            order.come_by(at, moment, batch)

    def _action(self, what: str, seconds: str | None) -> Callable[[], None]:
        if seconds is not None:
            return lambda: self.clock.step(int(seconds))
        return lambda: os.kill(os.getpid(), _SIGNALS[what])

    def _look_for_more(self) -> None:
        if self._file is None or not self._file.exists():
            return
        lines = self._file.read_text().split("\n")[
            :-1
        ]  # what stands behind the last newline is not all written
        new, self._seen = lines[self._seen :], len(lines)
        for line in new:
            self.take(line)


def trouble_from(environment: Mapping[str, str]) -> TroubleOnOrder | None:
    """What the environment orders, None where it orders nothing. Raises `errors.WrongUsage`."""
    ordered = environment.get(VARIABLE)
    if not ordered:
        return None
    if environment.get("CROUPIER_ENVIRONMENT") == "production":
        raise WrongUsage(f"{VARIABLE} is for tests and is refused in production: unset it.")
    if ordered.startswith("@"):
        return TroubleOnOrder(Path(ordered[1:]))
    trouble = TroubleOnOrder()
    trouble.take(ordered)
    return trouble
