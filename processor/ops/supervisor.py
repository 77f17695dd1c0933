"""`croupier run --processes N`: a parent that starts N workers and drains them all; it restarts none.

A worker that dies makes the parent drain the others and end with an exit code other than 0: whoever runs the
parent (systemd, Kubernetes) restarts all of it, and sees that it had to.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process

from processor.bootstrap import refuse_unsafe_production, settle_layout
from processor.ops.run import stop_on_signals
from processor.settings import Settings
from processor.telemetry.logging import configure_logging, logger

#: A worker gets this much longer than its own drain before it is killed.
_GRACE_SECONDS = 10.0


async def supervise(settings: Settings) -> int:
    """Run the workers until told to stop, or until one ends by itself. Returns the exit code."""
    configure_logging(settings)
    log = logger()
    stopping = asyncio.Event()
    stop_on_signals(stopping)
    await refuse_unsafe_production(settings)
    await settle_layout(settings)
    workers = [await _start(settings, number) for number in range(settings.processes)]
    log.info(
        "%d workers started.", len(workers), action="workers.started", pids=[worker.pid for worker in workers]
    )
    died = await _first_end(workers, stopping)
    if died is not None:
        log.error(
            "Worker %d ended by itself (%s); the others drain.",
            died.pid,
            describe_end(died.returncode),
            action="worker.died",
            pid=died.pid,
            returncode=died.returncode,
        )
    codes = await _drain(workers, settings.drain_timeout_seconds + _GRACE_SECONDS)
    log.info("All workers have ended.", action="workers.ended", returncodes=codes)
    return exit_code(codes, died is not None)


def child_environment(settings: Settings, number: int) -> dict[str, str]:
    """What the numbered worker (from 0) is told beside the parent's own variables."""
    changes = {"CROUPIER_PROCESSES": "1"}
    if "lanes" in settings.model_fields_set:
        changes["CROUPIER_LANES"] = str(settings.lanes)
    if settings.group_instance_id is not None:
        changes["CROUPIER_GROUP_INSTANCE_ID"] = f"{settings.group_instance_id}-{number}"
    if settings.http_port:
        changes["CROUPIER_HTTP_PORT"] = str(settings.http_port + number)
    return {**os.environ, **changes}


def exit_code(codes: list[int | None], died: bool) -> int:
    """0 where all drained as asked; else the first worker's own code, or 1 where a signal ended it."""
    bad = [code for code in codes if code]
    if not bad:
        return 1 if died else 0
    return next((code for code in bad if code > 0), 1)


def describe_end(returncode: int | None) -> str:
    """How a process ended, in words."""
    if returncode is not None and returncode < 0:
        return f"signal {-returncode}"
    return f"exit code {returncode}"


async def _start(settings: Settings, number: int) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "processor",
        "run",
        "--supervised",
        stdin=PIPE,
        env=child_environment(settings, number),
    )


async def _first_end(workers: list[Process], stopping: asyncio.Event) -> Process | None:
    """Wait until told to stop (None) or until a worker ends by itself (that worker)."""
    told = asyncio.create_task(stopping.wait())
    ends = {asyncio.create_task(worker.wait()): worker for worker in workers}
    done, pending = await asyncio.wait([told, *ends], return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    if told in done:
        return None
    return next(worker for task, worker in ends.items() if task in done)


async def _drain(workers: list[Process], timeout_seconds: float) -> list[int | None]:
    for worker in workers:
        if worker.returncode is None:
            worker.terminate()
    try:
        async with asyncio.timeout(timeout_seconds):
            await asyncio.gather(*(worker.wait() for worker in workers))
    except TimeoutError:
        for worker in workers:
            if worker.returncode is None:
                worker.kill()
        await asyncio.gather(*(worker.wait() for worker in workers))
    return [worker.returncode for worker in workers]
