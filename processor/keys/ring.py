"""The key ring: all keys of the directory, read again when it changes, without a restart.

The directory is looked at every few seconds, not watched by inotify: a Kubernetes secret changes by a swap of its
`..data` link, a network file system tells nobody anything, and a look costs a few `stat`s. A file that is bad keeps the
key that was read from it before; a directory that cannot be read, or is empty of a sudden, keeps all keys: an outage of
whatever mounts it must not turn honest events into dead letters. A key is taken away by taking its file away, or by
`croupier keys revoke`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from processor.errors import KeysUnusable
from processor.keys.file import MOST_BYTES, SUFFIX, BadKeyFile, KeyFile, read_key
from processor.keys.key import Key, Use
from processor.ports import KeyFacts
from schemas.events import OPERATOR

Mark = tuple[tuple[str, int, int, int], ...]


class Reading(NamedTuple):
    """What the directory holds: keys by file name (revoked ones too), and a sentence for each file that is none."""

    files: dict[str, KeyFile]
    problems: dict[str, str]


def key_files(directory: Path) -> list[Path]:
    """The files that are keys by their name; hidden ones (`..data`, half-written ones) are not. Raises OSError."""
    with os.scandir(directory) as entries:
        return sorted(
            Path(entry.path)
            for entry in entries
            if entry.name.endswith(SUFFIX) and not entry.name.startswith(".") and entry.is_file()
        )


def read_directory(directory: Path) -> Reading:
    """All keys of the directory. Raises OSError where the directory itself cannot be read."""
    reading = Reading({}, {})
    for path in key_files(directory):
        try:
            with path.open("rb") as file:
                reading.files[path.name] = read_key(path.name, file.read(MOST_BYTES + 1))
        except BadKeyFile as bad:
            reading.problems[path.name] = str(bad)
        except OSError as error:
            reading.problems[path.name] = f"{path.name} cannot be read: {error.strerror}."
    return reading


def mark_of(directory: Path) -> Mark:
    """What differs whenever any key file does: names, sizes, times of change, inodes. Raises OSError."""
    found = []
    for path in key_files(directory):
        facts = path.stat()
        found.append((path.name, facts.st_size, facts.st_mtime_ns, facts.st_ino))
    return tuple(found)


class KeyRing:
    """The keys of one installation (`ports.Keys`). ``complain`` hears each problem once, in a sentence."""

    def __init__(
        self,
        directory: Path,
        *,
        environment: str,
        complain: Callable[[str], None] = lambda sentence: None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._directory = directory
        self._environment = environment
        self._complain = complain
        self._now_ms = now_ms
        self._files: dict[str, KeyFile] = {}
        self._keys: dict[bytes, Key] = {}
        self._uses: dict[str, Use] = {}
        self._mark: Mark | None = None
        self._said: set[str] = set()

    def find(self, key_id: bytes) -> Key | None:
        """The key of this id, None where there is none (or it is revoked)."""
        return self._keys.get(key_id)

    def operator_key(self) -> Key | None:
        """The newest of the operator's own keys that is valid now, None where there is none."""
        return self.newest(OPERATOR)

    def newest(self, owner: str) -> Key | None:
        """The newest key of an owner that is of this environment and valid now."""
        now_ms = self._now_ms()
        able = [
            key
            for key in self._keys.values()
            if key.owner == owner and not key.foreign and key.is_valid_at(now_ms)
        ]
        return max(able, key=lambda key: (key.created_at, key.key_id), default=None)

    def facts(self) -> list[KeyFacts]:
        """What may be told of each key."""
        now_ms = self._now_ms()
        return [
            KeyFacts(
                key.key_id,
                key.owner,
                now_ms / 1000 - key.created_at.timestamp(),
                key.use.count,
                key.use.last_ms,
            )
            for key in self
        ]

    def __iter__(self) -> Iterator[Key]:
        return iter(list(self._keys.values()))

    def __len__(self) -> int:
        return len(self._keys)

    def load(self) -> None:
        """The first reading. Raises `errors.KeysUnusable` where there is no directory, or no key in it."""
        try:
            self._mark = mark_of(self._directory)
            self._take(read_directory(self._directory))
        except OSError as error:
            raise KeysUnusable(
                f"The keys' directory {self._directory} cannot be read ({error.strerror}): set "
                "CROUPIER_KEYS_DIRECTORY to the directory that holds them."
            ) from None
        if not self._keys:
            raise KeysUnusable(
                f"The keys' directory {self._directory} holds no key: make one with `croupier keys new`."
            )

    def refresh(self) -> bool:
        """Read the directory again if it has changed; whether it had. Never raises: what was read before stays."""
        try:
            mark = mark_of(self._directory)
            if mark == self._mark:
                self._said.clear()
                return False
            reading = read_directory(self._directory)
        except OSError as error:
            self._say(
                f"The keys' directory cannot be read ({error.strerror}): the keys read before stay valid."
            )
            return False
        if not (reading.files or reading.problems) and self._files:
            self._say("The keys' directory is empty: the keys read before stay valid.")
            return False
        self._said.clear()
        self._mark = mark
        self._take(reading)
        return True

    def _take(self, reading: Reading) -> None:
        for sentence in reading.problems.values():
            self._say(sentence)
        kept = {name: self._files[name] for name in reading.problems if name in self._files}
        self._files = {**kept, **reading.files}
        self._keys = {
            file.id.encode(): Key(
                file, environment=self._environment, use=self._uses.setdefault(file.id, Use())
            )
            for file in self._files.values()
            if file.revoked_at is None
        }

    def _say(self, sentence: str) -> None:
        if sentence not in self._said:
            self._said.add(sentence)
            self._complain(sentence)
