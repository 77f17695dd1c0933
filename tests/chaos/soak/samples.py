"""What a soak looks at, every few seconds: memory and open connections of workers, lag, the size of the ledger."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

import psutil

from processor.kafka.tailing import end_offsets
from tests.chaos.books import LaneState
from tests.chaos.scenarios.stage import AWAY, Stage

_EVERY_SECONDS: Final = 5.0
_MIB: Final = 1024 * 1024


@dataclass(frozen=True)
class OfWorker:
    """One worker process: resident memory, open sockets, open files in all; and how many lanes it had."""

    pid: int
    lanes: int
    memory_mib: float
    sockets: int
    files: int


@dataclass(frozen=True)
class Sample:
    """One look; None where a server was away. ``lag_records`` counts all partitions."""

    seconds: float
    events: int | None
    lag_records: int | None
    table_mib: float | None
    index_mib: float | None
    postgres_connections: int | None
    workers: tuple[OfWorker, ...]

    def as_document(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_document(cls, document: dict[str, Any]) -> Self:
        return cls(**{**document, "workers": tuple(OfWorker(**one) for one in document["workers"])})


@dataclass
class Sampler:
    """Looks again and again until cancelled; ``samples`` grows."""

    stage: Stage
    began: float = field(default_factory=time.monotonic)
    samples: list[Sample] = field(default_factory=list)

    async def run(self) -> None:
        while True:
            self.samples.append(await self.look())
            await asyncio.sleep(_EVERY_SECONDS)

    async def look(self) -> Sample:
        """One sample, now."""
        lanes = await self._lanes()
        events, lag = await self._lag(lanes)
        table, index, connections = await self._sizes()
        seconds = round(time.monotonic() - self.began, 1)
        return Sample(seconds, events, lag, table, index, connections, self._workers(lanes))

    async def _lanes(self) -> list[LaneState]:
        """None of them where Postgres is away."""
        try:
            async with asyncio.timeout(_EVERY_SECONDS):
                return await self.stage.scene.books.lanes()
        except AWAY:
            return []

    async def _lag(self, lanes: list[LaneState]) -> tuple[int | None, int | None]:
        scene = self.stage.scene
        if not lanes:
            return None, None
        try:
            async with asyncio.timeout(_EVERY_SECONDS):
                ends = await end_offsets(scene.settings, scene.settings.events_topic)
        except AWAY:
            return None, None
        reached = sum(offset for lane in lanes for offset in lane.next_offsets.values())
        return sum(ends.values()), sum(ends.values()) - reached

    async def _sizes(self) -> tuple[float | None, float | None, int | None]:
        try:
            async with asyncio.timeout(_EVERY_SECONDS):
                ((table, index, connections),) = await self.stage.scene.books.rows("sizes")
        except AWAY:
            return None, None, None
        return round(table / _MIB, 3), round(index / _MIB, 3), int(connections)

    def _workers(self, lanes: list[LaneState]) -> tuple[OfWorker, ...]:
        had = Counter(int(lane.owner.rpartition(":")[2]) for lane in lanes if lane.owner)
        pids = [worker.pid for worker in self.stage.scene.workers.values() if worker.alive]
        return tuple(seen for pid in pids if (seen := _look_at(pid, had[pid])) is not None)


def _look_at(pid: int, lanes: int) -> OfWorker | None:
    try:
        process = psutil.Process(pid)
        memory, sockets = process.memory_info().rss / _MIB, len(process.net_connections())
        return OfWorker(pid, lanes, round(memory, 1), sockets, process.num_fds())
    except psutil.Error:
        return None
