"""An exported letter is the same letter when it is read again, byte for byte, whatever its bytes are."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.ops.letter_lines import FORM, NotALetter, letter_of, line_of
from processor.postgres.desk.letters import Original
from tests.unit.ops.test_dead_letter_parts import letter

ANY_BYTES = st.none() | st.binary(max_size=60) | st.text(max_size=20).map(str.encode)
HEADERS = st.lists(
    st.tuples(st.binary(max_size=12).map(lambda name: name.decode("utf-8", "surrogateescape")), ANY_BYTES),
    max_size=4,
)


@given(key=ANY_BYTES, value=ANY_BYTES, headers=HEADERS)
def test_what_is_exported_comes_back_byte_for_byte(
    key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    original = Original(letter(), key, value, headers)
    line = line_of(original)
    assert b"\n" not in line
    back = letter_of(line)
    assert back[1:] == original[1:]
    assert (back.letter.letter_id, back.letter.broker_time) == ("1-3-17", original.letter.broker_time)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"not json", "not JSON"),
        (b"[]", "not of the form"),
        (b"{}", "it has no form"),
        (b'{"form":"croupier.dead-letter.9"}', "this program reads"),
        (b'{"form":"' + FORM.encode() + b'"}', "it has no"),
    ],
)
def test_a_line_that_is_no_letter_says_why(line: bytes, why: str) -> None:
    with pytest.raises(NotALetter, match=why):
        letter_of(line)


def test_damaged_base64_is_no_letter() -> None:
    document = orjson.loads(line_of(Original(letter(), b"\xff", b"{}", [])))
    document["key"] = {"base64": "=?"}
    with pytest.raises(NotALetter, match="not of the form"):
        letter_of(orjson.dumps(document))
