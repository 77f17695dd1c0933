"""Bytes to one JSON object, with every limit on size, depth, numbers and characters; or a refusal."""

from __future__ import annotations

from math import isfinite
from typing import Any, Final

import jiter

from schemas.reasons import Reason, Refused

MAX_EVENT_BYTES: Final = 64 * 1024
MAX_DEPTH: Final = 32
STRUCTURED_CLOUD_EVENT: Final = "application/cloudevents+json"

_SMALLEST_INTEGER: Final = -(2**63)
_LARGEST_INTEGER: Final = 2**64 - 1


def refuse_oversize(value: bytes | None) -> None:
    """Raise ``Refused(TOO_LARGE)`` for a value above 64 KiB. It comes before the signature is looked at."""
    if value is not None and len(value) > MAX_EVENT_BYTES:
        raise Refused(
            Reason.TOO_LARGE, f"The event has {len(value)} bytes; at most {MAX_EVENT_BYTES} are read."
        )


def read_object(value: bytes | None, content_type: str | bytes | None = None) -> dict[str, Any]:
    """The JSON object of a record's value; of a structured CloudEvent the object in its ``data``.

    Raises ``Refused`` with TOO_LARGE or UNDECODABLE, nothing else, whatever the bytes are. Strings are left
    to the fields' own limits.
    """
    if value is None:
        raise Refused(Reason.UNDECODABLE, "The record has no value.")
    refuse_oversize(value)
    document = _parse(value)
    if document.__class__ is not dict:
        raise Refused(Reason.UNDECODABLE, "The event is not a JSON object.")
    for item in document.values():
        if item.__class__ is not str:
            _check(item, 1)
    if content_type is not None and is_structured(content_type):
        document = document.get("data")
        if document.__class__ is not dict:
            raise Refused(Reason.UNDECODABLE, "The structured CloudEvent holds no JSON object in its data.")
    return document


def is_structured(content_type: str | bytes) -> bool:
    """Whether the header says that this is a structured CloudEvent."""
    text = content_type.decode("latin-1") if isinstance(content_type, bytes) else content_type
    return text.partition(";")[0].strip().lower() == STRUCTURED_CLOUD_EVENT


def has_nul(value: Any) -> bool:
    """Whether a NUL character, which Postgres cannot store, is anywhere in a JSON value."""
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any("\0" in key or has_nul(item) for key, item in value.items())
    return isinstance(value, list) and any(map(has_nul, value))


def _parse(value: bytes) -> Any:
    try:
        return jiter.from_json(value, catch_duplicate_keys=True, allow_inf_nan=False, cache_mode="keys")
    except ValueError as error:
        raise Refused(Reason.UNDECODABLE, _parser_words(str(error))) from None


def _parser_words(message: str) -> str:
    # The parser's message quotes a duplicate key, which is the sender's text; all else in it is its own.
    if message.startswith("Detected duplicate key"):
        return f"The event has a duplicate key {message[message.rfind(' at line') + 1 :]}."
    return f"The event is not JSON in UTF-8: {message}."


def _check(value: Any, depth: int) -> None:
    """Refuse numbers beyond 64 bits and nesting beyond ``MAX_DEPTH``, anywhere in a value."""
    kind = value.__class__
    if kind is int:
        if not _SMALLEST_INTEGER <= value <= _LARGEST_INTEGER:
            raise Refused(Reason.UNDECODABLE, "The event holds an integer beyond 64 bits.")
    elif kind is float:
        if not isfinite(value):
            raise Refused(Reason.UNDECODABLE, "The event holds a number too large to be read.")
    elif kind is dict or kind is list:
        if depth >= MAX_DEPTH:
            raise Refused(Reason.UNDECODABLE, f"The event is nested deeper than {MAX_DEPTH} levels.")
        for item in value.values() if kind is dict else value:
            _check(item, depth + 1)
