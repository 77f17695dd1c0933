"""The process behind `croupier stack up`: it owns an embedded stack until it is told to stop.

Run as ``python -m processor.devstack.background DIRECTORY --heap-mib N``. It says that the stack answers by writing
`running.json` into the directory, and removes that before it stops; SIGTERM stops it.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import orjson
import tenacity

from processor.devstack.embedded import EmbeddedStack
from processor.devstack.installation import StackDirectory
from processor.devstack.kafka_broker import BrokerOptions
from processor.devstack.readiness import kafka_answers, postgres_answers
from processor.devstack.stack import KAFKA_BOOTSTRAP, POSTGRES_DSN, security_of
from processor.errors import CroupierError

_UP_TIMEOUT_SECONDS = 180.0
_DOWN_TIMEOUT_SECONDS = 120.0


class StackNotRunning(CroupierError):
    """The process that owns the stack ended, or did not get ready."""

    exit_code = 3


@dataclass(frozen=True)
class Status:
    """What is known of the stack in a directory."""

    state: Literal["up", "starting", "down"]
    directory: Path
    pid: int | None = None
    started_at: str | None = None
    kafka: str | None = None  # None: it answers; else what is wrong
    postgres: str | None = None

    @property
    def healthy(self) -> bool:
        """Whether both run and answer."""
        return self.state == "up" and self.kafka is None and self.postgres is None


class _NotYet(Exception):
    """The state that is waited for has not come."""


def environment(directory: Path) -> dict[str, str]:
    """The variables that point the program at the stack running there; raises StackNotRunning if none is."""
    place = StackDirectory(directory)
    installation = place.read()
    if installation is None or place.holder() is None:
        raise StackNotRunning(f"No stack is running in {directory}: start one with `croupier stack up`.")
    return installation.environment(directory)


async def status(directory: Path) -> Status:
    """Whether a stack runs there, and whether its servers answer."""
    holder = StackDirectory(directory).holder()
    if holder is None:
        return Status("down", directory)
    started_at = _started_at(directory, holder)
    if started_at is None:
        return Status("starting", directory, pid=holder)
    variables = environment(directory)
    kafka, postgres = await asyncio.gather(
        kafka_answers(variables[KAFKA_BOOTSTRAP], security_of(variables)),
        postgres_answers(variables[POSTGRES_DSN]),
    )
    return Status("up", directory, holder, started_at, kafka, postgres)


async def up(directory: Path, heap_mib: int, *, secure: bool = False) -> bool:
    """Start a supervisor unless one runs there, and wait until its stack answers; whether it was started now."""
    started = None
    if StackDirectory(directory).holder() is None:
        started = await asyncio.to_thread(_launch, directory, heap_mib, secure)

    async def answers() -> None:
        holder = StackDirectory(directory).holder()
        if holder is None and started is not None and started.poll() is not None:
            raise StackNotRunning(f"The stack did not start:\n{_log(directory).read_text()[-2000:]}")
        if holder is None or _started_at(directory, holder) is None:
            raise _NotYet

    await _wait(answers, _UP_TIMEOUT_SECONDS, f"The stack in {directory} did not get ready")
    return started is not None


async def down(directory: Path) -> bool:
    """Stop the supervisor there and wait until it has let go; whether one was running."""
    holder = StackDirectory(directory).holder()
    if not holder:
        return False
    os.kill(holder, signal.SIGTERM)

    async def gone() -> None:
        if StackDirectory(directory).holder() is not None:
            raise _NotYet

    await _wait(gone, _DOWN_TIMEOUT_SECONDS, f"The stack in {directory} (process {holder}) did not stop")
    return True


def erase(directory: Path) -> bool:
    """Delete a stack that is not running, data and all; whether there was one. Anything else is left alone."""
    place = StackDirectory(directory)
    if place.read() is None or place.holder() is not None:
        return False
    shutil.rmtree(directory)
    return True


async def _wait(reached: Callable[[], Awaitable[None]], timeout_seconds: float, failure: str) -> None:
    try:
        await tenacity.AsyncRetrying(
            wait=tenacity.wait_fixed(0.1),
            stop=tenacity.stop_after_delay(timeout_seconds),
            retry=tenacity.retry_if_exception_type(_NotYet),
            reraise=True,
        )(reached)
    except _NotYet as reason:
        raise StackNotRunning(f"{failure} within {timeout_seconds:.0f} seconds.") from reason


def _launch(directory: Path, heap_mib: int, secure: bool) -> subprocess.Popen[bytes]:
    directory.mkdir(parents=True, exist_ok=True)
    with _log(directory).open("wb") as log:
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "processor.devstack.background",
                str(directory),
                "--heap-mib",
                str(heap_mib),
                *(["--secure"] if secure else []),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _log(directory: Path) -> Path:
    return directory / "supervisor.log"


def _running(directory: Path) -> Path:
    return directory / "running.json"


def _started_at(directory: Path, holder: int) -> str | None:
    """When the holder's stack got ready; None if it has not yet. (Another process may have left a word behind.)"""
    try:
        content = orjson.loads(_running(directory).read_bytes())
    except FileNotFoundError:
        return None
    return str(content["started_at"]) if content["pid"] == holder else None


async def own(directory: Path, heap_mib: int, *, secure: bool = False) -> None:
    """Start the stack, say so, wait for the word to stop, stop it."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with EmbeddedStack(directory, secure=secure, broker=BrokerOptions(heap_mib=heap_mib)):
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        partial = _running(directory).with_suffix(".new")
        partial.write_bytes(orjson.dumps({"pid": os.getpid(), "started_at": now}))
        partial.replace(_running(directory))
        await stop.wait()
        _running(directory).unlink(missing_ok=True)


def main() -> None:
    """The program."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("directory", type=Path)
    words.add_argument("--heap-mib", type=int, default=BrokerOptions.heap_mib)
    words.add_argument("--secure", action="store_true")
    chosen = words.parse_args()
    try:
        asyncio.run(own(chosen.directory, chosen.heap_mib, secure=chosen.secure))
    except CroupierError as reason:
        sys.stderr.write(f"{reason}\n")
        sys.exit(reason.exit_code)


if __name__ == "__main__":
    main()
