"""JSON that a terminal only shows: what it might obey, or hide text with, stays an escape (``\\u009b``)."""

from __future__ import annotations

import re
from typing import Final

_NOT_PLAIN: Final = re.compile(r"[^\x20-\x7e\n]")


def terminal_safe(json: str) -> str:
    """The same JSON with every character written out that is not printable: controls, C1 too, bidirectional overrides,
    zero widths. JSON has such characters nowhere but in its strings, so it stays the same document."""
    return json if json.isascii() and "\x7f" not in json else _NOT_PLAIN.sub(_shown, json)


def _shown(found: re.Match[str]) -> str:
    letter = found[0]
    if letter.isprintable():
        return letter
    code = ord(letter)
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
