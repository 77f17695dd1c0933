"""Is the worker alive, is it ready: what lanes last said, and the answers of `/livez` and `/readyz`.

Alive means that the loop of every lane turns (a lane that waits for Postgres still turns). Ready means that
every lane the group gave this worker can apply and publish; one that tries the same again because a server is away
cannot. A lane that stopped by its own doubt, or that
another worker has, need not turn: killing the process would mend neither.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


class Verdict(NamedTuple):
    """The answer to a probe: good or bad, and why, as a JSON-ready object."""

    good: bool
    body: dict[str, object]


@dataclass(slots=True)
class _LaneSigns:
    turned_at: float
    is_ready: bool = False
    why: str = "starting"
    must_turn: bool = False
    retries: str = ""

    def reasons(self) -> str:
        """Why it is not ready; empty where it is."""
        own = "" if self.is_ready else self.why or "not ready"
        return "; ".join(filter(None, (own, self.retries)))


class Health:
    """Keeps the newest sign of each lane. ``monotonic`` gives seconds and only ever grows.

    A lane below 0 stands for the worker itself: it can be unready, and need not turn.
    """

    def __init__(self, *, stall_seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._stall_seconds = stall_seconds
        self._monotonic = monotonic
        self._lanes: dict[int, _LaneSigns] = {}
        self._assigned: int | None = None

    def turned(self, lane: int) -> None:
        """The lane's loop went round."""
        signs = self._lanes.get(lane)
        if signs is None:
            self._lanes[lane] = _LaneSigns(self._monotonic(), must_turn=True)
        else:
            signs.turned_at = self._monotonic()
            signs.must_turn = True

    def ready(self, lane: int, is_ready: bool, why: str) -> None:
        """The lane can, or for now cannot, apply and publish."""
        signs = self._lanes.setdefault(lane, _LaneSigns(self._monotonic()))
        signs.is_ready, signs.why = is_ready, why

    def retrying(self, lane: int, why: str) -> None:
        """The lane tries the same again for a fault of the world: alive, and not ready until it goes on."""
        self.turned(lane)
        self._lanes[lane].retries = why

    def goes_on(self, lane: int) -> bool:
        """What the lane retried is done. True where this made it ready."""
        signs = self._lanes.get(lane)
        if signs is None or not signs.retries:
            return False
        signs.retries = ""
        return signs.is_ready

    def stopped(self, lane: int, why: str) -> None:
        """The lane stopped itself: not ready, and not expected to turn."""
        self.ready(lane, False, why)
        self._lanes[lane].must_turn = False

    def left(self, lane: int) -> None:
        """The lane is no longer this worker's."""
        self._lanes.pop(lane, None)

    def rebalanced(self, assigned: int) -> None:
        """The group gave this worker so many partitions."""
        self._assigned = assigned

    def live(self) -> Verdict:
        """Do the loops of all lanes turn?"""
        now = self._monotonic()
        stalled = {
            str(lane): round(now - signs.turned_at, 1)
            for lane, signs in sorted(self._lanes.items())
            if signs.must_turn and now - signs.turned_at > self._stall_seconds
        }
        body: dict[str, object] = {"alive": not stalled, "lanes": sum(lane >= 0 for lane in self._lanes)}
        if stalled:
            body["stalled_seconds"] = stalled
        return Verdict(not stalled, body)

    def readiness(self) -> Verdict:
        """Is every assigned lane ready, and if not, why not?"""
        if self._assigned is None:
            return Verdict(False, {"ready": False, "reasons": {"worker": "has not joined the group yet"}})
        reasons = {
            f"lane {lane}" if lane >= 0 else "worker": why
            for lane, signs in sorted(self._lanes.items())
            if (why := signs.reasons())
        }
        if self._assigned and not any(lane >= 0 for lane in self._lanes):
            reasons["worker"] = "its lanes are starting"
        body: dict[str, object] = {
            "ready": not reasons,
            "lanes": sorted(lane for lane in self._lanes if lane >= 0),
            "partitions": self._assigned,
            "reasons": reasons,
        }
        return Verdict(not reasons, body)
