"""Patience: faults of the world are retried in place with back-off and jitter, for as long as the lane is wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from processor.errors import WorldFault
from processor.lane.observer import Observer
from processor.ports import Clock


@dataclass(slots=True)
class Patience:
    """How one lane waits: from ``first_seconds``, doubling with full jitter, never longer than ``most_seconds``."""

    lane: int
    clock: Clock
    observer: Observer
    first_seconds: float
    most_seconds: float

    def attempts(self, give_up: Callable[[], bool]) -> AsyncRetrying:
        """Attempts that go on after every `errors.WorldFault`, until ``give_up`` (then the last fault is raised)."""
        return AsyncRetrying(
            retry=retry_if_exception_type(WorldFault),
            wait=wait_random_exponential(multiplier=self.first_seconds, max=self.most_seconds),
            stop=lambda _: give_up(),
            sleep=self.clock.sleep,
            before_sleep=self._say,
            reraise=True,
        )

    def _say(self, state: RetryCallState) -> None:
        problem = state.outcome.exception() if state.outcome is not None else None
        if problem is not None:
            self.observer.retrying(self.lane, problem, state.attempt_number)
