"""The quick way in: what it lets in, the door lets in with the same words; all else it leaves to the door."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.domain.commands import Command
from processor.domain.precedence import DECIDED_TYPES
from processor.lane.decode import Door
from processor.ports import StoredRecord
from schemas.currencies import BUILT_IN_CURRENCIES
from schemas.plain import FIELDS, plain_event
from schemas.reasons import Refused
from tests.unit.schemas.door import example

CURRENCIES = dict(BUILT_IN_CURRENCIES)
DOOR = Door(CURRENCIES, DECIDED_TYPES)
BET = example("bet")
PLAIN_BET = {name: BET[name] for name in FIELDS["bet"]}
PLAIN_WIN = {**PLAIN_BET, "type": "win", "transaction_id": "w-1", "reference": "b-1", "round_closed": True}


def record(value: bytes, key: bytes = b"p-7") -> StoredRecord:
    return StoredRecord(3, 18, 1764000000123, key, value, ())


def by_the_door(one: StoredRecord) -> Command | Refused:
    with patch("processor.lane.decode.plain_event", return_value=None):
        return opened(one)


def opened(one: StoredRecord) -> Command | Refused:
    try:
        return DOOR.command(one)
    except Refused as refused:
        return refused


def same(quick: Command | Refused, slow: Command | Refused) -> bool:
    if isinstance(quick, Refused) or isinstance(slow, Refused):
        return repr(quick) == repr(slow)
    return replace(quick, plain=False) == slow


@pytest.mark.parametrize("event", [PLAIN_BET, PLAIN_WIN, {**PLAIN_WIN, "round_closed": False}])
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_plain_bets_and_wins_go_the_quick_way(event: dict[str, Any], separators: tuple[str, str]) -> None:
    one = record(json.dumps(event, separators=separators).encode())
    assert plain_event(one.key, one.value, CURRENCIES) is not None
    quick = opened(one)
    assert isinstance(quick, Command)
    assert quick.plain
    assert same(quick, by_the_door(one))


TRICKY = st.sampled_from(
    ["", " ", " x", "x ", "a\"b", "a\\b", "\x7f", "\n", "ü", "EUR", "XXX", "JPY", "0", "00", "1.", "-1", "1.234", "1e3",
     "9" * 20, "9" * 21, "all", "x" * 128, "x" * 129, "2026-02-29T10:00:00Z", "2026-02-30T10:00:00Z",
     "2026-11-22T24:00:00Z",
     "2026-11-22t10:00:00z", "2026-11-22T10:00:00+13:59", "2026-11-22T10:00:00.123456789Z", "2026-11-22T10:00:60Z",
     "1969-12-31T10:00:00Z", "stake", "tip", "game", "p-7", "acme", "Acme", "cashier", "operator"]
)  # fmt: skip
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TRICKY
    | st.text(max_size=6)
    | st.lists(TRICKY, max_size=2)
    | st.dictionaries(st.text(max_size=3), TRICKY, max_size=2)
)
NAMES = st.sampled_from(
    sorted({*FIELDS["bet"], *FIELDS["win"], "kind", "metadata", "deadline", "version", "bonus_id", "x"})
)


@given(
    st.sampled_from([PLAIN_BET, PLAIN_WIN]),
    st.dictionaries(NAMES, VALUES, max_size=3),
    st.sets(NAMES, max_size=2),
    st.sampled_from([(",", ":"), (", ", ": "), (" ,", " :")]),
    st.sampled_from([b"p-7", b"p-8", b""]),
)
def test_whatever_the_fields_are_both_ways_say_the_same(
    event: dict[str, Any],
    changes: dict[str, Any],
    left_out: set[str],
    separators: tuple[str, str],
    key: bytes,
) -> None:
    fields = {name: value for name, value in {**event, **changes}.items() if name not in left_out}
    one = record(json.dumps(fields, separators=separators).encode(), key)
    assert same(opened(one), by_the_door(one))


WHOLE = json.dumps(PLAIN_BET, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    "value",
    [
        WHOLE[:-1] + b',"amount":"99.00"}',
        WHOLE[:-1] + b',"amount" :"99.00"}',
        WHOLE[:-1] + b',"amount"\t:"99.00"}',
        WHOLE.replace(b'"currency":', b'"currency" :')[:-1] + b',"amount":"99.00"}',
        WHOLE[:-1] + b',"amoun\\u0074":"99.00"}',
        WHOLE[:-1] + b',"x":{"amount":"99.00"}}',
        b"[" + WHOLE + b"]",
        WHOLE + WHOLE,
        WHOLE[:-1],
        b"",
        b'{"type":["bet"]}',
        WHOLE.replace(b'"bet"', b'"be\xc3\xbc"'),
    ],
)
def test_what_is_not_certain_is_left_to_the_door(value: bytes) -> None:
    assert plain_event(b"p-7", value, CURRENCIES) is None
    one = record(value)
    assert same(opened(one), by_the_door(one))


@given(st.binary(max_size=8), st.integers(0, len(WHOLE)), st.integers(0, 8))
def test_bytes_put_anywhere_into_a_plain_event_change_nothing_of_that(
    noise: bytes, at: int, over: int
) -> None:
    one = record(WHOLE[:at] + noise + WHOLE[at + over :])
    assert same(opened(one), by_the_door(one))
