"""The embedded stack: a real Apache Kafka and a real Postgres from packages alone, as children of this process.

It lives in a directory, where a later start finds its data again, or in a temporary one that goes with it. Several
run side by side. However this process ends, nothing of the stack goes on (see guardian.py).
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from processor.devstack import databases
from processor.devstack.child import Guardian
from processor.devstack.doors import BROKER, POSTGRES, USER
from processor.devstack.grants import grant_user
from processor.devstack.installation import DirectoryDiffers, Installation, StackDirectory
from processor.devstack.kafka_broker import BrokerOptions, EmbeddedKafka
from processor.devstack.postgres_server import EmbeddedPostgres
from processor.errors import CroupierError


def _no_progress(_: str) -> None:
    """For callers who want no word on the way."""


class EmbeddedStack:
    """Kafka and Postgres that we own; `kafka` and `postgres` can be killed and started one by one."""

    kafka: EmbeddedKafka
    postgres: EmbeddedPostgres

    def __init__(
        self,
        directory: Path | None = None,
        *,
        secure: bool = False,
        broker: BrokerOptions | None = None,
        postgres_settings: Mapping[str, str] | None = None,
        progress: Callable[[str], None] = _no_progress,
    ) -> None:
        """`directory` is kept; without one the stack lives in a temporary directory, erased by `stop`.

        `secure`: nobody gets in without a password or a certificate, over TLS (see doors.py).
        """
        self._chosen_directory = directory
        self._secure = secure
        self._broker_options = broker or BrokerOptions()
        self._postgres_settings = dict(postgres_settings or {})
        self._progress = progress
        self._guardian = Guardian()
        self._directory: StackDirectory | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def directory(self) -> Path:
        """Where the stack lives, once it is started."""
        if self._directory is None:
            raise CroupierError("The stack has not been started.")
        return self._directory.path

    @property
    def proxied_bootstrap(self) -> str:
        """host:port for Kafka clients behind a proxy, which the caller puts at `kafka.ports.proxy`."""
        return self.kafka.proxied_bootstrap

    async def start(self) -> None:
        """Start both servers at the same time; if one fails, neither goes on.

        Raises DirectoryTaken, DirectoryUnreadable, DirectoryDiffers, ServerFailed, JarsRefused,
        EmbeddedPartsMissing, OutOfReach, NoTlsHere.
        """
        path = self._chosen_directory or Path(tempfile.mkdtemp(prefix="croupier-stack-"))
        directory = StackDirectory(path.resolve())
        directory.acquire()
        self._directory = directory
        self._guardian.start()
        if self._chosen_directory is None:
            self._guardian.tell(f"erase {directory.path}")
        try:
            self._assemble(directory)
            async with asyncio.TaskGroup() as group:
                group.create_task(self.kafka.start())
                group.create_task(self.postgres.start())
            if self._secure:
                await grant_user(self.environment())
        except BaseExceptionGroup as several:
            await self.stop()
            raise several.exceptions[0] from None
        except BaseException:
            await self.stop()
            raise

    def _assemble(self, directory: StackDirectory) -> None:
        found = directory.read() or Installation.new(secure=self._secure)
        if found.secure != self._secure:
            raise DirectoryDiffers(directory.path, found.secure)
        installation = found.with_free_ports()
        directory.write(installation)
        doors = installation.doors(directory.path)
        if doors is not None:
            doors.certificates.make(BROKER, POSTGRES, USER)
        self._installation = installation
        self.kafka = EmbeddedKafka(
            directory.kafka,
            installation.broker_ports,
            installation.cluster_id,
            self._guardian,
            self._broker_options,
            self._progress,
            doors,
        )
        self.postgres = EmbeddedPostgres(
            directory.postgres,
            installation.postgres_port,
            installation.passwords,
            self._guardian,
            self._postgres_settings,
            doors,
        )

    async def stop(self) -> None:
        """Stop both; a temporary directory is erased, any other keeps its data. May be called twice."""
        directory, self._directory = self._directory, None
        if directory is None:
            return
        servers = [
            server for name in ("kafka", "postgres") if (server := getattr(self, name, None)) is not None
        ]
        await asyncio.gather(*(server.stop() for server in servers))
        await self._guardian.stop()
        directory.release()
        if self._chosen_directory is None:
            await asyncio.to_thread(shutil.rmtree, directory.path, ignore_errors=True)

    def environment(self) -> dict[str, str]:
        """The variables that point the program at this stack."""
        return self._installation.environment(self.directory)

    async def create_database(self, name: str, template: str | None = None) -> str:
        """A fresh database for a test; gives the migrator's DSN (see databases.with_database for others')."""
        return await databases.create_database(self.postgres.migrator_dsn, name, template)
