"""An event's original bytes as people read them: JSON set out, text, or hexadecimal."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import orjson

from processor.ops.console import readable

_HEX_WIDTH = 16


class View(StrEnum):
    """How bytes are shown; `auto` takes the first of JSON, text, hex that fits."""

    AUTO = "auto"
    JSON = "json"
    TEXT = "text"
    HEX = "hex"


def shown(value: bytes | None, view: View = View.AUTO) -> str:
    """The bytes for a terminal: control characters are written out, nothing is obeyed."""
    if value is None:
        return "(no value)"
    if view in (View.AUTO, View.JSON):
        document = _set_out(value)
        if document is not None:
            return readable(document, lines=True)
    if view is View.HEX or (view is View.AUTO and not _is_text(value)):
        return hexadecimal(value)
    return readable(value.decode("utf-8", "backslashreplace"), lines=True)


def as_document(value: bytes | None) -> dict[str, Any]:
    """The bytes for ``--json``: base64 for the exact bytes, and text where they are UTF-8."""
    if value is None:
        return {"base64": None, "text": None}
    try:
        text: str | None = value.decode()
    except UnicodeDecodeError:
        text = None
    return {"base64": base64.b64encode(value).decode(), "text": text}


def headers_document(headers: Sequence[tuple[str, bytes | None]]) -> list[dict[str, Any]]:
    """Headers in their order (names may repeat), each as `as_document` has it."""
    return [{"name": printable_name(name), **as_document(content)} for name, content in headers]


def printable_name(name: str) -> str:
    """A header's name; bytes that are not UTF-8 are written out."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def hexadecimal(value: bytes) -> str:
    """Offset, bytes, and what is printable of them, sixteen to a line."""
    lines = []
    for start in range(0, len(value), _HEX_WIDTH):
        part = value[start : start + _HEX_WIDTH]
        letters = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in part)
        lines.append(f"{start:06x}  {part.hex(' '):<{_HEX_WIDTH * 3}} {letters}")
    return "\n".join(lines)


def _set_out(value: bytes) -> str | None:
    try:
        return orjson.dumps(orjson.loads(value), option=orjson.OPT_INDENT_2).decode()
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None


def _is_text(value: bytes) -> bool:
    try:
        return value.decode().isprintable() or not any(byte < 0x09 for byte in value)
    except UnicodeDecodeError:
        return False
