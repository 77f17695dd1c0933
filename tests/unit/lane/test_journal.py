"""The journal gives back exactly what was rendered, whatever the bytes."""

from __future__ import annotations

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from processor.lane.journal import Header, Rendered, as_records, decode, encode

names = st.text(min_size=1, max_size=20)
headers = st.lists(st.tuples(names, st.none() | st.binary(max_size=40)), max_size=4)
rendered = st.builds(
    Rendered,
    st.sampled_from(["results", "dead-letters"]),
    st.integers(0, 1000),
    st.none() | st.binary(max_size=40),
    st.none() | st.binary(max_size=300),
    headers,
    st.booleans(),
)


@given(headers, st.lists(rendered, max_size=20))
def test_a_batch_is_published_by_a_recovery_exactly_as_it_was_rendered(
    shared: list[Header], batch: list[Rendered]
) -> None:
    assert decode(encode(shared, batch)) == as_records(shared, batch)


def test_a_record_may_have_more_headers_than_16_bits_can_count() -> None:
    flood = [Rendered("dead-letters", 1, b"k", b"v", [("", None)] * 70_000, False)]
    assert decode(encode([], flood)) == as_records([], flood)


def test_a_payload_of_the_format_before_is_still_read() -> None:
    record = b"\x01" + b"\x00\x00" + bytes.fromhex("01 00 00000003 00000001 ffffffff 0001") + b"k"
    header = b"\x00\x00\x00\x01a\xff\xff\xff\xff"
    payload = zstandard.ZstdCompressor().compress(record + header)
    assert decode(payload) == as_records([], [Rendered("dead-letters", 3, b"k", None, [("a", None)], False)])


def test_an_empty_value_and_no_value_stay_apart() -> None:
    batch = [
        Rendered("results", 1, b"", b"", [], False),
        Rendered("results", 1, None, None, [("a", None)], False),
    ]
    assert decode(encode([], batch)) == as_records([], batch)


def test_a_payload_of_another_format_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="format 9"):
        decode(zstandard.ZstdCompressor().compress(b"\x09"))


def test_a_payload_that_is_cut_short_is_refused() -> None:
    whole = zstandard.ZstdDecompressor().decompress(
        encode([], [Rendered("results", 1, b"k", b"value", [], False)])
    )
    with pytest.raises(ValueError, match="cut short"):
        decode(zstandard.ZstdCompressor().compress(whole[:-2]))
