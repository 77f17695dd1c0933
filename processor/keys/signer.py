"""Signing events as their senders would: for `croupier send`, traffic, cases and tests on an installation that asks
for signatures."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Final

from processor.errors import KeysUnusable
from processor.keys.key import Key
from processor.keys.ring import KeyRing
from schemas.signing import KEY_ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER

Header = tuple[str, bytes]

_PROVIDER: Final = re.compile(rb'"provider"\s*:\s*"([a-z0-9][a-z0-9._-]{0,63})"')


def signed_by(key: Key, value: bytes, *, at_ms: int) -> list[Header]:
    """The three headers that sign a value with this key."""
    timestamp = b"%d" % at_ms
    return [
        (KEY_ID_HEADER, key.key_id.encode()),
        (TIMESTAMP_HEADER, timestamp),
        (SIGNATURE_HEADER, key.sign(value, timestamp)),
    ]


class EventSigner:
    """Signs each event with the newest key of the provider that it names; all with one key where one is given."""

    def __init__(
        self,
        ring: KeyRing,
        *,
        key: Key | None = None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._ring = ring
        self._key = key
        self._now_ms = now_ms

    def __call__(self, value: bytes | None) -> list[Header]:
        """The headers for a value. Raises `errors.KeysUnusable` where nobody's key could sign it."""
        content = value or b""
        return signed_by(self._key or self._sender(content), content, at_ms=self._now_ms())

    def _sender(self, value: bytes) -> Key:
        """The named provider's key; for what names none (or one without a key), any that is valid."""
        named = _PROVIDER.search(value)
        owner = None if named is None else named[1].decode()
        key = None if owner is None else self._ring.newest(owner)
        if key is None:
            key = next((one for one in self._ring if self._ring.newest(one.owner) is one), None)
        if key is None:
            raise KeysUnusable(
                "No key in the keys' directory is valid now: make one with `croupier keys new OWNER`."
            )
        return key
