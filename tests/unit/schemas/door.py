"""Knocking at the door in tests: an example event with changes, in; the event or the refusal, out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from schemas.currencies import BUILT_IN_CURRENCIES
from schemas.decoding import decode
from schemas.events import Event
from schemas.examples import EVENT_EXAMPLES
from schemas.reasons import Reason, Refused

CURRENCIES: Final[Mapping[str, int]] = dict(BUILT_IN_CURRENCIES)
PLAYER_KEY: Final = b"p-7"


class _LeftOut:
    """Marks a field to be left out of an example."""


LEFT_OUT: Final = _LeftOut()


def example(event_type: str, **changes: Any) -> dict[str, Any]:
    """The example of a type with fields changed, added, or left out."""
    fields = {**EVENT_EXAMPLES[event_type], **changes}
    return {name: value for name, value in fields.items() if value is not LEFT_OUT}


def read(event: Any, key: bytes | None = PLAYER_KEY) -> Event:
    """The event that the door makes of a JSON value (or of raw bytes)."""
    value = event if isinstance(event, bytes) else json.dumps(event).encode()
    return decode(key, value, currencies=CURRENCIES)


def refusal(event: Any, key: bytes | None = PLAYER_KEY) -> Refused:
    """The refusal that the door answers; fails if it lets the event in."""
    try:
        let_in = read(event, key)
    except Refused as refused:
        return refused
    raise AssertionError(f"the door let in {let_in!r}")


def reason(event: Any, key: bytes | None = PLAYER_KEY) -> Reason:
    """The reason alone."""
    return refusal(event, key).reason
