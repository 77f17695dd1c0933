"""Whatever the bytes are, the door answers with an event or a refusal, and never with anything else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.decoding import decode
from schemas.events import ALL_TYPES, Event
from schemas.examples import EVENT_EXAMPLES
from schemas.plans import PLANS
from schemas.reading import MAX_DEPTH, MAX_EVENT_BYTES, refuse_oversize
from schemas.reasons import Reason, Refused
from tests.unit.schemas.door import CURRENCIES, LEFT_OUT, example, read, reason, refusal


def _knock(key: bytes | None, value: bytes | None, content_type: bytes | None = None) -> Event | Refused:
    answer: Event | Refused
    try:
        answer = decode(key, value, currencies=CURRENCIES, content_type=content_type)
    except Refused as refused:
        answer = refused
    if isinstance(answer, Refused):
        assert answer.detail.endswith(".")
        assert len(answer.detail.encode()) <= 512
        assert answer.detail.isprintable()
    return answer


def _with_raw(field: str, text: bytes) -> bytes:
    """The bet's example with one more field, written as given."""
    return json.dumps(EVENT_EXAMPLES["bet"]).encode()[:-1] + b',"' + field.encode() + b'":' + text + b"}"


@given(key=st.none() | st.binary(max_size=20), value=st.none() | st.binary(max_size=300))
def test_any_bytes_end_as_an_event_or_a_refusal(key: bytes | None, value: bytes | None) -> None:
    assert isinstance(_knock(key, value), Refused)


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["1.5", "EUR", "p-7", "all"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150)
@given(data=st.data(), event_type=st.sampled_from(sorted(ALL_TYPES)))
def test_any_values_in_any_fields_end_as_an_event_or_a_refusal(data: st.DataObject, event_type: str) -> None:
    fields = st.sampled_from([*PLANS[event_type].fields, "data", "x"])
    changes = data.draw(st.dictionaries(fields, _JSON, max_size=4))
    event = {**EVENT_EXAMPLES[event_type], **changes}
    answer = _knock(b"p-7", json.dumps(event).encode())
    assert isinstance(answer, Event | Refused)


@settings(max_examples=200)
@given(
    event_type=st.sampled_from(sorted(ALL_TYPES)),
    cuts=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 5), st.binary(max_size=6)), max_size=4),
    structured=st.booleans(),
)
def test_damaged_events_end_as_an_event_or_a_refusal(
    event_type: str, cuts: list[tuple[int, int, bytes]], structured: bool
) -> None:
    value = json.dumps(EVENT_EXAMPLES[event_type]).encode()
    for start, length, patch in cuts:
        value = value[:start] + patch + value[start + length :]
    content_type = b"application/cloudevents+json" if structured else None
    assert isinstance(_knock(b"p-7", value, content_type), Event | Refused)


@given(content_type=st.binary(max_size=40))
def test_any_content_type_is_survived(content_type: bytes) -> None:
    value = json.dumps(EVENT_EXAMPLES["bet"]).encode()
    assert isinstance(_knock(b"p-7", value, content_type), Event)


@pytest.mark.parametrize(
    "value",
    [
        b'{"type":"bet","type":"bet"}',
        _with_raw("amount", b'"9.99"'),
        _with_raw("x", b'{"a":1,"a":1}'),
        _with_raw("metadata", b'{"a":[{"b":{"c":1,"c":2}}]}'),
        _with_raw("x", b'[[{"k":1,"\\u006b":2}]]'),
        _with_raw("\\u0074ype", b'"win"'),
    ],
)
def test_a_duplicate_key_at_any_depth_is_undecodable(value: bytes) -> None:
    refused = refusal(value)
    assert (refused.reason, "duplicate key" in refused.detail) == (Reason.UNDECODABLE, True)


