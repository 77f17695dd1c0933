"""What certify may own: an embedded stack to play on, and a worker to kill on the way."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from processor.devstack.certify.plan import Trouble
from processor.devstack.child import Guardian, ServerFailed
from processor.devstack.commands import croupier
from processor.devstack.embedded import EmbeddedStack
from processor.devstack.worker import Worker

#: A worker of certify's own is missed quickly when it is killed.
_WORKER_SETTINGS: Final = {"CROUPIER_SESSION_TIMEOUT_SECONDS": "6"}
_DEAD_SECONDS: Final = 1.0
#: How much longer an answer may take in a run in which the worker is killed.
_GRACE_SECONDS: Final = 60.0


@asynccontextmanager
async def embedded_installation(say: Callable[[str], None]) -> AsyncIterator[dict[str, str]]:
    """A stack of our own, migrated and with topics, as the variables that name it; it goes with the block.

    Raises what EmbeddedStack.start raises, and CommandFailed.
    """
    say("Starting a Kafka and a Postgres of our own.")
    async with EmbeddedStack(progress=say) as stack:
        environment = stack.environment()
        await croupier(["migrate"], environment)
        await croupier(["topics", "create"], environment)
        yield environment


@asynccontextmanager
async def own_worker(environment: Mapping[str, str]) -> AsyncIterator[Worker]:
    """A worker process of our own that is ready; drained at the end of the block.

    It joins whatever workers the installation has and gets its share of the lanes. Raises
    ServerFailed, also where it does not drain and end in good order.
    """
    directory = Path(tempfile.mkdtemp(prefix="croupier-certify-"))
    guardian = Guardian()
    guardian.start()
    name = f"certify-{secrets.token_hex(3)}"
    worker = Worker(name, {**environment, **_WORKER_SETTINGS}, directory, guardian)
    try:
        await worker.start()
        await worker.wait_ready()
        yield worker
        if await worker.stop() != 0:
            raise ServerFailed(f"The worker did not drain and end in good order:\n{worker.log_tail()}")
    finally:
        if worker.alive:
            await worker.kill()
        await guardian.stop()
        shutil.rmtree(directory, ignore_errors=True)


def killing(worker: Worker, say: Callable[[str], None]) -> Trouble:
    """SIGKILL for the worker, and the same worker again a second later."""

    async def act() -> None:
        say("Killing the worker (SIGKILL), and starting it again a second later.")
        await worker.kill()
        await asyncio.sleep(_DEAD_SECONDS)
        await worker.start()
        await worker.wait_ready()
        say("The worker has its lanes again.")

    return Trouble(act, _GRACE_SECONDS)
