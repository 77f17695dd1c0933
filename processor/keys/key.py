"""A key as the lane uses it: did it sign this, is it valid then, may its owner send that. Its secret stays inside."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from typing import Final

from pydantic import SecretBytes

from processor.keys.file import KeyFile
from schemas.events import OPERATOR
from schemas.signing import replay_signature, sign, verify

_EVER_MS: Final = 1 << 62


class Use:
    """When a key was last used (broker time, Unix milliseconds; 0: not yet) and how often; outlives its readings."""

    __slots__ = ("count", "last_ms")

    def __init__(self) -> None:
        self.count = 0
        self.last_ms = 0


class Key:
    """One key of the directory (`ports.SenderKey`). ``foreign`` names its environment where it is not ours."""

    __slots__ = (
        "_from_ms",
        "_secret",
        "_until_ms",
        "created_at",
        "editor",
        "foreign",
        "key_id",
        "owner",
        "types",
        "use",
    )

    def __init__(self, file: KeyFile, *, environment: str, use: Use) -> None:
        """A key that is not revoked."""
        assert file.secret is not None
        self.key_id = file.id
        self.owner = file.owner
        self.types = None if file.types is None else frozenset(file.types)
        self.created_at = file.created_at
        self.foreign = "" if file.environment == environment else file.environment
        self.use = use
        self.editor = Editor(self)
        self._secret: SecretBytes = file.secret
        self._from_ms = 0 if file.not_before is None else _milliseconds(file.not_before)
        self._until_ms = _EVER_MS if file.not_after is None else _milliseconds(file.not_after)

    def __repr__(self) -> str:
        return f"Key({self.key_id!r}, owner={self.owner!r})"

    def is_valid_at(self, at_ms: int) -> bool:
        """Whether that time (Unix milliseconds) lies within its validity."""
        return self._from_ms <= at_ms < self._until_ms

    def sign(self, value: bytes, timestamp: bytes) -> bytes:
        """Its signature of these bytes at that time."""
        return sign(self._secret.get_secret_value(), value, timestamp)

    def signed(self, value: bytes, timestamp: bytes, signature: bytes) -> bool:
        """Whether that is its signature of these bytes. Compares in constant time."""
        return verify(self._secret.get_secret_value(), value, timestamp, signature)

    def replay_signature(self, letter_id: str, value: bytes) -> bytes:
        """What it signs to send a dead letter again."""
        return replay_signature(self._secret.get_secret_value(), letter_id, value)

    def vouched(self, letter_id: str, value: bytes, signature: bytes) -> bool:
        """Whether that is what it signs to send this letter again. Compares in constant time."""
        return hmac.compare_digest(self.replay_signature(letter_id, value), signature)

    def objection(self, provider: str, event_type: str) -> str | None:
        """Why its owner may not send this type of event in this provider's name; None: he may."""
        if self.foreign:
            return f"The key {self.key_id} is for {self.foreign}, and this is another environment."
        if provider != self.owner:
            return f"The key {self.key_id} is {self.owner}'s; it signs nothing in another's name."
        if self.types is not None and event_type not in self.types:
            return f"The key {self.key_id} is not for events of type {event_type}."
        return None

    def used(self, at_ms: int) -> None:
        """Note that it signed something that came at that time."""
        use = self.use
        use.count += 1
        use.last_ms = at_ms


class Editor:
    """The operator's key over a dead letter that he corrected: it speaks in the name of whoever sent the letter."""

    __slots__ = ("_key",)

    def __init__(self, key: Key) -> None:
        self._key = key

    def objection(self, provider: str, event_type: str) -> str | None:
        """Why this key may not stand for a corrected event; None: it may."""
        key = self._key
        return (
            key.objection(OPERATOR, event_type)
            if key.owner == OPERATOR
            else key.objection(provider, event_type)
        )


def _milliseconds(at: datetime) -> int:
    return round(at.astimezone(UTC).timestamp() * 1000)
