"""Servers as child processes: started in a group of their own, watched by the guardian, stopped for certain."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import tenacity

from processor.devstack import guardian
from processor.devstack.account import Account
from processor.errors import CroupierError

_LOG_TAIL_CHARACTERS = 2000


class ServerFailed(CroupierError):
    """A server of the stack did not start, or ended by itself; the message holds the end of its log."""


class NotReady(Exception):
    """A server does not answer yet."""


class Guardian:
    """The handle on the guardian process of one stack."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it; before any server is started."""
        self._process = subprocess.Popen(
            [sys.executable, "-I", guardian.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )

    def tell(self, line: str) -> None:
        """Tell it one of its lines (see guardian.py)."""
        if self._process is None or self._process.stdin is None:
            raise RuntimeError("the guardian is started before anything that it guards")
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    async def stop(self) -> None:
        """Close its pipe: it ends whatever is left, erases what it was told to, and goes."""
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        await asyncio.to_thread(process.wait)


class Child:
    """One running server process."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, keeper: Guardian) -> None:
        self._process = process
        self._log = log
        self._keeper = keeper

    @classmethod
    def start(
        cls,
        arguments: Sequence[str],
        *,
        log: Path,
        keeper: Guardian,
        account: Account | None = None,
        environment: Mapping[str, str] | None = None,
        last_signal: signal.Signals = signal.SIGKILL,
    ) -> Child:
        """Start a program; its output goes to the end of `log`.

        `last_signal` is what the guardian sends it should this process die.
        """
        with log.open("ab") as output:
            process = subprocess.Popen(
                list(arguments),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=log.parent,
                env=None if environment is None else {**os.environ, **environment},
                start_new_session=True,
                **(account.popen_arguments() if account else {}),
            )
        keeper.tell(f"watch {process.pid} {int(last_signal)}")
        return cls(process, log, keeper)

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its process group."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process has not ended yet."""
        return self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process (not to its group); nothing happens if it has ended."""
        self._process.send_signal(number)

    async def end(self, number: signal.Signals, timeout_seconds: float) -> int:
        """Send a signal, wait for the end, insist with SIGKILL after the time-out; gives the exit status."""
        self.send(number)
        try:
            await asyncio.to_thread(self._process.wait, timeout_seconds)
        except subprocess.TimeoutExpired:
            guardian.send(self.pid, signal.SIGKILL)
            await asyncio.to_thread(self._process.wait)
        self._keeper.tell(f"forget {self.pid}")
        return self._process.returncode

    async def wait_ready(
        self, name: str, answers: Callable[[], Awaitable[None]], timeout_seconds: float
    ) -> None:
        """Wait until `answers` no longer raises NotReady.

        Raises ServerFailed with the end of the log when the process ends or the time-out passes.
        """

        async def probe() -> None:
            if not self.running:
                raise ServerFailed(
                    f"{name} ended with status {self._process.returncode} while starting:\n{self.log_tail()}"
                )
            await answers()

        try:
            await tenacity.AsyncRetrying(
                wait=tenacity.wait_fixed(0.05),
                stop=tenacity.stop_after_delay(timeout_seconds),
                retry=tenacity.retry_if_exception_type(NotReady),
                reraise=True,
            )(probe)
        except NotReady as reason:
            raise ServerFailed(
                f"{name} did not answer within {timeout_seconds:.0f} seconds ({reason}):\n{self.log_tail()}"
            ) from reason

    def log_tail(self) -> str:
        """The end of the server's log."""
        return self._log.read_text(errors="replace")[-_LOG_TAIL_CHARACTERS:]


async def run_tool(
    arguments: Sequence[str], *, account: Account | None = None, timeout_seconds: float = 120.0
) -> None:
    """Run a tool to its end; raises ServerFailed with its output if it fails."""

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            list(arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_seconds,
            cwd="/",
            check=False,
            **(account.popen_arguments() if account else {}),
        )

    done = await asyncio.to_thread(run)
    if done.returncode != 0:
        raise ServerFailed(f"{Path(arguments[0]).name} failed with status {done.returncode}:\n{done.stdout}")
