"""What happens to Postgres: it restarts, is gone, ends backends, has no room, or is another that lacks the newest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import ClassVar, Final, Self

import asyncpg

from processor.devstack.databases import MIGRATOR, with_database
from processor.kafka.tailing import end_offsets
from tests.chaos.books import LaneState, statement
from tests.chaos.scenarios.stage import Stage
from tests.chaos.scenarios.trouble import Trouble

_PIECE: Final = bytes(65_536)
_CALM_SECONDS: Final = 1.5


@dataclass(frozen=True)
class PostgresRestarted(Trouble):
    """A fast shutdown and a start: every connection ends."""

    name = "Postgres restarted"
    touches = frozenset({"postgres"})
    lasts: ClassVar[tuple[float, float]] = (0.0, 0.5)

    @asynccontextmanager
    async def made(self, stage: Stage) -> AsyncIterator[None]:
        async with stage.postgres_in_hand:
            await stage.servers.postgres.stop()
            yield
            await stage.servers.postgres.start()


@dataclass(frozen=True)
class PostgresGone(Trouble):
    """Ended as by a power cut, and away for a while; its start recovers."""

    name = "Postgres gone"
    touches = frozenset({"postgres"})
    lasts: ClassVar[tuple[float, float]] = (3.0, 8.0)

    @asynccontextmanager
    async def made(self, stage: Stage) -> AsyncIterator[None]:
        async with stage.postgres_in_hand:
            await stage.servers.postgres.kill()
            yield
            await stage.servers.postgres.start()


@dataclass(frozen=True)
class BackendsKilled(Trouble):
    """Postgres ends the lanes' backends, whatever they are in the middle of."""

    name = "backends killed"
    touches = frozenset({"backends"})

    pauses: tuple[float, ...]

    @classmethod
    def drawn(cls, chance: Random) -> Self:
        return cls(tuple(round(chance.uniform(0.1, 0.6), 2) for _ in range(8)))

    def words(self) -> str:
        return f"{self.name}, {len(self.pauses)} times"

    @asynccontextmanager
    async def made(self, stage: Stage) -> AsyncIterator[None]:
        for pause in self.pauses:
            await _kill_backends(stage)
            await asyncio.sleep(pause)
        yield

        async def was_in_the_middle() -> bool:
            """With the broker away all lanes may have been idle: then once more, until one of them was not."""
            if stage.scene.said("batch.retrying"):
                return True
            await _kill_backends(stage)
            return False

        await stage.eventually(was_in_the_middle, "a batch tried again")


async def _kill_backends(stage: Stage) -> None:
    dsn = with_database(stage.scene.superuser_dsn, stage.scene.database.name)
    # Where Postgres itself is away, that ends its backends, too.
    with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        superuser = await asyncpg.connect(dsn, timeout=10)
        try:
            await superuser.fetch(statement("kill_backends"))
        finally:
            superuser.terminate()


@dataclass(frozen=True)
class DiskFull(Trouble):
    """The disk that the database lies on has no room left: tables cannot grow, until somebody makes room."""

    name = "disk full"
    touches = frozenset({"database"})
    needs = frozenset({"small disk"})
    lasts: ClassVar[tuple[float, float]] = (2.0, 4.0)

    @asynccontextmanager
    async def made(self, stage: Stage) -> AsyncIterator[None]:
        assert stage.small_disk is not None
        filler = stage.small_disk / "filler"

        async def has_no_room() -> bool:
            _fill(filler)  # again and again: what Postgres gives back meanwhile is taken, too
            return any("53100" in str(entry) for entry in stage.scene.said("batch.retrying"))

        _fill(filler)
        try:
            yield
            await stage.eventually(has_no_room, "a batch that found the disk full (53100)")
        finally:
            filler.unlink()


def _fill(filler: Path) -> None:
    """Write until nothing goes in any more."""
    with filler.open("ab", buffering=0) as file:
        piece = _PIECE
        while piece:
            try:
                file.write(piece)
            except OSError:
                piece = piece[: len(piece) // 2]


@dataclass(frozen=True)
class FailedOver(Trouble):
    """A copy of the database that lacks the last commits takes its place: every lane must notice, and refuse."""

    name = "failed over to an older copy"
    touches = frozenset({"database", "postgres"})
    lasts: ClassVar[tuple[float, float]] = (0.5, 2.0)

    @asynccontextmanager
    async def made(self, stage: Stage) -> AsyncIterator[None]:
        name, copy, ahead = (stage.scene.database.name + end for end in ("", "_copy", "_ahead"))
        await self._copied(stage, name, copy)
        await stage.scene.progress()
        await self._renamed(stage, (name, ahead), (copy, name))
        yield
        lanes = await self._refused(stage)
        before = await _seen_from_outside(stage)
        await asyncio.sleep(_CALM_SECONDS)
        assert await _seen_from_outside(stage) == before, "a lane that refuses has published"
        assert [lane.applied_seq for lane in await stage.scene.books.lanes()] == [
            lane.applied_seq for lane in lanes
        ], "a lane that refuses has applied"
        await self._renamed(stage, (name, copy), (ahead, name))
        async with stage.superuser() as superuser:
            await superuser.execute(_named("drop_database", copy))

    async def _copied(self, stage: Stage, name: str, copy: str) -> None:
        """Nobody may be connected meanwhile: the workers see an outage of a second."""
        async with stage.superuser() as superuser:
            await superuser.execute(_named("close_database", name))
            await superuser.fetch(statement("end_connections"), name)
            await superuser.execute(_named("copy_database", copy, name, MIGRATOR))
            await superuser.execute(_named("open_database", name))

    async def _renamed(self, stage: Stage, *renamings: tuple[str, str]) -> None:
        """All at once for those who connect: the doors are shut on the way."""
        async with stage.superuser() as superuser:
            for old, _ in renamings:
                await superuser.execute(_named("close_database", old))
                await superuser.fetch(statement("end_connections"), old)
            for old, new in renamings:
                await superuser.execute(_named("rename_database", old, new))
            for _, new in renamings:
                await superuser.execute(_named("open_database", new))

    async def _refused(self, stage: Stage) -> list[LaneState]:
        async def all_refuse() -> bool:
            reasons = [lane.stopped_reason or "" for lane in await stage.scene.books.lanes()]
            return all(reason.startswith(("ReceiptAhead", "LedgerWentBack")) for reason in reasons)

        await stage.eventually(all_refuse, "every lane refusing the older copy")
        return await stage.scene.books.lanes()


async def _seen_from_outside(stage: Stage) -> list[dict[int, int]]:
    settings = stage.scene.settings
    return [await end_offsets(settings, one) for one in (settings.results_topic, settings.dead_letters_topic)]


def _named(name: str, *names: str) -> str:
    """A statement whose names, which cannot be parameters, stand as :0, :1 …"""
    text = statement(name)
    for place, one in enumerate(names):
        text = text.replace(f":{place}", f'"{one}"')
    return text
