"""A disk of a few megabytes for one database, to be filled: a file system in memory, mounted for a tablespace.

Mounting takes rights that not everybody has: where they are missing there is no small disk, and the scenarios that
need one are skipped with that reason.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from processor.devstack.account import unprivileged_account
from tests.chaos.books import statement

_MEGABYTES: Final = 96
_TABLESPACE: Final = '"small_disk"'


class NoSmallDisk(Exception):
    """This user may not mount anything."""


@dataclass(frozen=True)
class SmallDisk:
    """Where it is mounted."""

    folder: Path


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """Mount one, and take it away again. Raises NoSmallDisk."""
    folder.mkdir()
    options = f"size={_MEGABYTES}m"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        raise NoSmallDisk(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        account, data = unprivileged_account(), folder / "data"
        data.mkdir()
        folder.chmod(0o711)
        if account is not None:
            account.own(data)
        yield SmallDisk(folder)
    finally:
        # Lazily: Postgres may hold a file open for a moment yet.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@asynccontextmanager
async def tablespace_on(disk: SmallDisk, superuser_dsn: str) -> AsyncIterator[None]:
    """Have Postgres know it. At the end no database may lie on it any more."""
    location = f"'{os.fspath(disk.folder / 'data')}'"
    made = statement("create_tablespace").replace(":0", _TABLESPACE).replace(":folder", location)
    await _execute(superuser_dsn, made)
    try:
        yield
    finally:
        await _execute(superuser_dsn, statement("drop_tablespace").replace(":0", _TABLESPACE))


async def move_onto_small_disk(database: str, superuser_dsn: str) -> None:
    """Move a database there that nobody is connected to."""
    moved = statement("move_to_tablespace").replace(":0", f'"{database}"').replace(":1", _TABLESPACE)
    await _execute(superuser_dsn, moved)


async def _execute(dsn: str, statement: str) -> None:
    superuser = await asyncpg.connect(dsn, timeout=10)
    try:
        await superuser.execute(statement)
    finally:
        await superuser.close()
