"""Trouble on order: ends or freezes this very process at a numbered step, so that the chaos tests can aim.

``CROUPIER_TROUBLE=kill:8:before:12`` ends the worker with SIGKILL just before step 8 of the first batch whose number
is 12 or above; ``stop`` in place of ``kill`` freezes it with SIGSTOP, until somebody sends SIGCONT.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from typing import Final

from processor.errors import WrongUsage
from processor.lane.steps import Step
from processor.ports import StepHook

VARIABLE: Final = "CROUPIER_TROUBLE"
_SIGNALS: Final = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


def hook_from(environment: Mapping[str, str]) -> StepHook | None:
    """The hook that the environment orders, None where it orders none. Raises `errors.WrongUsage`."""
    ordered = environment.get(VARIABLE)
    if not ordered:
        return None
    if environment.get("CROUPIER_ENVIRONMENT") == "production":
        raise WrongUsage(f"{VARIABLE} is for tests and is refused in production: unset it.")
    what, _, rest = ordered.partition(":")
    step, _, rest = rest.partition(":")
    when, _, seq = rest.partition(":")
    if what not in _SIGNALS or when not in ("before", "after") or not (step.isdigit() and seq.isdigit()):
        raise WrongUsage(f"{VARIABLE}={ordered!r} is not of the form kill|stop:STEP:before|after:BATCH.")
    return _hook(_SIGNALS[what], Step(int(step)), when, int(seq))


def _hook(sent: signal.Signals, step: Step, when: str, seq: int) -> StepHook:
    done = False

    async def strike(at: int, moment: str, batch: int) -> None:
        nonlocal done
        if not done and at == step and moment == when and batch >= seq:
            done = True
            os.kill(os.getpid(), sent)

    return strike
