"""What commands sign: events that they send, and dead letters that an operator sends again or corrects.

Where the installation has no directory of keys nothing is signed, and nothing of this costs anything.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from processor.errors import KeysUnusable
from processor.lane.dead_letters import REPLAY_KEY_ID, REPLAY_SIGNATURE

if TYPE_CHECKING:
    from processor.keys.key import Key
    from processor.keys.ring import KeyRing
    from processor.keys.signer import EventSigner
    from processor.settings import Settings

Header = tuple[str, bytes | None]


def key_ring(settings: Settings) -> KeyRing | None:
    """The keys as the directory holds them now; None where there is no directory. Raises `errors.KeysUnusable`."""
    if settings.keys_directory is None:
        return None
    from processor.keys.ring import KeyRing

    ring = KeyRing(settings.keys_directory, environment=settings.environment)
    ring.load()
    return ring


def event_signer(settings: Settings, key_id: str | None = None) -> EventSigner | None:
    """What signs the events of a command: with the key of this id, or (None) where signing is required with each
    provider's own. Raises `errors.KeysUnusable`."""
    if key_id is None and settings.signing != "required":
        return None
    from processor.keys.signer import EventSigner

    ring = key_ring(settings)
    if ring is None:
        raise KeysUnusable(
            "Nothing can be signed: set CROUPIER_KEYS_DIRECTORY to the directory that holds the keys."
        )
    key = None
    if key_id is not None:
        key = ring.find(key_id.encode())
        if key is None:
            raise KeysUnusable(f"There is no key {key_id} in {settings.keys_directory}, or it is revoked.")
    return EventSigner(ring, key=key)


def vouching_headers(settings: Settings, letter_id: str, value: bytes | None) -> list[Header]:
    """The operator's signature over a dead letter that is sent again: it excuses the age of the sender's timestamp.

    Empty where the installation has no keys. Raises `errors.KeysUnusable` where the operator has none.
    """
    ring = key_ring(settings)
    return [] if ring is None else vouched(operator_key(ring), letter_id, value)


def correction_headers(settings: Settings, letter_id: str, value: bytes) -> list[Header]:
    """All headers that sign a corrected event in the place of a dead letter, with the operator's key: it may then
    speak in the name of the letter's sender. Empty and raising as `vouching_headers`."""
    ring = key_ring(settings)
    if ring is None:
        return []
    from processor.keys.signer import signed_by

    key = operator_key(ring)
    return [*signed_by(key, value, at_ms=time.time_ns() // 1_000_000), *vouched(key, letter_id, value)]


def operator_key(ring: KeyRing) -> Key:
    """The operator's newest valid key. Raises `errors.KeysUnusable` where there is none."""
    key = ring.operator_key()
    if key is None:
        raise KeysUnusable(
            "The operator has no valid key to sign with: make one with `croupier keys new operator`."
        )
    return key


def vouched(key: Key, letter_id: str, value: bytes | None) -> list[Header]:
    """The two headers of the operator's signature over a letter."""
    return [
        (REPLAY_KEY_ID, key.key_id.encode()),
        (REPLAY_SIGNATURE, key.replay_signature(letter_id, value or b"")),
    ]
