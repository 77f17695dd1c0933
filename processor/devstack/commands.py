"""The program's own command line as other programs use it: a child process, its output, its exit code."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from processor.errors import CroupierError

_TIMEOUT_SECONDS = 300.0
_SHOWN_CHARACTERS = 2000


class CommandFailed(CroupierError):
    """A command of the demonstration itself ended badly; the message holds what it said."""


async def croupier(
    words: Sequence[str], environment: Mapping[str, str], *, allowed: frozenset[int] = frozenset({0})
) -> tuple[int, str]:
    """Run one command to its end; gives its exit code and its standard output.

    Raises CommandFailed with what it said on standard error where the exit code is not an allowed one.
    """
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "processor", *words],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode not in allowed:
        said = (done.stderr or done.stdout)[-_SHOWN_CHARACTERS:]
        raise CommandFailed(f"croupier {' '.join(words)} ended with {done.returncode}:\n{said}")
    return done.returncode, done.stdout
