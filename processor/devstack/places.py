"""Where things are kept on this machine: downloads in a cache, a stack's data in a directory of its own."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import platformdirs

DIRECTORY_VARIABLE = "CROUPIER_STACK_DIRECTORY"
CACHE_VARIABLE = "CROUPIER_STACK_CACHE"


def cache_directory() -> Path:
    """Where downloads are kept between stacks; the jars in it are checked each time they are used."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen)
    # Root's own folders are closed to the unprivileged user that Postgres runs as, the machine's are not.
    return (
        platformdirs.site_cache_path("croupier")
        if os.geteuid() == 0
        else platformdirs.user_cache_path("croupier")
    )


def default_stack_directory() -> Path:
    """Where `croupier stack up` keeps its stack, unless told otherwise."""
    chosen = os.environ.get(DIRECTORY_VARIABLE)
    if chosen:
        return Path(chosen)
    base = platformdirs.site_state_path if os.geteuid() == 0 else platformdirs.user_state_path
    return base("croupier") / "stack"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file's lock, waiting for whoever has it; for work that two processes must not do at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def try_lock(path: Path) -> IO[str] | None:
    """A file's lock, held until the file that is given back is closed; None if somebody else has it."""
    file = path.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
