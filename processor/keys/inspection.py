"""What is wrong with the keys, or soon will be: ages, places, permissions of files, secrets used twice."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from processor.keys.file import KeyFile
from processor.keys.ring import Reading, read_directory


class State(StrEnum):
    """What a key is good for now."""

    VALID = "valid"
    NOT_YET = "not yet valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    FOREIGN = "for another environment"


class Finding(NamedTuple):
    """One thing about one key (or file) that a person should know; ``bad`` ones make the check fail."""

    key: str
    bad: bool
    sentence: str


class Rules(NamedTuple):
    """What the keys are held to."""

    environment: str
    warn_age_days: int
    max_age_days: int


def state_of(key: KeyFile, environment: str, now: datetime) -> State:
    """What a key is good for at a time."""
    if key.revoked_at is not None:
        return State.REVOKED
    if key.environment != environment:
        return State.FOREIGN
    if key.not_before is not None and now < key.not_before:
        return State.NOT_YET
    if key.not_after is not None and now >= key.not_after:
        return State.EXPIRED
    return State.VALID


def age_days(key: KeyFile, now: datetime) -> float:
    """How many days ago a key was made."""
    return (now - key.created_at) / timedelta(days=1)


def findings(directory: Path, rules: Rules, now: datetime) -> list[Finding]:
    """All that is wrong in the directory, worst first. Raises OSError where it cannot be read."""
    reading = read_directory(directory)
    found = [
        *_of_files(reading),
        *(finding for file in reading.files.values() for finding in _of_key(file, rules, now)),
        *_of_modes(directory, reading),
        *_used_twice(reading),
    ]
    return sorted(found, key=lambda finding: (not finding.bad, finding.key))


def _of_files(reading: Reading) -> Iterator[Finding]:
    for name, sentence in reading.problems.items():
        yield Finding(name, True, sentence)


def _of_key(key: KeyFile, rules: Rules, now: datetime) -> Iterator[Finding]:
    state, days = state_of(key, rules.environment, now), age_days(key, now)
    if state is State.FOREIGN:
        yield Finding(
            key.id,
            True,
            f"It is for {key.environment}, and this is {rules.environment}: take its file away from here.",
        )
    elif state is State.EXPIRED:
        yield Finding(
            key.id, False, f"It expired on {key.not_after:%Y-%m-%d}: `croupier keys revoke {key.id}`."
        )
    elif state in (State.VALID, State.NOT_YET):
        if days > rules.max_age_days:
            yield Finding(
                key.id,
                True,
                f"It is {days:.0f} days old, and {rules.max_age_days} are allowed: `croupier keys rotate {key.id}`.",
            )
        elif days >= rules.warn_age_days:
            yield Finding(
                key.id, False, f"It is {days:.0f} days old: rotate it soon, `croupier keys rotate {key.id}`."
            )


def _of_modes(directory: Path, reading: Reading) -> Iterator[Finding]:
    if directory.stat().st_mode & stat.S_IWOTH:
        yield Finding(
            directory.name, True, f"Anybody can put keys into the directory: chmod o-w {directory}."
        )
    for name, key in reading.files.items():
        mode = (directory / name).stat().st_mode
        if key.secret is not None and mode & (stat.S_IROTH | stat.S_IWOTH):
            yield Finding(
                key.id, True, f"Anybody on the machine can read its file: chmod o-rw {directory / name}."
            )


def _used_twice(reading: Reading) -> Iterator[Finding]:
    first: dict[bytes, str] = {}
    for key in reading.files.values():
        if key.secret is not None:
            other = first.setdefault(sha256(key.secret.get_secret_value()).digest(), key.id)
            if other != key.id:
                yield Finding(
                    key.id, True, f"It has the same secret as {other}: make a new one for one of them."
                )
