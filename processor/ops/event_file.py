"""A file of events, one JSON object per line: read, checked at the contract's door before anything is sent."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import orjson

from processor.errors import WrongUsage
from schemas.currencies import BUILT_IN_CURRENCIES
from schemas.decoding import decode
from schemas.reasons import Reason, Refused

#: Only the worker knows configured currencies: what depends on them is left to its door.
_LEFT_TO_THE_WORKER = frozenset({Reason.UNKNOWN_CURRENCY})


class EventLine(NamedTuple):
    """One line of the file: its number (from 1), the event's bytes as they stand, and the record's key."""

    number: int
    value: bytes
    key: bytes | None


class LineFault(NamedTuple):
    """A line that the contract's door would refuse: its number, the reason's code, and the detail."""

    number: int
    reason: str
    detail: str


def read_lines(file: str) -> list[EventLine]:
    """The events of a file (``-``: standard input); empty lines are skipped. Raises `WrongUsage`."""
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise WrongUsage(f"The file {file} cannot be read: {error.strerror or error}.") from error
    return list(_lines(content.split(b"\n")))


def _lines(lines: Iterable[bytes]) -> Iterator[EventLine]:
    for number, line in enumerate(lines, 1):
        value = line.strip()
        if value:
            yield EventLine(number, value, player_key(value))


def player_key(value: bytes) -> bytes | None:
    """The record key of an event: its player id; None where none can be read."""
    try:
        event = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    player_id = event.get("player_id") if isinstance(event, dict) else None
    return player_id.encode("utf-8", "replace") if isinstance(player_id, str) else None


def faults(lines: Iterable[EventLine]) -> list[LineFault]:
    """The lines that the door would refuse, in order."""
    found = []
    for line in lines:
        try:
            decode(line.key, line.value, currencies=BUILT_IN_CURRENCIES)
        except Refused as refusal:
            if refusal.reason not in _LEFT_TO_THE_WORKER:
                found.append(LineFault(line.number, str(refusal.reason), refusal.detail))
    return found
