"""What happens to workers: they die at a step or anywhere, freeze and wake, join and leave, misread the time."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import ClassVar, Final, Self

from processor.lane.steps import Step
from tests.chaos.scenarios.stage import Stage
from tests.chaos.scenarios.trouble import Trouble

#: Where a frozen worker leaves something half done: fenced in Postgres, or in Kafka, when it wakes.
_BEFORE_COMMIT: Final = (8, "before")
_BEFORE_RECEIPT: Final = (10, "before")
_POINTS: Final = [(step.value, when) for step in Step for when in ("before", "after")]


@dataclass(frozen=True)
class KilledAtAStep(Trouble):
    """kill −9 of worker a, just before or after one of the numbered steps; it is started again."""

    name = "killed at a step"
    touches = frozenset({"worker a"})

    step: int
    when: str
    times: int

    @classmethod
    def drawn(cls, chance: Random) -> Self:
        return cls(*chance.choice(_POINTS), chance.randint(1, 4))

    def words(self) -> str:
        return f"killed {self.when} step {self.step}"

    @asynccontextmanager
    async def made(self, stage: Stage) -> AsyncIterator[None]:
        deaths = stage.crew.deaths["a"]
        stage.crew.order("a", f"kill:{self.step}:{self.when}:+{self.times}")
        yield

        async def has_died() -> bool:
            return stage.crew.deaths["a"] > deaths

        await stage.eventually(has_died, f"the death of a, {self.words()}")


@dataclass(frozen=True)
class KilledAgainAndAgain(Trouble):
    """kill −9 of both workers, in turns, at moments that nobody has chosen."""

    name = "killed again and again"
    touches = frozenset({"worker a", "worker b"})

    pauses: tuple[float, ...]

    @classmethod
    def drawn(cls, chance: Random) -> Self:
        return cls(tuple(round(chance.uniform(0.5, 3), 2) for _ in range(4)))

    def words(self) -> str:
        return f"{self.name}, {len(self.pauses)} times"

    @asynccontextmanager
    async def made(self, stage: Stage) -> AsyncIterator[None]:
        for number, pause in enumerate(self.pauses):
            stage.crew.kill("ab"[number % 2])
            await asyncio.sleep(pause)
        yield


@dataclass(frozen=True)
class Zombie(Trouble):
    """Worker b freezes at a step, past its session; others take over; then it wakes, and must be fenced."""

    name = "zombie"
    touches = frozenset({"worker b"})

    step: int
    when: str
    times: int

    @classmethod
    def drawn(cls, chance: Random) -> Self:
        return cls(*chance.choice([(1, "after"), (8, "after"), (9, "before"), (10, "after")]), 2)

    def words(self) -> str:
        return f"{self.name}, frozen {self.when} step {self.step}"

    @asynccontextmanager
    async def made(self, stage: Stage) -> AsyncIterator[None]:
        stage.crew.order("b", f"stop:{self.step}:{self.when}:+{self.times}")
        yield
        crew = stage.crew

        async def is_frozen() -> bool:
            return crew.is_frozen("b")

        await stage.eventually(is_frozen, f"b frozen {self.when} step {self.step}")
        pid, length = crew.pid("b"), crew.log_length("b")
        assert pid is not None

        async def nothing_is_its_own() -> bool:
            lanes = await stage.scene.books.lanes()
            return all(not (lane.owner or "").endswith(f":{pid}") for lane in lanes)

        await stage.eventually(nothing_is_its_own, "somebody taking over the lanes of the frozen worker")
        os.kill(pid, signal.SIGCONT)

        async def has_noticed() -> bool:
            return crew.said_since("b", length, "lane.fenced", "lane.left", "lane.stopped")

        await stage.eventually(has_noticed, "the zombie letting go")


class ZombieBeforeCommit(Zombie):
    """With a Postgres transaction open: what it had written must not be there."""

    name = "zombie to be fenced in Postgres"

    @classmethod
    def drawn(cls, chance: Random) -> Self:
        return cls(*_BEFORE_COMMIT, chance.randint(1, 4))


class ZombieBeforeReceipt(Zombie):
    """With a Kafka transaction open: what it had sent must never be committed."""

    name = "zombie to be fenced in Kafka"

    @classmethod
    def drawn(cls, chance: Random) -> Self:
        return cls(*_BEFORE_RECEIPT, chance.randint(1, 4))


@dataclass(frozen=True)
class JoinsAndLeaves(Trouble):
    """A third worker joins under load, and leaves in good order."""

    name = "a worker joins and leaves"
    touches = frozenset({"worker c"})
    lasts: ClassVar[tuple[float, float]] = (3.0, 6.0)

    @asynccontextmanager
    async def made(self, stage: Stage) -> AsyncIterator[None]:
        await stage.crew.join("c")
        yield

        async def is_there() -> bool:
            return stage.crew.said_since("c", 0, "lane.recovered")

        await stage.eventually(is_there, "c getting a lane")
        await stage.crew.leave("c")


@dataclass(frozen=True)
class ClockStepped(Trouble):
    """The clock of worker a is stepped, and put right again."""

    name = "clock stepped"
    touches = frozenset({"clock"})

    seconds: int

    @classmethod
    def drawn(cls, chance: Random) -> Self:
        return cls(chance.choice((-86_400, -3_600, -30, 30, 3_600, 86_400)))

    def words(self) -> str:
        return f"{self.name} by {self.seconds:+d} s"

    @asynccontextmanager
    async def made(self, stage: Stage) -> AsyncIterator[None]:
        stage.crew.order("a", f"clock{self.seconds:+d}:6:before:+1")
        pid = stage.crew.pid("a")
        yield
        if stage.crew.pid("a") == pid:
            stage.crew.order("a", f"clock{-self.seconds:+d}:6:before:+1")