@pytest.mark.parametrize("place", ["x", "metadata"])
@pytest.mark.parametrize(
    "number", [2**64, -(2**63) - 1, 10**30, 10**400, "1e999", "-1e999", "NaN", "Infinity", "01"]
)
def test_a_number_that_64_bits_cannot_hold_is_undecodable(place: str, number: object) -> None:
    for shape in (b"%s", b'{"a":[{"b":%s}]}'):
        if place == "metadata" and shape == b"%s":
            continue
        assert reason(_with_raw(place, shape % str(number).encode())) is Reason.UNDECODABLE


@pytest.mark.parametrize("number", [2**64 - 1, -(2**63), 0, 1.5, 1e300, -0.0])
def test_a_number_that_64_bits_hold_is_let_in(number: float) -> None:
    event = read(example("bet", metadata={"n": number}))
    assert event.metadata == {"n": number}


def test_a_number_of_sixty_thousand_digits_is_undecodable() -> None:
    for number in (b"9" * 60_000, b"1." + b"9" * 60_000, b"-" + b"9" * 5000):
        answer = _knock(b"p-7", _with_raw("metadata", b'{"n":' + number + b"}"))
        assert isinstance(answer, Refused) == (b"." not in number)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
@pytest.mark.parametrize("depth", [MAX_DEPTH, 199, 201, 5000, 10_000])
def test_deep_nesting_is_undecodable(opening: bytes, depth: int) -> None:
    closing = b"]" if opening == b"[" else b"}"
    nested = opening * depth + b"1" + closing * depth
    assert reason(_with_raw("x", nested)) is Reason.UNDECODABLE
    assert reason(_with_raw("x", opening * depth)) is Reason.UNDECODABLE


def test_nesting_within_the_limit_is_let_in() -> None:
    depth = MAX_DEPTH - 1
    assert isinstance(read(_with_raw("x", b"[" * depth + b"]" * depth)), Event)


_IDS = ["transaction_id", "player_id", "session_id", "game_id", "round_id", "bonus_id", "campaign_id"]


@pytest.mark.parametrize("field", _IDS)
@pytest.mark.parametrize(
    "text",
    ["", "x" * 129, "a\0", "a\n", "\x1b[2J", "\x7f", "é", "a\u202eb", "\U0001f600", "\ufeffa", "a\u0301"],
    ids=ascii,
)
def test_an_id_is_1_to_128_printable_ascii_characters(field: str, text: str) -> None:
    refused = refusal(example("bet", **{field: text}), text.encode() if field == "player_id" else b"p-7")
    assert (refused.reason, refused.detail.split()[1]) == (Reason.UNDECODABLE, f'"{field}"')


@pytest.mark.parametrize(
    "text", [" ", "~", "x" * 128, "'; DROP TABLE players; --", '{"a":1}', "../../etc"], ids=ascii
)
def test_any_printable_ascii_is_an_id(text: str) -> None:
    assert read(example("bet", transaction_id=text)).transaction_id == text


@pytest.mark.parametrize(
    "escape", [rb'"\ud800"', rb'"\udc00"', rb'"\ud800\u0041"', rb'"\udc00\ud800"', b'"\xed\xa0\x80"']
)
@pytest.mark.parametrize("place", ["x", "session_id", "metadata"])
def test_a_lone_surrogate_is_undecodable(escape: bytes, place: str) -> None:
    text = b'{"a":' + escape + b"}" if place == "metadata" else escape
    value = json.dumps(example("bet", session_id=LEFT_OUT)).encode()[:-1]
    assert reason(value + b',"' + place.encode() + b'":' + text + b"}") is Reason.UNDECODABLE


@pytest.mark.parametrize("metadata", [{"a": "\0"}, {"a\0": 1}, {"a": [{"b": ["\0"]}]}], ids=ascii)
def test_a_nul_in_metadata_is_undecodable(metadata: dict[str, Any]) -> None:
    refused = refusal(example("bet", metadata=metadata))
    assert refused.detail == 'Field "metadata" holds a NUL character.'


def test_metadata_is_an_object_of_at_most_4_kib() -> None:
    room = 4096 - len('{"a":""}')
    assert isinstance(read(example("bet", metadata={"a": "x" * room})), Event)
    assert refusal(example("bet", metadata={"a": "x" * (room + 1)})).detail.startswith(
        'Field "metadata" is larger'
    )
    wrongs: list[object] = ["text", [], 1, True]
    for wrong in wrongs:
        assert refusal(example("bet", metadata=wrong)).detail == 'Field "metadata" is not an object.'


