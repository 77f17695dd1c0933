"""The rest of the world: the time, new ids, and the seam where trouble can be made on order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The time, so that tests and the simulation can turn it."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...

    def monotonic_seconds(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class Identifiers(Protocol):
    """Where new ids come from."""

    def transaction_ids(self, at: datetime) -> Iterator[str]:
        """Time-ordered UUIDs (version 7) without end, each above the one before."""
        ...


#: Called as (step number, "before" or "after", batch number) as a lane goes: the seam of the chaos tests.
StepHook = Callable[[int, str, int], Awaitable[None]]
