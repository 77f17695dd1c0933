"""Workers as a service manager keeps them: whoever ends is started again, under the same name, until told otherwise.

They take orders while they run, through a file each (processor/devstack/trouble.py).
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from processor.devstack.worker import Worker
from tests.chaos.scene import Scene

#: How a worker may end by itself (contract.md): it found at its start that Kafka or Postgres does not answer, or that a
#: broker which has only just come back knows no such topic.
_UNREACHABLE: Final = 3
_WRONG_INSTALLATION: Final = 4
_NO_SUCH_TOPIC: Final = "does not exist on this cluster"
_LOOK_SECONDS: Final = 0.1
_BREATH_SECONDS: Final = 0.3


class Crew:
    """The workers of a stage, by name."""

    def __init__(self, scene: Scene, environment: dict[str, str]) -> None:
        self.deaths: Counter[str] = Counter()
        self._scene = scene
        self._environment = environment
        self._watches: dict[str, asyncio.Task[None]] = {}

    async def join(self, name: str) -> None:
        """Start a worker and watch over it from now on."""
        self._orders(name).write_text("")
        await self._start(name)
        self._watches[name] = asyncio.create_task(self._watch(name), name=f"watch-{name}")

    async def leave(self, name: str) -> None:
        """Watch over it no longer, and have it drain: anything but a good end is noted as a fault."""
        await self._unwatch(name)
        worker = self._scene.workers[name]
        if worker.alive and (status := await worker.stop()) != 0 and not self._could_not_start(name, status):
            self._scene.faults.append(f"{name} did not end in good order ({status}): {worker.log_tail()}")

    async def fall(self, name: str) -> None:
        """SIGKILL, and nobody starts it again until it joins."""
        await self._unwatch(name)
        worker = self._scene.workers[name]
        if worker.alive:
            os.kill(worker.pid, signal.SIGKILL)
            self._note_end(name, await worker.stop())

    async def stand_down(self) -> None:
        """Watch over nobody any more; who runs goes on."""
        for name in list(self._watches):
            await self._unwatch(name)

    def order(self, name: str, ordered: str) -> None:
        """Give a worker an order that it finds where its next step begins or ends."""
        with self._orders(name).open("a") as file:
            file.write(ordered + "\n")

    def kill(self, name: str) -> None:
        """SIGKILL, now; it is started again."""
        worker = self._scene.workers[name]
        if worker.alive:
            os.kill(worker.pid, signal.SIGKILL)

    def pid(self, name: str) -> int | None:
        """The process that runs under this name now, None between two."""
        worker = self._scene.workers[name]
        return worker.pid if worker.alive else None

    def is_frozen(self, name: str) -> bool:
        """Whether its process is stopped."""
        pid = self.pid(name)
        with suppress(psutil.NoSuchProcess):
            return pid is not None and psutil.Process(pid).status() == psutil.STATUS_STOPPED
        return False

    def log_length(self, name: str) -> int:
        """Where what it says from now on begins in its log."""
        return len(self._scene.workers[name].log.read_bytes())

    def said_since(self, name: str, length: int, *actions: str) -> bool:
        """Whether it has logged one of these words behind that place."""
        said = self._scene.workers[name].log.read_bytes()[length:]
        return any(f'"action":"{action}"'.encode() in said for action in actions)

    async def _start(self, name: str) -> Worker:
        return await self._scene.start(name, trouble=f"@{self._orders(name)}", **self._environment)

    async def _watch(self, name: str) -> None:
        while True:
            worker = self._scene.workers[name]
            if not worker.alive:
                self._note_end(name, await worker.stop())
                await asyncio.sleep(_BREATH_SECONDS)
                await self._start(name)
            await asyncio.sleep(_LOOK_SECONDS)

    def _note_end(self, name: str, status: int) -> None:
        if status == -signal.SIGKILL:
            self.deaths[name] += 1
            self._scene.deaths += 1
            self._orders(name).write_text(
                ""
            )  # carried out; what ended otherwise still has its orders before it
        elif not self._could_not_start(name, status):
            tail = self._scene.workers[name].log_tail()
            self._scene.faults.append(f"{name} ended with {status} by itself: {tail}")

    def _could_not_start(self, name: str, status: int) -> bool:
        if status == _WRONG_INSTALLATION:
            return _NO_SUCH_TOPIC in self._scene.workers[name].log_tail()
        return status == _UNREACHABLE

    async def _unwatch(self, name: str) -> None:
        watch = self._watches.pop(name, None)
        if watch is not None:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch

    def _orders(self, name: str) -> Path:
        return self._scene.directory / f"{name}.orders"
