"""One installation under trouble: worker processes on real servers, and what was seen of them meanwhile."""

from __future__ import annotations

import os
import signal
import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import psutil

from processor.devstack.child import Guardian
from processor.devstack.embedded import EmbeddedStack
from processor.devstack.stack import settings_from
from processor.devstack.traffic.providers import PROVIDERS_TOML, rate_documents
from processor.devstack.trouble import VARIABLE
from processor.devstack.worker import Worker
from processor.errors import OffsetsUnknown
from processor.kafka.connection import connected_client
from processor.kafka.questions import committed_offsets
from processor.kafka.tailing import end_offsets
from processor.lane.receipt import receipt_seq
from processor.postgres.reference import replace_documents
from processor.settings import Settings
from tests.chaos.books import Books
from tests.chaos.forging import make_keys
from tests.chaos.waiting import PATIENCE_SECONDS, until
from tests.installations import Database, Topics, drop, make_database, make_topics

_WORKERS = {
    "CROUPIER_LANES": "2",
    "CROUPIER_SESSION_TIMEOUT_SECONDS": "6",
    "CROUPIER_POISON_ATTEMPTS": "3",
    "CROUPIER_POISON_BACKOFF_SECONDS": "0.2",
    "CROUPIER_POISON_BACKOFF_MAX_SECONDS": "1",
}


