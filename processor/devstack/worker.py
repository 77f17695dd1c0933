"""A worker as an operator runs it: `croupier run` in a process of its own, killed and started again at will."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from processor.devstack.child import Child, Guardian, NotReady
from processor.devstack.free_ports import free_ports

_READY_TIMEOUT_SECONDS = 240.0
_DRAIN_TIMEOUT_SECONDS = 60.0
_PROBE_TIMEOUT_SECONDS = 2.0
_LOG_TAIL_CHARACTERS = 2000


class Worker:
    """One worker process with a name (its static group membership), a log and a port for its probes."""

    def __init__(self, name: str, environment: Mapping[str, str], directory: Path, keeper: Guardian) -> None:
        self.name = name
        self.log = directory / f"{name}.log"
        self._environment = {**environment, "CROUPIER_GROUP_INSTANCE_ID": name}
        self._keeper = keeper
        self._child: Child | None = None
        self._port = 0

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.running

    async def start(self) -> None:
        """Start the process; `wait_ready` says when it has its lanes."""
        (self._port,) = free_ports(1)
        self._child = Child.start(
            [sys.executable, "-m", "processor", "run"],
            log=self.log,
            keeper=self._keeper,
            environment={**self._environment, "CROUPIER_HTTP_PORT": str(self._port)},
        )

    async def wait_ready(self) -> None:
        """Wait until its `/readyz` is good. Raises ServerFailed with the end of its log."""
        await self._running().wait_ready(f"Worker {self.name}", self._probe, _READY_TIMEOUT_SECONDS)

    async def kill(self) -> None:
        """SIGKILL: it has no time for anything."""
        child, self._child = self._running(), None
        await child.end(signal.SIGKILL, _DRAIN_TIMEOUT_SECONDS)

    async def stop(self) -> int:
        """SIGTERM: it drains. Gives its exit status; -9 if it did not end in time and was killed."""
        child, self._child = self._running(), None
        return await child.end(signal.SIGTERM, _DRAIN_TIMEOUT_SECONDS)

    def log_tail(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-_LOG_TAIL_CHARACTERS:]

    def cpu_seconds(self) -> float:
        """The processor time that the process has used since its start."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mib(self) -> float:
        """The memory that the process holds now (VmRSS), in MiB."""
        return _status_mib(self.pid, "VmRSS:")

    def peak_mib(self) -> float:
        """The most memory that the process has held so far (VmHWM), in MiB."""
        return _status_mib(self.pid, "VmHWM:")

    def _running(self) -> Child:
        if self._child is None:
            raise RuntimeError(f"worker {self.name} is not running")
        return self._child

    async def _probe(self) -> None:
        try:
            async with asyncio.timeout(_PROBE_TIMEOUT_SECONDS):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                answer = await reader.readline()
                writer.close()
        except (OSError, TimeoutError) as reason:
            raise NotReady(f"its probes do not answer: {reason!r}") from reason
        if b" 200 " not in answer:
            raise NotReady("it is not ready")


def _status_mib(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} shows no {name}")
