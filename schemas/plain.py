"""The quick way in for the plainest bets and wins: the same answer as the door's, at a third of its price.

Nine events of ten are a bet or a win of printable ASCII without an escape, an unknown field or anything nested. What
the door checks field by field can be said of such a record as a whole: no byte below 0x20 is legal in a JSON string,
so if all bytes are ASCII, none of them a backslash or DEL, every text in it is 0x20 to 0x7E. And if each key is
followed by a colon at once, there are as many ``":`` as keys; as many as the object has fields means that no key came
twice and nothing is nested. Whatever is not certain here is left to `schemas.decoding`: this door refuses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any, Final

import orjson

from schemas.events.fields import PROVIDER_PATTERN
from schemas.money import AMOUNT_PATTERN, TooManyDecimals, minor_units
from schemas.reading import MAX_EVENT_BYTES

_NEEDED: Final = (
    "type",
    "provider",
    "transaction_id",
    "player_id",
    "occurred_at",
    "currency",
    "amount",
    "game_id",
    "round_id",
)
#: The fields that are read here; an event with any other takes the long way.
FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "bet": frozenset({*_NEEDED, "session_id"}),
    "win": frozenset({*_NEEDED, "session_id", "reference", "round_closed"}),
}

#: Printable ASCII but the backslash.
_PLAIN_BYTES: Final = bytes(set(range(0x20, 0x7F)) - {0x5C})
_MOST: Final = 128
_AMOUNT: Final = re.compile(AMOUNT_PATTERN)
_PROVIDER: Final = re.compile(PROVIDER_PATTERN)
_TIME: Final = re.compile(
    r"20[0-9]{2}-[01][0-9]-[0-3][0-9]T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
    r"(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9])"
)


def plain_event(
    key: bytes | None, value: bytes | None, currencies: Mapping[str, int]
) -> dict[str, Any] | None:
    """The fields of a bet or win that is certain to be let in, with ``amount_minor``; None: ask the door."""
    if value is None or key is None or len(value) > MAX_EVENT_BYTES or not _is_plain(value):
        return None
    try:
        fields = orjson.loads(value)
    except ValueError:
        return None
    if fields.__class__ is not dict or len(fields) != value.count(b'":'):
        return None
    event_type = fields.get("type")
    known = FIELDS.get(event_type) if event_type.__class__ is str else None
    if known is None or not known.issuperset(fields):
        return None
    return fields if _is_well_formed(fields, key, currencies) else None


def _is_plain(value: bytes) -> bool:
    """No text in it needs an escape, and no key is parted from its colon."""
    return not value.translate(None, _PLAIN_BYTES) and b'" ' not in value


def _is_well_formed(fields: dict[str, Any], key: bytes, currencies: Mapping[str, int]) -> bool:
    get = fields.get
    provider, player_id, currency, amount = get("provider"), get("player_id"), get("currency"), get("amount")
    occurred_at, closed = get("occurred_at"), get("round_closed", False)
    if (
        provider.__class__ is not str
        or player_id.__class__ is not str
        or currency.__class__ is not str
        or amount.__class__ is not str
        or occurred_at.__class__ is not str
        or closed.__class__ is not bool
        or not (_is_id(get("transaction_id")) and _is_id(get("game_id")) and _is_id(get("round_id")))
        or not (_is_id(get("session_id", "-")) and _is_id(get("reference", "-")))
        or not 0 < len(player_id) <= _MOST
        or key != player_id.encode()
        or not _is_provider(provider)
        or not _is_time(occurred_at)
    ):
        return False
    exponent = currencies.get(currency)
    if exponent is None:
        return False
    fields["amount_minor"] = amount_minor = _minor(amount, exponent)
    return amount_minor is not None


def _is_id(text: Any) -> bool:
    return text.__class__ is str and 0 < len(text) <= _MOST


@lru_cache(maxsize=4096)
def _is_provider(text: str) -> bool:
    return _PROVIDER.fullmatch(text) is not None


@lru_cache(maxsize=65_536)
def _minor(text: str, exponent: int) -> int | None:
    if _AMOUNT.fullmatch(text) is None:
        return None
    try:
        return minor_units(text, exponent)
    except TooManyDecimals:
        return None


def _is_time(text: str) -> bool:
    return _TIME.fullmatch(text) is not None and _is_day(text[:10])


@lru_cache(maxsize=4096)
def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
