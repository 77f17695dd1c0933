"""An installation of the commands' own, with one worker process, and a way to type commands."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from processor.devstack.stack import KAFKA_BOOTSTRAP, Stack, security_of
from processor.ops.main import build
from processor.settings import Settings
from tests.installations import drop, make_database, make_topics

READY_TIMEOUT_SECONDS = 90.0
END_TIMEOUT_SECONDS = 60.0


class Typed(NamedTuple):
    """What a command answered."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Standard output as one JSON document."""
        return json.loads(self.out)

    def json_lines(self) -> list[Any]:
        """Standard output as one JSON document a line."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Installation:
    """The variables of an installation, and a directory for files."""

    environment: Mapping[str, str]
    directory: Path

    async def type(self, *words: object, given: str | None = None, **variables: str) -> Typed:
        """Type a command, in this process but on a thread and a loop of its own."""
        return await asyncio.to_thread(self._type, [str(word) for word in words], given, variables)

    def _type(self, words: list[str], given: str | None, variables: Mapping[str, str]) -> Typed:
        result = CliRunner().invoke(build(), words, input=given, env={**self.environment, **variables})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Typed(result.exit_code, result.stdout, result.stderr)

    async def program(self, *words: object, **variables: str) -> Process:
        """Start the program as a process of its own."""
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "processor",
            *(str(word) for word in words),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            env={**os.environ, **self.environment, **variables},
        )

    async def run_program(self, *words: object, **variables: str) -> Typed:
        """Run the program as a process of its own to its end."""
        process = await self.program(*words, **variables)
        out, err = await asyncio.wait_for(process.communicate(), END_TIMEOUT_SECONDS)
        assert process.returncode is not None
        return Typed(process.returncode, out.decode(), err.decode())

    def settings(self) -> Settings:
        """The settings that these variables make, for a client of the test's own."""
        given = {
            name.removeprefix("CROUPIER_").lower(): value
            for name, value in self.environment.items()
            if name.startswith("CROUPIER_")
        }
        return Settings(**given)  # type: ignore[arg-type]  # pydantic reads texts

    def file(self, name: str, text: str) -> Path:
        """A file with this text."""
        path = self.directory / name
        path.write_text(text)
        return path

    def events(self, name: str, *events: object) -> Path:
        """A file of JSON lines; a text stays as it is."""
        lines = [event if isinstance(event, str) else json.dumps(event) for event in events]
        return self.file(name, "\n".join(lines) + "\n")


class LogLines:
    """The JSON log lines of a running program, as they come."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Read on until a wanted line. Fails with all lines where the program ends before."""
        assert self.process.stderr is not None
        try:
            async with asyncio.timeout(READY_TIMEOUT_SECONDS):
                while raw := await self.process.stderr.readline():
                    self.lines.append(json.loads(raw))
                    if wanted(self.lines[-1]):
                        return self.lines[-1]
        except TimeoutError:
            raise AssertionError(f"the line did not come, these did: {self.lines}") from None
        raise AssertionError(f"the program ended before the line came: {self.lines}")

    async def until_ready(self, lanes: int) -> None:
        """Read on until so many lanes are ready."""
        ready: set[int] = set()

        def all_are_ready(line: dict[str, Any]) -> bool:
            if line["action"] == "lane.ready":
                ready.add(line["lane"])
            return len(ready) == lanes

        await self.until(all_are_ready)

    async def follow(self) -> None:
        """Read all lines until the program ends, whenever that is."""
        assert self.process.stderr is not None
        while raw := await self.process.stderr.readline():
            self.lines.append(json.loads(raw))
        await self.process.wait()

    async def rest(self, following: asyncio.Task[None] | None = None) -> list[dict[str, Any]]:
        """All lines until the program, which was told to, ends; ``following`` is who reads them already."""
        try:
            async with asyncio.timeout(END_TIMEOUT_SECONDS):
                await (following or self.follow())
        except TimeoutError:
            raise AssertionError(f"the program does not end; its last words: {self.lines[-20:]}") from None
        return self.lines


@asynccontextmanager
async def running(installation: Installation, *words: object, **variables: str) -> AsyncIterator[LogLines]:
    """A program that runs while the block lasts, and is told to end after it."""
    process = await installation.program("run", *words, **variables)
    log = LogLines(process)
    try:
        yield log
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            await log.rest()


@pytest.fixture(scope="module")
async def installation(
    stack: Stack, template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    """A migrated database and topics of this module's own, two lanes; nothing runs yet."""
    database = await make_database(stack, template)
    topics = await make_topics(stack.environment()[KAFKA_BOOTSTRAP], 4, security_of(stack.environment()))
    environment = {
        **stack.environment(),
        **database.environment(),
        **topics.environment(),
        "CROUPIER_LANES": "2",
        "CROUPIER_SESSION_TIMEOUT_SECONDS": "6",
    }
    yield Installation(environment, tmp_path_factory.mktemp("commands"))
    await drop(stack, database.name)


@pytest.fixture(scope="module")
async def worked(installation: Installation) -> AsyncIterator[Installation]:
    """The same with one worker that serves."""
    async with running(installation) as worker:
        await worker.until_ready(2)
        following = asyncio.create_task(worker.follow())
        yield installation
        worker.process.send_signal(signal.SIGTERM)
        await worker.rest(following)
    assert worker.process.returncode == 0


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Complaints are compared as sentences: they must not be broken by a narrow terminal."""
    monkeypatch.setenv("COLUMNS", "400")
