"""Signing, for game servers and for us: HMAC-SHA256 over an event's bytes, with nothing but the standard library.

An event is signed by three headers: ``x-key-id`` names the key, ``x-timestamp`` is the time in Unix milliseconds as
ASCII digits, ``x-signature`` is the lower-case hex of HMAC-SHA256 with the key's secret over the value's bytes followed
by those of ``x-timestamp``. The bytes that were signed are the bytes to send: what writes the JSON anew breaks it.

This file stands alone: copy it into a game server, or follow docs/signing.md in any other language.
"""

from __future__ import annotations

import hmac
import time
from hashlib import sha256
from typing import Final

KEY_ID_HEADER: Final = "x-key-id"
TIMESTAMP_HEADER: Final = "x-timestamp"
SIGNATURE_HEADER: Final = "x-signature"

#: A shorter secret could be guessed; `croupier keys new` makes them of this length.
LEAST_SECRET_BYTES: Final = 32

_DIGEST: Final = "sha256"


def sign(secret: bytes, value: bytes, timestamp: bytes) -> bytes:
    """The signature (64 ASCII bytes) of an event's value at a time (``x-timestamp``'s bytes)."""
    return hmac.digest(secret, value + timestamp, _DIGEST).hex().encode()


def verify(secret: bytes, value: bytes, timestamp: bytes, signature: bytes) -> bool:
    """Whether the signature is this secret's for this value and time. Takes as long for a wrong as for a right one.

    It says nothing of the timestamp's age: that is for whoever knows when the message arrived.
    """
    return hmac.compare_digest(sign(secret, value, timestamp), signature)


def signed_headers(
    key_id: str, secret: bytes, value: bytes, *, at_ms: int | None = None
) -> list[tuple[str, bytes]]:
    """The three headers that sign an event; ``at_ms`` (Unix milliseconds) is now unless given.

    Raises ValueError for a secret of less than 32 bytes.
    """
    if len(secret) < LEAST_SECRET_BYTES:
        raise ValueError(f"a secret has at least {LEAST_SECRET_BYTES} bytes, this one has {len(secret)}")
    timestamp = b"%d" % (round(time.time() * 1000) if at_ms is None else at_ms)
    return [
        (KEY_ID_HEADER, key_id.encode()),
        (TIMESTAMP_HEADER, timestamp),
        (SIGNATURE_HEADER, sign(secret, value, timestamp)),
    ]


def replay_signature(secret: bytes, letter_id: str, value: bytes) -> bytes:
    """What an operator signs who sends a dead letter again: its id and the digest of its bytes.

    It begins unlike any event, so that neither kind of signature can pass for the other.
    """
    told = b"croupier replay\n%b\n%b" % (letter_id.encode(), sha256(value).hexdigest().encode())
    return hmac.digest(secret, told, _DIGEST).hex().encode()
