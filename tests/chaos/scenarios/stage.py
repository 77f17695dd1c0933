"""What a trouble acts on: an installation whose every line runs through a proxy, and whose servers can be had alone.

    worker ─► line to Postgres ─────────────────────────────────► Postgres
    worker ─► line to Kafka ─► [EndTxn proxy] ─► [coordinator] ─► broker's second listener

What is in brackets knows Kafka's frames, and is there only where a trouble needs it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Set
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
from aiokafka.errors import KafkaError

from processor.devstack.databases import with_port
from processor.devstack.embedded import EmbeddedStack
from processor.devstack.proxy import TcpProxy
from processor.devstack.stack import KAFKA_BOOTSTRAP, POSTGRES_DSN
from processor.errors import CroupierError
from tests.chaos.end_txn_proxy import EndTxnProxy
from tests.chaos.play import Play
from tests.chaos.scenarios.coordinator_proxy import CoordinatorProxy
from tests.chaos.scenarios.crew import Crew
from tests.chaos.scene import Scene
from tests.chaos.waiting import until

#: What asking a server that is away, or comes back, may raise.
AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, CroupierError, KafkaError)


@dataclass
class Stage:
    """One installation, for one scenario."""

    scene: Scene
    servers: EmbeddedStack
    play: Play
    crew: Crew
    chance: Random
    postgres_line: TcpProxy
    kafka_line: TcpProxy
    end_txn: EndTxnProxy | None
    coordinator: CoordinatorProxy | None
    small_disk: Path | None
    postgres_in_hand: asyncio.Lock = field(default_factory=asyncio.Lock)
    kafka_in_hand: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def eventually(self, holds: Callable[[], Awaitable[bool]], what: str) -> None:
        """Wait until it holds, over outages of whatever it asks. Raises AssertionError with ``what``."""

        async def held() -> bool:
            try:
                return await holds()
            except AWAY:
                return False

        await until(held, lambda: f"{what}; {self.scene.tails()}")

    async def said(self, action: str, what: str) -> None:
        """Wait until some worker has logged this word."""

        async def has() -> bool:
            return bool(self.scene.said(action))

        await self.eventually(has, what)

    @asynccontextmanager
    async def superuser(self) -> AsyncIterator[asyncpg.Connection[Any]]:
        """A connection with all rights, to the database that is always there."""
        connection = await asyncpg.connect(self.scene.superuser_dsn, timeout=10)
        try:
            yield connection
        finally:
            await connection.close()


@asynccontextmanager
async def set_up(
    servers: EmbeddedStack, scene: Scene, play: Play, needs: Set[str], small_disk: Path | None
) -> AsyncIterator[Stage]:
    """The lines of an installation, up to two workers that are not started yet."""
    async with AsyncExitStack() as parts:
        postgres_line = await parts.enter_async_context(TcpProxy(scene.postgres_port, seed=play.seed))
        ports, behind = servers.kafka.ports, servers.kafka.ports.proxied
        coordinator = end_txn = None
        if "coordinator" in needs:
            coordinator = await parts.enter_async_context(CoordinatorProxy(behind))
            behind = coordinator.port
        if "EndTxn" in needs:
            end_txn = await parts.enter_async_context(EndTxnProxy(0, behind))
            behind = end_txn.port
        kafka_line = await parts.enter_async_context(TcpProxy(behind, port=ports.proxy, seed=play.seed))
        environment = {
            KAFKA_BOOTSTRAP: servers.proxied_bootstrap,
            POSTGRES_DSN: with_port(scene.database.worker_dsn, postgres_line.port),
            # A frozen client's transaction holds its rows until Postgres ends it.
            "CROUPIER_IDLE_IN_TRANSACTION_TIMEOUT_SECONDS": "4",
        }
        crew = Crew(scene, environment)
        parts.push_async_callback(crew.stand_down)
        yield Stage(
            scene,
            servers,
            play,
            crew,
            Random(play.seed),
            postgres_line,
            kafka_line,
            end_txn,
            coordinator,
            small_disk,
        )
