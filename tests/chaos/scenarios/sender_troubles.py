"""What senders do: everything twice, bad events in heaps, one partition late and then all at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import ClassVar, Self

from tests.chaos.scenarios.stage import Stage
from tests.chaos.scenarios.trouble import Trouble


@dataclass(frozen=True)
class SentAgain(Trouble):
    """A sender that has forgotten what it sent sends hundreds of events again, the same bytes."""

    name = "everything sent again"
    touches = frozenset({"sender"})

    count: int

    @classmethod
    def drawn(cls, chance: Random) -> Self:
        return cls(chance.randint(200, 500))

    def words(self) -> str:
        return f"{self.count} events sent again"

    @asynccontextmanager
    async def made(self, stage: Stage) -> AsyncIterator[None]:
        stage.play.send_again(self.count)
        yield


@dataclass(frozen=True)
class BadEvents(Trouble):
    """Forged, malformed and oversized events in a row."""

    name = "bad events in heaps"
    touches = frozenset({"bad events"})

    count: int

    @classmethod
    def drawn(cls, chance: Random) -> Self:
        return cls(chance.randint(100, 300))

    def words(self) -> str:
        return f"{self.count} forged, malformed or oversized events"

    @asynccontextmanager
    async def made(self, stage: Stage) -> AsyncIterator[None]:
        stage.play.send_bad_ones(self.count)
        yield


@dataclass(frozen=True)
class PartitionHeldBack(Trouble):
    """What is for one partition comes late, and then all at once: other partitions are seconds ahead."""

    name = "a partition held back"
    touches = frozenset({"partition"})
    lasts: ClassVar[tuple[float, float]] = (3.0, 8.0)

    partition: int

    @classmethod
    def drawn(cls, chance: Random) -> Self:
        return cls(chance.randrange(4))

    def words(self) -> str:
        return f"partition {self.partition} held back"

    @asynccontextmanager
    async def made(self, stage: Stage) -> AsyncIterator[None]:
        stage.play.hold_back(self.partition)
        yield
        stage.play.let_go()
