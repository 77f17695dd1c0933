"""What somebody hostile puts on the events topic: (key, value, headers) by name, from bytes to whole floods."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from schemas.reading import MAX_EVENT_BYTES
from tests.unit.schemas.door import example

Hostile = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes | None]]]

#: What terminals obey, hide text with, or show in another order than it stands.
TERMINAL_TRICKS: Final = (
    "\x1b[2J\x1b]0;owned\x07", "\x9b2J", "\r\n", "\n{\"message\":\"forged\"}\n", "\b\b\b", "\x7f", "\0",
    "\u202e\u2066", "\u200b\ufeff", "\u2028\u2029", "\U000e0041", "[bold red]markup[/]", "%s%n{}", "\x90q\x9c",
)  # fmt: skip

_BET: Final = json.dumps(example("bet")).encode()


def bet_with(**changes: Any) -> bytes:
    return json.dumps(example("bet", **changes)).encode()


def _raw(field: str, text: bytes) -> bytes:
    return _BET[:-1] + b',"' + field.encode() + b'":' + text + b"}"


def _fill(unit: bytes, start: bytes = b"", end: bytes = b"") -> bytes:
    """As much of it as an event may have."""
    room = MAX_EVENT_BYTES - len(start) - len(end)
    return start + unit * (room // len(unit)) + end


_NESTED: Final = _fill(b"[")
_BYTES: Final[dict[str, bytes | None]] = {
    "no value": None,
    "empty": b"",
    "nul": b"\0",
    "ff": b"\xff" * 4096,
    "bom": b"\xef\xbb\xbf" + _BET,
    "utf-16": _BET.decode().encode("utf-16"),
    "overlong slash": _raw("x", b'"\xc0\xaf"'),
    "surrogate bytes": _raw("x", b'"\xed\xa0\x80"'),
    "lone surrogate": _raw("x", rb'"\ud800"'),
    "lone surrogate in a key": _raw(r"\udfff", b"1"),
    "two documents": _BET + _BET,
    "trailing nul": _BET + b"\0",
    "comment": b"/* */" + _BET,
    "64 KiB of spaces": _fill(b" ", end=_BET),
    "over 64 KiB": b" " * (MAX_EVENT_BYTES + 1),
}
_SHAPES: Final[dict[str, bytes]] = {
    "scalar": b"1",
    "array": b"[" + _BET + b"]",
    "deep arrays": _NESTED,
    "deep closed arrays": _fill(b"[", b"")[:32_000] + b"]" * 32_000,
    "deep objects": _fill(b'{"a":'),
    "deep in a field": _raw("x", b"[" * 30_000 + b"]" * 30_000),
    "duplicate key": _raw("amount", b'"99.00"'),
    "duplicate by escape": _raw("\\u0061mount", b'"99.00"'),
    "duplicate in metadata": _raw("metadata", b'{"a":1,"a":2}'),
    "many keys": b"{" + b",".join(b'"%d":1' % number for number in range(6000)) + b"}",
    "many equal keys": b"{" + b",".join(b'"a":1' for _ in range(9000)) + b"}",
    "keys that collide": b"{" + b",".join(b'"%s":1' % (b"\\u0000" * n) for n in range(1, 140)) + b"}",
    "metadata of lists": _raw("metadata", b'{"a":[' + b"[]," * 15_000 + b"[]]}"),
    "__class__": _raw("__class__", b'"x"'),
    "__proto__": _raw("__proto__", b'{"provider":"operator"}'),
}
_NUMBERS: Final[dict[str, bytes]] = {
    "number as amount": bet_with(amount=2.5),
    "60,000 digits": _raw("x", b"9" * 60_000),
    "60,000 decimals": _raw("metadata", b'{"n":0.' + b"1" * 60_000 + b"}"),
    "huge exponent": _raw("x", b"1e999999999"),
    "tiny exponent": _raw("x", b"1e-999999999"),
    "NaN": _raw("x", b"NaN"),
    "amount of 60,000 digits": bet_with(amount="9" * 60_000),
    "amount of 60,000 decimals": bet_with(amount="1." + "0" * 60_000),
    "amount with an exponent": bet_with(amount="1e5"),
    "negative amount": bet_with(amount="-5.00"),
    "fullwidth amount": bet_with(amount="５.００"),
    "arabic amount": bet_with(amount="٢.٥٠"),
    "version of 64 bits": bet_with(version=2**63),
    "version true": bet_with(version=True),
}
_TEXTS: Final[dict[str, bytes]] = {
    **{f"id {trick!a}": bet_with(transaction_id=f"b{trick}") for trick in TERMINAL_TRICKS},
    **{f"type {trick!a}": bet_with(type=f"bet{trick}") for trick in TERMINAL_TRICKS},
    **{f"metadata {trick!a}": bet_with(metadata={f"k{trick}": trick}) for trick in TERMINAL_TRICKS},
    **{f"key {trick!a}": bet_with(**{f"k{trick}": 1}) for trick in TERMINAL_TRICKS},
    "homoglyph provider": bet_with(provider="аcme"),
    "upper-case provider": bet_with(provider="ACME"),
    "sql": bet_with(transaction_id="'; DROP TABLE entries; --", round_id="$1", game_id="%s"),
    "copy": bet_with(transaction_id="a\\tb\\N", round_id="\\."),
    "path": bet_with(game_id="../../etc/passwd"),
    "id of 60,000": bet_with(transaction_id="x" * 60_000),
    "provider of 60,000": bet_with(provider="a" * 60_000),
    "time zone": json.dumps(example("open_player", time_zone="../" * 100)).encode(),
    "reason of terminal tricks": json.dumps(example("adjust", reason="".join(TERMINAL_TRICKS))).encode(),
}
_HEADERS: Final[dict[str, Sequence[tuple[str, bytes | None]]]] = {
    "70,000 headers": [("", None)] * 70_000,
    "70,000 key ids": [("x-key-id", b"acme-1")] * 70_000,
    "a megabyte of header": [("x-signature", b"0" * 1_000_000)],
    "name of 60,000": [("n" * 60_000, b"")],
    "our own names": [("wallet-dlq-reason", b"OK"), ("wallet-batch", b"1/0/1"), ("wallet-seal", b"00")],
    "forged replay": [("wallet-replay-of", b"\0"), ("wallet-replay-count", b"\xff" * 99)],
    "forged operator": [("wallet-replay-key-id", b"operator-1"), ("wallet-replay-signature", b"0" * 64)],
    "digits without end": [("x-timestamp", b"9" * 100_000), ("x-key-id", b"a"), ("x-signature", b"")],
    "content type": [("content-type", b"application/cloudevents+json;" + b"x" * 50_000)],
    "traceparent": [("traceparent", b"\x1b[2J\0\xff" * 1000)],
    "tricks": [(f"h{trick}", trick.encode()) for trick in TERMINAL_TRICKS],
}
_KEYS: Final[dict[str, bytes | None]] = {
    "no key": None,
    "empty key": b"",
    "another's key": b"p-8",
    "nul key": b"p-7\0",
    "key of 60,000": b"k" * 60_000,
    "key of tricks": "".join(TERMINAL_TRICKS).encode(),
    "key of ff": b"\xff",
}

CORPUS: Final[dict[str, Hostile]] = {
    **{name: (b"p-7", value, ()) for name, value in {**_BYTES, **_SHAPES, **_NUMBERS, **_TEXTS}.items()},
    **{f"headers: {name}": (b"p-7", _BET, headers) for name, headers in _HEADERS.items()},
    **{f"headers on junk: {name}": (b"p-7", b"{", headers) for name, headers in _HEADERS.items()},
    **{f"key: {name}": (key, _BET, ()) for name, key in _KEYS.items()},
}
