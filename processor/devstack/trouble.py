"""Trouble on order: ends or freezes this very process at a numbered step, so that the chaos tests can aim.

``CROUPIER_TROUBLE=kill:8:before:12`` ends the worker with SIGKILL just before step 8 of the first batch whose number
is 12 or above; ``+3`` in place of ``12`` waits for the third time that any lane of this process comes to that place.
``stop`` in place of ``kill`` freezes the process with SIGSTOP, until somebody sends SIGCONT.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Mapping
from typing import Final

from processor.errors import WrongUsage
from processor.lane.steps import Step
from processor.ports import StepHook

VARIABLE: Final = "CROUPIER_TROUBLE"
_SIGNALS: Final = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
_ORDER: Final = re.compile(r"(kill|stop):([1-9]|1[01]):(before|after):(\+[1-9]\d*|\d+)")


def hook_from(environment: Mapping[str, str]) -> StepHook | None:
    """The hook that the environment orders, None where it orders none. Raises `errors.WrongUsage`."""
    ordered = environment.get(VARIABLE)
    if not ordered:
        return None
    if environment.get("CROUPIER_ENVIRONMENT") == "production":
        raise WrongUsage(f"{VARIABLE} is for tests and is refused in production: unset it.")
    order = _ORDER.fullmatch(ordered)
    if order is None:
        raise WrongUsage(
            f"{VARIABLE}={ordered!r} is not of the form kill|stop:STEP:before|after:BATCH (or +TIMES)."
        )
    what, step, when, batch = order.groups()
    times, seq = (int(batch), 0) if batch.startswith("+") else (1, int(batch))
    return _hook(_SIGNALS[what], Step(int(step)), when, times, seq)


def _hook(sent: signal.Signals, step: Step, when: str, times: int, seq: int) -> StepHook:
    left = times

    async def strike(at: int, moment: str, batch: int) -> None:
        nonlocal left
        if left and at == step and moment == when and batch >= seq:
            left -= 1
            if not left:
                os.kill(os.getpid(), sent)

    return strike
