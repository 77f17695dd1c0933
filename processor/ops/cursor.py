"""Where a page ended, as one word that the next command takes back."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime

import orjson

from processor.errors import WrongUsage


def written(key: Sequence[str | datetime]) -> str:
    """The key of a page's last row as one word without blanks."""
    return base64.urlsafe_b64encode(orjson.dumps(list(key))).decode().rstrip("=")


def read(word: str, parts: int) -> list[str]:
    """The key's parts as texts. Raises WrongUsage where the word is not one that a page ended with."""
    try:
        key = orjson.loads(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))
    except (binascii.Error, ValueError):
        key = None
    if not isinstance(key, list) or len(key) != parts or not all(isinstance(part, str) for part in key):
        raise WrongUsage(f"{word!r} is not where a page ended: take the word that the page before told.")
    return key


def read_time(text: str, word: str) -> datetime:
    """A key's part that is a time. Raises WrongUsage."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise WrongUsage(
            f"{word!r} is not where a page ended: take the word that the page before told."
        ) from None
