"""What happens to the lines between worker and server: delays, silence one way or both, cuts, also within an answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import ClassVar, Final, Self

from processor.devstack.proxy import BOTH, Direction, TcpProxy
from tests.chaos.scenarios.stage import Stage
from tests.chaos.scenarios.trouble import Trouble

_WAYS: Final = {"both ways": BOTH, **{way.value: (way,) for way in Direction}}


class _OnALine(Trouble):
    """Trouble on the line to one of the servers."""

    server: ClassVar[str]

    def line(self, stage: Stage) -> TcpProxy:
        return stage.postgres_line if self.server == "Postgres" else stage.kafka_line


@dataclass(frozen=True)
class _Delayed(_OnALine):
    """Every piece waits."""

    lasts: ClassVar[tuple[float, float]] = (3.0, 6.0)

    milliseconds: int
    way: str

    @classmethod
    def drawn(cls, chance: Random) -> Self:
        return cls(chance.choice((20, 80, 300)), chance.choice(sorted(_WAYS)))

    def words(self) -> str:
        return f"{self.name} by {self.milliseconds} ms, {self.way}"

    @asynccontextmanager
    async def made(self, stage: Stage) -> AsyncIterator[None]:
        seconds = self.milliseconds / 1000
        self.line(stage).delay(seconds, seconds, *_WAYS[self.way])
        yield
        self.line(stage).heal()


@dataclass(frozen=True)
class _Silent(_OnALine):
    """Pieces vanish, connections stay; at last they are reset, as what has vanished does not come again."""

    lasts: ClassVar[tuple[float, float]] = (4.0, 9.0)

    way: str

    @classmethod
    def drawn(cls, chance: Random) -> Self:
        return cls(chance.choice(sorted(_WAYS)))

    def words(self) -> str:
        return f"{self.name}, {self.way}"

    @asynccontextmanager
    async def made(self, stage: Stage) -> AsyncIterator[None]:
        self.line(stage).drop(*_WAYS[self.way])
        yield
        self.line(stage).heal()
        await self.line(stage).cut()


@dataclass(frozen=True)
class _Cut(_OnALine):
    """Connections are reset, and new ones refused for a while."""

    pauses: tuple[float, ...]

    @classmethod
    def drawn(cls, chance: Random) -> Self:
        return cls(tuple(round(chance.uniform(0.1, 1.0), 2) for _ in range(5)))

    def words(self) -> str:
        return f"{self.name}, {len(self.pauses)} times, then refused"

    @asynccontextmanager
    async def made(self, stage: Stage) -> AsyncIterator[None]:
        for pause in self.pauses:
            await self.line(stage).cut()
            await asyncio.sleep(pause)
        self.line(stage).refuse()
        await self.line(stage).cut()
        yield
        self.line(stage).heal()


@dataclass(frozen=True)
class _CutWithin(_OnALine):
    """A part of what goes one way comes through, then the connection ends: half an answer, half a request."""

    way: str
    pauses: tuple[float, ...]

    @classmethod
    def drawn(cls, chance: Random) -> Self:
        way = chance.choice([one.value for one in Direction])
        return cls(way, tuple(round(chance.uniform(0.05, 0.4), 2) for _ in range(15)))

    def words(self) -> str:
        return f"{self.name}, {self.way}, {len(self.pauses)} times"

    @asynccontextmanager
    async def made(self, stage: Stage) -> AsyncIterator[None]:
        for pause in self.pauses:
            self.line(stage).cut_within_next(Direction(self.way))
            await asyncio.sleep(pause)
        yield
        self.line(stage).heal()


class PostgresDelayed(_Delayed):
    name, server, touches = "line to Postgres delayed", "Postgres", frozenset({"Postgres line"})


class PostgresSilent(_Silent):
    name, server, touches = "line to Postgres silent", "Postgres", frozenset({"Postgres line"})


class PostgresCut(_Cut):
    name, server, touches = "line to Postgres cut", "Postgres", frozenset({"Postgres line"})


class PostgresCutWithin(_CutWithin):
    name, server, touches = "line to Postgres cut half-way", "Postgres", frozenset({"Postgres line"})


class KafkaDelayed(_Delayed):
    name, server, touches = "line to Kafka delayed", "Kafka", frozenset({"Kafka line"})


class KafkaSilent(_Silent):
    name, server, touches = "line to Kafka silent", "Kafka", frozenset({"Kafka line"})


class KafkaCut(_Cut):
    name, server, touches = "line to Kafka cut", "Kafka", frozenset({"Kafka line"})


class KafkaCutWithin(_CutWithin):
    name, server, touches = "line to Kafka cut half-way", "Kafka", frozenset({"Kafka line"})
