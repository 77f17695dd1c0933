"""The reference data a batch is decided with: cached by the worker, read anew after its time and at once when told.

Nothing that decides about money is here (balances, limits, blocks, sessions): that is read under lock in each batch.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from processor.domain.profiles import Reference


@dataclass(slots=True)
class References:
    """The newest reference data that this worker has read. `refresh` is called by the worker, never by a lane."""

    read: Callable[[], Awaitable[Reference]]
    current: Reference = field(default_factory=Reference)

    async def refresh(self) -> bool:
        """Read it; True when its revision moved. Raises `errors.WorldFault`."""
        found = await self.read()
        moved = found.revision != self.current.revision or not self.current.currencies
        self.current = found
        return moved
