"""A small process of its own that outlives its parent by a moment and leaves nothing of it running.

It is told on standard input what its parent starts. When that pipe ends, however the parent died, it stops
what is still running: Postgres by SIGQUIT (no shared memory is left behind), everything by SIGKILL after that.
A pipe works on every system, where "parent death" signals do not; it needs only the standard library.

Lines understood: ``watch PID SIGNAL``, ``forget PID``, ``erase PATH``, ``keep PATH``.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable

GRACE_SECONDS = 6.0
_POLL_SECONDS = 0.05


def follow(lines: Iterable[str]) -> tuple[dict[int, int], set[str]]:
    """What is still running (process group to its signal), and what to erase, when the lines end."""
    running: dict[int, int] = {}
    erase: set[str] = set()
    for line in lines:
        word, _, rest = line.rstrip("\n").partition(" ")
        if word == "watch":
            pid, _, number = rest.partition(" ")
            running[int(pid)] = int(number)
        elif word == "forget":
            running.pop(int(rest), None)
        elif word == "erase":
            erase.add(rest)
        elif word == "keep":
            erase.discard(rest)
    return running, erase


def is_there(group: int) -> bool:
    """Whether any process of the group exists."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def send(group: int, number: int) -> None:
    """Signal a process group that may have ended meanwhile."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


def end(running: dict[int, int]) -> None:
    """Ask each group with its own signal, then insist."""
    for group, number in running.items():
        send(group, number)
    give_up_at = time.monotonic() + GRACE_SECONDS
    while any(is_there(group) for group in running) and time.monotonic() < give_up_at:
        time.sleep(_POLL_SECONDS)
    for group in running:
        send(group, signal.SIGKILL)


def main() -> None:
    """Read until the parent is gone, then clean up after it."""
    running, erase = follow(sys.stdin)
    end(running)
    for path in erase:
        shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    main()
