"""What happens to Kafka: the broker restarts or is gone, coordinators load or say nothing, offsets are deleted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import ClassVar, Self

from tests.chaos.offsets import group_deleted
from tests.chaos.scenarios.stage import Stage
from tests.chaos.scenarios.trouble import Trouble


@dataclass(frozen=True)
class BrokerRestarted(Trouble):
    """A controlled shutdown and a start."""

    name = "broker restarted"
    touches = frozenset({"kafka"})
    lasts: ClassVar[tuple[float, float]] = (0.0, 0.5)

    @asynccontextmanager
    async def made(self, stage: Stage) -> AsyncIterator[None]:
        async with stage.kafka_in_hand:
            await stage.servers.kafka.stop()
            yield
            await stage.servers.kafka.start()


@dataclass(frozen=True)
class BrokerGone(Trouble):
    """kill −9, and away for a while."""

    name = "broker gone"
    touches = frozenset({"kafka"})
    lasts: ClassVar[tuple[float, float]] = (3.0, 8.0)

    @asynccontextmanager
    async def made(self, stage: Stage) -> AsyncIterator[None]:
        async with stage.kafka_in_hand:
            await stage.servers.kafka.kill()
            yield
            await stage.servers.kafka.start()


class _CoordinatorTrouble(Trouble):
    touches = frozenset({"coordinator"})
    needs = frozenset({"coordinator"})
    lasts: ClassVar[tuple[float, float]] = (3.0, 7.0)


@dataclass(frozen=True)
class CoordinatorLoading(_CoordinatorTrouble):
    """The coordinators answer COORDINATOR_LOAD_IN_PROGRESS; worker a is killed, so that one asks for the receipt."""

    name = "coordinator loading"
    touches = frozenset({"coordinator", "worker a"})

    @asynccontextmanager
    async def made(self, stage: Stage) -> AsyncIterator[None]:
        assert stage.coordinator is not None
        spoiled = stage.coordinator.spoiled
        stage.coordinator.load()
        stage.crew.kill("a")
        yield
        stage.coordinator.heal()
        assert stage.coordinator.spoiled > spoiled, "nobody asked the coordinator anything"


@dataclass(frozen=True)
class CoordinatorSilent(_CoordinatorTrouble):
    """The coordinators answer nothing."""

    name = "coordinator silent"

    @asynccontextmanager
    async def made(self, stage: Stage) -> AsyncIterator[None]:
        assert stage.coordinator is not None
        spoiled = stage.coordinator.spoiled
        stage.coordinator.hush()
        yield
        stage.coordinator.heal()
        assert stage.coordinator.spoiled > spoiled, "nobody asked the coordinator anything"


@dataclass(frozen=True)
class EndTxnAnswerLost(Trouble):
    """The broker commits, the connection ends before its answer has arrived; again and again."""

    name = "answer to EndTxn lost"
    touches = frozenset({"EndTxn"})
    needs = frozenset({"EndTxn"})

    times: int

    @classmethod
    def drawn(cls, chance: Random) -> Self:
        return cls(chance.randint(1, 4))

    def words(self) -> str:
        return f"{self.name}, {self.times} times"

    @asynccontextmanager
    async def made(self, stage: Stage) -> AsyncIterator[None]:
        assert stage.end_txn is not None
        proxy, before = stage.end_txn, stage.end_txn.lost
        proxy.lose_next_answer()
        yield
        for lost in range(1, self.times + 1):

            async def is_lost(times: int = lost) -> bool:
                if proxy.lost < before + times:
                    proxy.lose_next_answer()  # one that was lost with the broker itself does not count
                    return False
                return True

            await stage.eventually(is_lost, f"answer {lost} lost")
        await stage.said("lane.recovering", "a producer replaced")


@dataclass(frozen=True)
class OffsetsDeleted(Trouble):
    """All workers die at once, and the group is deleted with all its offsets before they come back."""

    name = "committed offsets deleted"
    touches = frozenset({"worker a", "worker b", "worker c", "offsets"})
    lasts: ClassVar[tuple[float, float]] = (0.0, 1.0)

    @asynccontextmanager
    async def made(self, stage: Stage) -> AsyncIterator[None]:
        await asyncio.gather(stage.crew.fall("a"), stage.crew.fall("b"))
        yield

        async def deleted() -> bool:
            return await group_deleted(stage.scene.settings)

        await stage.eventually(deleted, "the end of the group")
        lengths = {name: stage.crew.log_length(name) for name in "ab"}
        await asyncio.gather(stage.crew.join("a"), stage.crew.join("b"))

        async def concluded() -> bool:
            return any(stage.crew.said_since(name, lengths[name], "lane.recovered") for name in "ab")

        await stage.eventually(concluded, "lanes that conclude from the topics")
        said = [str(entry["concluded"]) for entry in stage.scene.said("lane.recovered")]
        assert any("receipt None, found batch" in one for one in said), said
