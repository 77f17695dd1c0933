"""The operating system's user that Postgres runs as.

Postgres refuses to run as root. Started by root it runs as an unprivileged user instead, and everything it needs
must be reachable for that user; started by anybody else it runs as them.
"""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from processor.errors import CroupierError

# In this order; the first that exists. initdb wants a user with a name, so a bare number will not do.
_CANDIDATES = ("croupier", "postgres", "nobody")


class NoAccount(CroupierError):
    """Started as root, and there is no unprivileged user to run Postgres as."""

    exit_code = 4


@dataclass(frozen=True)
class Account:
    """An unprivileged user."""

    name: str
    uid: int
    gid: int

    def popen_arguments(self) -> dict[str, Any]:
        """What makes subprocess start a program as this user, with no group but its own."""
        return {"user": self.uid, "group": self.gid, "extra_groups": [], "umask": 0o077}

    def own(self, path: Path) -> None:
        """Give a file or folder to this user, for its eyes only."""
        path.chmod(0o700 if path.is_dir() else 0o600)
        os.chown(path, self.uid, self.gid)

    def barrier(self, path: Path) -> Path | None:
        """The first folder on the way to `path` that this user cannot pass; None if the way is free."""
        return next((folder for folder in _way_to(path) if not self._may_enter(folder)), None)

    def _may_enter(self, folder: Path) -> bool:
        info = folder.stat()
        if info.st_uid == self.uid:
            return bool(info.st_mode & stat.S_IXUSR)
        if info.st_gid == self.gid:
            return bool(info.st_mode & stat.S_IXGRP)
        return bool(info.st_mode & stat.S_IXOTH)


def _way_to(path: Path) -> Iterator[Path]:
    yield from reversed(path.resolve().parents)


def unprivileged_account() -> Account | None:
    """Who runs Postgres: None for ourselves, or the unprivileged user where we are root.

    Raises NoAccount if we are root and no such user exists.
    """
    if os.geteuid() != 0:
        return None
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise NoAccount(
        "Postgres refuses to run as root, and none of the users "
        f"{', '.join(_CANDIDATES)} exists to run it as: create one, or run this as another user."
    )
