"""How a certification is played: how much at once, which events are sent twice, whether a worker is killed."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

#: Half of the copies follow their event at once, into the same batch as a rule; the others wait for its answer.
_AT_ONCE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something done to the installation once half of all events are sent; ``grace_seconds`` is added to all waits.

    ``act`` returns when the installation should be as before.
    """

    act: Callable[[], Awaitable[None]]
    grace_seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do besides playing the cases.

    ``parallel`` cases are played at the same time; ``duplicate`` is the share of all events that
    is sent twice, 0 to 1; the same ``seed`` chooses the same events.
    """

    parallel: int = 16
    duplicate: float = 0.0
    seed: int = 1
    trouble: Trouble | None = None

    @property
    def grace_seconds(self) -> float:
        return 0.0 if self.trouble is None else self.trouble.grace_seconds


class Copy(Enum):
    """Whether and when an event is sent a second time."""

    NONE = "none"
    AT_ONCE = "at once"
    LATER = "once the event has its answer"


class Copier:
    """Chooses what is sent twice in one case; the case's place in the run does not matter."""

    def __init__(self, share: float, seed: int, case_id: str) -> None:
        self._share = share
        self._dice = random.Random(f"{seed} {case_id}")

    def choose(self) -> Copy:
        """Asked once for each event, in the order of the steps."""
        if self._dice.random() >= self._share:
            return Copy.NONE
        return Copy.AT_ONCE if self._dice.random() < _AT_ONCE else Copy.LATER
