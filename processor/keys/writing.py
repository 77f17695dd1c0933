"""Making, rotating and revoking keys: whole files or none, for their owner's eyes only, never one over another."""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from processor.errors import KeysUnusable, WrongUsage
from processor.keys.file import SUFFIX, BadKeyFile, KeyFile, read_key, write_key
from processor.keys.ring import read_directory
from schemas.signing import LEAST_SECRET_BYTES

_MODE: Final = 0o600


def make(
    directory: Path,
    *,
    owner: str,
    environment: str,
    now: datetime,
    key_id: str | None = None,
    types: Collection[str] | None = None,
    valid_days: int | None = None,
) -> KeyFile:
    """A new key with a secret of its own, as a file. Its id is the owner's name and the day unless it is given.

    Raises `errors.WrongUsage` (an id that is taken, an owner that is none), `errors.KeysUnusable` (not writable).
    """
    try:
        key = KeyFile(
            id=key_id or _free_id(directory, owner, now),
            environment=environment,
            owner=owner,
            types=None if types is None else tuple(types),
            created_at=now,
            not_before=None,
            not_after=None if valid_days is None else now + timedelta(days=valid_days),
            secret=secrets.token_bytes(LEAST_SECRET_BYTES),
        )
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise WrongUsage(
            f"This would be no key: {'.'.join(map(str, fault['loc']))}: {fault['msg']}."
        ) from None
    _write(directory, key, replace=False)
    return key


def rotate(directory: Path, key_id: str, *, now: datetime, overlap_days: int) -> tuple[KeyFile, KeyFile]:
    """A new key in the place of an old one, which stays valid for the overlap: (old, new).

    Raises `errors.WrongUsage` (no such key, or a revoked one), `errors.KeysUnusable`.
    """
    old = find(directory, key_id)
    if old.revoked_at is not None:
        raise WrongUsage(f"The key {key_id} is revoked: make a new one with `croupier keys new {old.owner}`.")
    new = make(directory, owner=old.owner, environment=old.environment, now=now, types=old.types)
    end = now + timedelta(days=overlap_days)
    ending = old.model_copy(update={"not_after": end if old.not_after is None else min(end, old.not_after)})
    _write(directory, ending, replace=True)
    return ending, new


def revoke(directory: Path, key_id: str, *, now: datetime) -> KeyFile:
    """Take a key's secret away for good; its file stays, so that its id is not given again.

    Raises `errors.WrongUsage` (no such key), `errors.KeysUnusable`.
    """
    old = find(directory, key_id)
    if old.revoked_at is not None:
        return old
    revoked = old.model_copy(update={"secret": None, "revoked_at": now})  # nosec B105
    _write(directory, revoked, replace=True)
    return revoked


def find(directory: Path, key_id: str) -> KeyFile:
    """One key as its file says. Raises `errors.WrongUsage` where there is none, or a bad one; `errors.KeysUnusable`."""
    name = key_id + SUFFIX
    try:
        reading = read_directory(directory)
    except OSError as error:
        raise unreadable(directory, error) from None
    if name in reading.problems:
        raise WrongUsage(reading.problems[name])
    if name not in reading.files:
        raise WrongUsage(
            f"There is no key {key_id} in {directory}; `croupier keys list` shows those that there are."
        )
    return reading.files[name]


def unreadable(directory: Path, error: OSError) -> KeysUnusable:
    """What to say where the directory cannot be read."""
    return KeysUnusable(
        f"The keys' directory {directory} cannot be read ({error.strerror}): set CROUPIER_KEYS_DIRECTORY to the "
        "directory that holds the keys."
    )


def _free_id(directory: Path, owner: str, now: datetime) -> str:
    day = f"{owner}-{now:%Y-%m-%d}"
    taken = {path.name for path in directory.glob("*" + SUFFIX)} if directory.is_dir() else set()
    numbered = (f"{day}-{number}" for number in range(2, 10_000))
    return next(one for one in (day, *numbered) if one + SUFFIX not in taken)


def _write(directory: Path, key: KeyFile, *, replace: bool) -> None:
    """Whole or not at all: a hidden file beside it, which then takes the name."""
    target = directory / (key.id + SUFFIX)
    partial = directory / f".{key.id}.{secrets.token_hex(4)}"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "wb") as file:
            file.write(write_key(key))
            file.flush()
            os.fsync(file.fileno())
        try:
            if replace:
                partial.replace(target)
            else:
                os.link(partial, target)
        finally:
            partial.unlink(missing_ok=True)
    except FileExistsError:
        raise WrongUsage(f"There is a key {key.id} already: give another --id.") from None
    except OSError as error:
        raise KeysUnusable(
            f"The keys' directory {directory} cannot be written ({error.strerror}): where something else keeps the "
            "keys (a Kubernetes secret, a vault), change them there."
        ) from None
    read_back(target)


def read_back(path: Path) -> KeyFile:
    """The key in a file that was just written. Raises `errors.KeysUnusable` where it is not what was written."""
    try:
        return read_key(path.name, path.read_bytes())
    except (BadKeyFile, OSError) as error:
        raise KeysUnusable(f"The file {path} was written and cannot be read back: {error}") from None