@dataclass
class Scene:
    """What a scenario acts on. ``faults`` gathers what was seen on the way and must never be."""

    environment: dict[str, str]
    settings: Settings
    database: Database
    topics: Topics
    directory: Path
    guardian: Guardian
    books: Books
    superuser_dsn: str
    postgres_port: int
    workers: dict[str, Worker] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    deaths: int = 0
    recovery_seconds: float | None = None

    async def start(self, name: str, *, trouble: str = "", **more: str) -> Worker:
        """Start a worker process of this name (its static membership), with trouble on order."""
        worker = Worker(name, {**self.environment, VARIABLE: trouble, **more}, self.directory, self.guardian)
        self.workers[name] = worker
        await worker.start()
        return worker

    async def dies_of_it(self, worker: Worker) -> None:
        """Wait until a worker has carried out its order to die, and see that the lanes' rows are as they must be."""

        async def is_dead() -> bool:
            return not worker.alive

        await until(is_dead, lambda: f"the death of {worker.name}, which says: {worker.log_tail()}")
        await self._bury(worker)

    async def kill(self, worker: Worker) -> None:
        """SIGKILL, now."""
        os.kill(worker.pid, signal.SIGKILL)
        await self._bury(worker)

    async def _bury(self, worker: Worker) -> None:
        status = await worker.stop()
        if status != -signal.SIGKILL:
            raise AssertionError(f"{worker.name} ended with {status} by itself: {worker.log_tail()}")
        self.deaths += 1

    async def look_at_lanes(self) -> None:
        """The invariant of every lane's row, whatever is under way."""
        for lane in await self.books.lanes():
            self.faults += lane.faults()

    async def drained(self, *, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until every event is applied, nothing is parked, and every batch has its receipt."""
        missing: list[str] = []

        async def is_drained() -> bool:
            missing[:] = await self._missing()
            return not missing

        await until(is_drained, lambda: f"drained; {missing}; {self.tails()}", seconds=seconds)

    async def _missing(self) -> list[str]:
        ends = await end_offsets(self.settings, self.settings.events_topic)
        lanes, parked = await self.books.lanes(), await self.books.parked()
        reached = {one: offset for lane in lanes for one, offset in lane.next_offsets.items()}
        missing = [f"{parked} parked"] if parked else []
        missing += [
            f"partition {one}: {reached.get(one)} of {end}"
            for one, end in ends.items()
            if reached.get(one) != end
        ]
        for lane in lanes:
            receipt = await self.receipt(lane.lane)
            if lane.applied_seq and receipt != lane.applied_seq:
                missing.append(f"lane {lane.lane}: receipt {receipt}, applied {lane.applied_seq}")
        return missing

    async def receipt(self, lane: int) -> int | str | None:
        """The batch that Kafka's committed offset vouches for; a word where the coordinator does not say it now."""
        partitions = [one for one in range(self.topics.partitions) if one % self.settings.lanes == lane]
        try:
            async with connected_client(self.settings) as client:
                committed = await committed_offsets(
                    client, self.settings.group, self.settings.events_topic, partitions
                )
        except OffsetsUnknown as unknown:
            return str(unknown)
        return receipt_seq(1, committed)

    async def taken_over(self, epochs: Mapping[int, int]) -> None:
        """Wait until somebody has taken over one of the lanes that had these epochs."""

        async def moved() -> bool:
            return any(lane.epoch > epochs[lane.lane] for lane in await self.books.lanes())

        await until(moved, lambda: f"a take-over; {self.tails()}")

    async def all_taken_over(self, epochs: Mapping[int, int]) -> None:
        """Wait until every lane has a newer epoch."""

        async def moved() -> bool:
            return all(lane.epoch > epochs[lane.lane] for lane in await self.books.lanes())

        await until(moved, lambda: f"all take-overs; {self.tails()}")

    async def freezes(self, worker: Worker) -> None:
        """Wait until a worker has carried out its order to stop."""
        process = psutil.Process(worker.pid)

        async def is_frozen() -> bool:
            return process.status() == psutil.STATUS_STOPPED

        await until(is_frozen, lambda: f"{worker.name} frozen; {worker.log_tail()}")

    async def progress(self) -> None:
        """Wait until every lane has applied another batch, and more: until the one before it has its receipt."""
        before = {lane.lane: lane.applied_seq for lane in await self.books.lanes()}

        async def moved() -> bool:
            lanes = await self.books.lanes()
            return bool(lanes) and all(lane.published_seq > before.get(lane.lane, 0) for lane in lanes)

        try:
            await until(moved, lambda: f"progress of every lane; {self.tails()}")
        except AssertionError as over:
            raise AssertionError(f"{await self._missing()}; {over}") from over

    def said(self, action: str) -> list[dict[str, Any]]:
        """What workers logged under this word."""
        lines = [line for worker in self.workers.values() for line in worker.log.read_text().splitlines()]
        entries = [orjson.loads(line) for line in lines if f'"action":"{action}"' in line]
        return [entry for entry in entries if entry["action"] == action]

    async def stop_all(self) -> None:
        """SIGTERM everybody: each must drain and end well."""
        for worker in self.workers.values():
            if worker.alive and await worker.stop() != 0:
                self.faults.append(f"{worker.name} did not end in good order: {worker.log_tail()}")

    def tails(self) -> str:
        """What the workers said last."""
        return "\n".join(f"{name}: {worker.log_tail()}" for name, worker in self.workers.items())


@asynccontextmanager
async def staged(
    stack: EmbeddedStack,
    template: str,
    directory: Path,
    *,
    wait_seconds: int = 10,
    signed: bool = False,
    **more: str,
) -> AsyncIterator[Scene]:
    """An installation of its own on running servers; ``wait_seconds`` is how long a win waits for its bet.

    ``signed``: its workers believe nobody who has not signed.
    """
    plain = stack.environment()
    database = await make_database(stack, template)
    topics = await make_topics(plain["CROUPIER_KAFKA_BOOTSTRAP"], 4)
    await replace_documents(
        database.migrator_dsn, "providers", _providers(wait_seconds), actor="chaos", why="to play"
    )
    rates = rate_documents(datetime.now(UTC))
    await replace_documents(database.migrator_dsn, "rates", rates, actor="chaos", why="to play")
    environment = {**plain, **database.environment(), **topics.environment(), **_WORKERS, **more}
    if signed:
        environment |= {"CROUPIER_SIGNING": "required", "CROUPIER_KEYS_DIRECTORY": str(directory / "keys")}
        make_keys(directory / "keys", settings_from(environment))
    guardian = Guardian()
    guardian.start()
    scene = Scene(
        environment,
        settings_from(environment),
        database,
        topics,
        directory,
        guardian,
        Books(database.migrator_dsn),
        stack.postgres.superuser_dsn,
        stack.postgres.port,
    )
    try:
        yield scene
    finally:
        for worker in scene.workers.values():
            if worker.alive:
                await worker.kill()
        await guardian.stop()
        await drop(stack, database.name)


def _providers(wait_seconds: int) -> Mapping[str, dict[str, object]]:
    profiles: dict[str, dict[str, object]] = tomllib.loads(PROVIDERS_TOML)["providers"]
    return {name: {**one, "missing_bet_wait_seconds": wait_seconds} for name, one in profiles.items()}
