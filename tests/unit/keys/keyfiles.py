"""Keys for tests: files in a directory, with secrets made up on the spot."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from processor.keys.file import KeyFile, write_key
from processor.keys.ring import KeyRing

MADE_AT = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
NOW = MADE_AT + timedelta(days=10)
NOW_MS = round(NOW.timestamp() * 1000)


def key_file(key_id: str = "acme-1", **changes: Any) -> KeyFile:
    """A key of acme's for production, with what is changed."""
    fields: dict[str, Any] = {
        "id": key_id,
        "environment": "production",
        "owner": "acme",
        "created_at": MADE_AT,
        "secret": secrets.token_bytes(32),
    }
    return KeyFile.model_validate({**fields, **changes})


def put(directory: Path, *files: KeyFile) -> None:
    """Write the keys' files."""
    directory.mkdir(exist_ok=True)
    for file in files:
        (directory / f"{file.id}.toml").write_bytes(write_key(file))


def ring_of(directory: Path, *files: KeyFile, environment: str = "production") -> KeyRing:
    """A ring that has read these keys, at `NOW`; what it complains of is an error."""
    put(directory, *files)
    ring = KeyRing(directory, environment=environment, complain=_refuse, now_ms=lambda: NOW_MS)
    ring.load()
    return ring


def _refuse(sentence: str) -> None:
    raise AssertionError(sentence)
