"""The reference data a batch is decided with: cached by the worker, read anew after its time and at once when told.

Three caches, each with its own time to live: providers (their status among it), games, and preferences (the policy of
wallets, and currencies). Nothing that decides about money is here (balances, limits, blocks, sessions): that is read
under lock in each batch. A lane never waits for a reading: it uses what the worker read last.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from time import monotonic
from typing import Final, NamedTuple

from cachetools import TTLCache

from processor.domain.profiles import Reference


class Row(NamedTuple):
    """One document as it is stored; ``document`` is JSON, None in the row that only tells the revision."""

    kind: str
    name: str
    document: str | None
    revision: int


#: Reads the rows of these kinds, and always the row that tells the newest revision.
Read = Callable[[Set[str]], Awaitable[Sequence[Row]]]

#: Makes what the law reads out of the rows of all kinds.
Build = Callable[[Sequence[Row]], Reference]


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long each kind is good unless a change is told, in seconds."""

    providers: float = 300.0
    games: float = 3600.0
    preferences: float = 900.0

    def by_kind(self, kinds: Set[str]) -> Mapping[str, float]:
        """What is neither providers nor games counts among the preferences."""
        named = {"providers": self.providers, "games": self.games}
        return {kind: named.get(kind, self.preferences) for kind in kinds}

    @property
    def shortest(self) -> float:
        return min(self.providers, self.games, self.preferences)


class References:
    """The newest reference data that this worker has read. `refresh` is called by the worker, never by a lane."""

    def __init__(
        self,
        read: Read,
        build: Build,
        kinds: Set[str],
        lifetimes: Lifetimes | None = None,
        *,
        current: Reference | None = None,
        timer: Callable[[], float] = monotonic,
    ) -> None:
        self.current: Reference = current or Reference()
        self._read = read
        self._build = build
        self._kinds: Final = frozenset(kinds)
        times = (lifetimes or Lifetimes()).by_kind(self._kinds)
        self._caches: dict[str, TTLCache[str, list[Row]]] = {
            kind: TTLCache(maxsize=1, ttl=seconds, timer=timer) for kind, seconds in times.items()
        }

    async def refresh(self, *, told: bool = False) -> bool:
        """Read the kinds whose time is over, all of them when a change was ``told``; True when the revision moved.

        Where the revision has moved, what is cached of other kinds may be old too, though nobody told: all is read
        again, so that what a batch is decided with is always one revision. Raises `errors.WorldFault`.
        """
        if told:
            for cache in self._caches.values():
                cache.clear()
        good = {kind: kept for kind, cache in self._caches.items() if (kept := cache.get(kind)) is not None}
        if len(good) == len(self._kinds):
            return False
        rows = await self._read(self._kinds - good.keys())
        if good and _revision(rows) != self.current.revision:
            good = {}
            rows = await self._read(self._kinds)
        for kind in self._kinds - good.keys():
            self._caches[kind][kind] = [row for row in rows if row.kind == kind]
        before = self.current
        self.current = self._build([*(row for kept in good.values() for row in kept), *rows])
        return before.revision != self.current.revision or not before.currencies


def _revision(rows: Sequence[Row]) -> int:
    return max((row.revision for row in rows), default=0)