def test_an_event_has_at_most_64_kib() -> None:
    empty = len(json.dumps(example("bet", x="")).encode())
    assert isinstance(read(example("bet", x="x" * (MAX_EVENT_BYTES - empty))), Event)
    assert reason(example("bet", x="x" * (MAX_EVENT_BYTES - empty + 1))) is Reason.TOO_LARGE
    assert reason(b"\xff" * (MAX_EVENT_BYTES + 1)) is Reason.TOO_LARGE
    refuse_oversize(None)
    refuse_oversize(b"x" * MAX_EVENT_BYTES)
    with pytest.raises(Refused):
        refuse_oversize(b"x" * (MAX_EVENT_BYTES + 1))


@pytest.mark.parametrize(
    "time",
    [
        "2026-11-22T10:00:00", "2026-11-22", "1763805600", 1763805600, "2026-11-22T10:00Z", "2026-02-30T10:00:00Z",
        "2026-11-22T24:00:00Z", "2026-11-22T10:00:60Z", "2026-11-22T10:00:00+25:00", "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-12:00", "２０２６-11-22T10:00:00Z", "2026-11-22T10:00:00Z ", "now", None, "",
    ],
    ids=ascii,
)  # fmt: skip
def test_a_time_has_a_zone_and_is_of_rfc_3339(time: object) -> None:
    refused = refusal(example("bet", occurred_at=time))
    assert (refused.reason, refused.detail.split()[1]) == (Reason.UNDECODABLE, '"occurred_at"')


@pytest.mark.parametrize(
    "text", ["2026-11-22T10:00:00.123456789Z", "2026-11-22t10:00:00z", "2026-11-22 11:00:00+01:00"]
)
def test_a_time_is_read_to_the_microsecond(text: str) -> None:
    occurred_at = read(example("bet", occurred_at=text)).occurred_at
    assert occurred_at.utcoffset() is not None
    assert (occurred_at.timestamp() // 1, occurred_at.microsecond) == (
        1795341600,
        123456 if "." in text else 0,
    )


@pytest.mark.parametrize(
    "zone", ["Europe/Nowhere", "../../etc/passwd", "/etc/passwd", "America", "", "Europe/Berlin\n", 1]
)
def test_a_time_zone_must_exist(zone: object) -> None:
    assert refusal(example("open_player", time_zone=zone)).detail.split()[1] == '"time_zone"'


@pytest.mark.parametrize(
    "content_type", ["application/cloudevents+json", b"Application/CloudEvents+JSON; charset=utf-8"]
)
def test_a_structured_cloud_event_carries_the_event_in_its_data(content_type: str | bytes) -> None:
    envelope = {
        "specversion": "1.0",
        "id": "1",
        "source": "/acme",
        "type": "bet",
        "data": EVENT_EXAMPLES["bet"],
    }
    value = json.dumps(envelope).encode()
    assert decode(b"p-7", value, currencies=CURRENCIES, content_type=content_type) == read(
        EVENT_EXAMPLES["bet"]
    )


@pytest.mark.parametrize("data", [LEFT_OUT, None, "{}", [], 1])
def test_a_structured_cloud_event_without_data_is_undecodable(data: object) -> None:
    envelope = {"specversion": "1.0", **({} if data is LEFT_OUT else {"data": data})}
    with pytest.raises(Refused) as caught:
        decode(
            b"p-7",
            json.dumps(envelope).encode(),
            currencies=CURRENCIES,
            content_type="application/cloudevents+json",
        )
    assert caught.value.reason is Reason.UNDECODABLE


def test_binary_cloud_events_are_events_like_any_other() -> None:
    value = json.dumps(EVENT_EXAMPLES["bet"]).encode()
    assert decode(b"p-7", value, currencies=CURRENCIES, content_type=b"application/json").type == "bet"
