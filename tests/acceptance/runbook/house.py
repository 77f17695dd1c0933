"""An installation in trouble on order: players, a worker that comes and goes, a shell that runs the blocks."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient

from processor.devstack.account import unprivileged_account
from processor.devstack.postgres_programs import programs
from tests.acceptance.commands.conftest import Installation, LogLines, running
from tests.acceptance.runbook.blocks import script_of

_END_SECONDS = 300.0


class House:
    """One installation; ``variables`` are what the runbook's reader fills in."""

    def __init__(self, installation: Installation, migrator_dsn: str) -> None:
        self.installation = installation
        self.migrator_dsn = migrator_dsn
        self.lanes = 2

    def point_at(self, **environment: str) -> None:
        """Let everything from now on use these variables."""
        changed = {**self.installation.environment, **environment}
        self.installation = replace(self.installation, environment=changed)

    async def follow(self, name: str, **variables: str) -> str:
        """Run a block of the runbook as it stands, every line of which must succeed; what it wrote."""
        script = "set -euo pipefail\n" + script_of(name)
        path = os.pathsep.join(
            [str(Path(sys.executable).parent), str(programs(unprivileged_account())), os.environ["PATH"]]
        )
        process = await asyncio.create_subprocess_exec(
            "bash",
            "-c",
            script,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=self.installation.directory,
            env={**os.environ, **self.installation.environment, **variables, "PATH": path},
        )
        said, _ = await asyncio.wait_for(process.communicate(), _END_SECONDS)
        assert process.returncode == 0, f"the block {name} ended with {process.returncode}:\n{said.decode()}"
        return said.decode()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[LogLines]:
        """A worker while the block lasts."""
        async with running(self.installation) as worker:
            await worker.until_ready(self.lanes)
            yield worker

    @asynccontextmanager
    async def refusing(self, **variables: str) -> AsyncIterator[LogLines]:
        """A worker that is not going to get its lanes ready, or to live long."""
        async with running(self.installation, **variables) as worker:
            yield worker

    async def forget_topics(self, bootstrap: str, security: Mapping[str, Any]) -> None:
        """Delete the three topics, with the group's offsets of them."""
        names = [
            self.installation.environment[f"CROUPIER_{each}_TOPIC"]
            for each in ("EVENTS", "RESULTS", "DEAD_LETTERS")
        ]
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **security)
        await admin.start()
        try:
            await admin.delete_topics(names)
        finally:
            await admin.close()

    async def answered(self, *events: object) -> list[Any]:
        """The answers of a worker that is there to these events."""
        file = self.installation.events("events.jsonl", *events)
        sent = await self.installation.type("send", file, "--wait", "--json", "--timeout-seconds", 120)
        assert sent.code == 0, (sent.out, sent.err)
        return sent.json_lines()

    async def decided(self, *events: object) -> list[Any]:
        """The answers of a worker that comes for these events and goes again."""
        async with self.working():
            return await self.answered(*events)

    async def sql(self, statement: str, *arguments: object) -> list[Any]:
        """As the database's owner, with append-only off: trouble on order."""
        connection = await asyncpg.connect(self.migrator_dsn, server_settings={"search_path": "croupier"})
        try:
            rows: list[Any] = await connection.fetch(statement, *arguments)
        finally:
            await connection.close()
        return rows

    async def proved(self) -> None:
        """Books and topics are sound."""
        audited = await self.installation.type("audit", "--full", "--results", "--json")
        faults = [one["fault"] for one in json.loads(audited.out)["proofs"] if one["fault"]]
        assert not faults, faults
