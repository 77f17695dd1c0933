"""The small parts behind `dead-letters`: how bytes are shown, which places are meant, what a replay sends."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import pytest

from processor.errors import WrongUsage
from processor.lane.dead_letters import REPLAY_COUNT, REPLAY_OF
from processor.ops.letter_options import letter_filter, parse_places
from processor.ops.letters import reason_in_words
from processor.ops.original_bytes import View, as_document, headers_document, hexadecimal, shown
from processor.ops.preview import Fate, Foreseen, counted
from processor.ops.replay import replayed_headers
from processor.postgres.desk.letters import Letter

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def letter(*, replay_count: int = 0) -> Letter:
    return Letter(
        letter_id="1-3-17",
        status="open",
        reason="UNDECODABLE",
        detail="It is not JSON.",
        attempts=1,
        event_partition=3,
        event_offset=17,
        broker_time=NOW,
        provider=None,
        player_id=None,
        transaction_id=None,
        replay_count=replay_count,
        replay_of=None,
        layout=1,
        lane=0,
        seq=5,
        created_at=NOW,
        status_changed_at=None,
        size=4,
    )


@pytest.mark.parametrize(
    ("value", "view", "text"),
    [
        (None, View.AUTO, "(no value)"),
        (b'{"a":1}', View.AUTO, '{\n  "a": 1\n}'),
        (b'{"a":1}', View.TEXT, '{"a":1}'),
        (b"plain \x1b[2J", View.AUTO, "plain \\x1b[2J"),
        (b"plain", View.JSON, "plain"),
        (b"\xff\x00", View.AUTO, hexadecimal(b"\xff\x00")),
        (b"\xff", View.TEXT, "\\xff"),
    ],
)
def test_bytes_are_shown_as_they_can_be_read_and_obeyed_by_nobody(
    value: bytes | None, view: View, text: str
) -> None:
    assert shown(value, view) == text


def test_hexadecimal_has_offsets_and_what_is_printable() -> None:
    lines = hexadecimal(b"0123456789abcdef\x00z").split("\n")
    assert lines[0].startswith("000000  30 31 32")
    assert lines[0].endswith("0123456789abcdef")
    assert lines[1].startswith("000010  00 7a")
    assert lines[1].endswith(" .z")


def test_documents_keep_the_exact_bytes() -> None:
    assert as_document(b"\xff") == {"base64": "/w==", "text": None}
    assert as_document(None) == {"base64": None, "text": None}
    names = [one["name"] for one in headers_document([("a", b"1"), ("a", None), ("\udcff", b"2")])]
    assert names == ["a", "a", "\\xff"]


@pytest.mark.parametrize(
    ("places", "meant"),
    [(None, (None, None, None)), ("3", (3, None, None)), ("3@17", (3, 17, 17)), ("3@17-20", (3, 17, 20))],
)
def test_places_name_a_partition_an_offset_or_a_range(
    places: str | None, meant: tuple[int | None, int | None, int | None]
) -> None:
    assert parse_places(places) == meant


@pytest.mark.parametrize("places", ["", "x", "3@", "3@5-", "3-5", "-1"])
def test_places_that_are_none_are_wrong_usage(places: str) -> None:
    with pytest.raises(WrongUsage, match="--places"):
        parse_places(places)


def test_an_unknown_reason_is_wrong_usage_and_names_those_that_there_are() -> None:
    with pytest.raises(WrongUsage, match="UNDECODABLE"):
        letter_filter(
            status=None, code="silly", provider=None, player=None, since=None, until=None, places=None
        )


def test_a_replay_keeps_the_headers_and_counts_itself() -> None:
    headers: list[tuple[str, bytes | None]] = [
        ("x-key-id", b"k"),
        (REPLAY_OF, b"1-3-1"),
        (REPLAY_COUNT, b"1"),
        ("\udcff", b"cannot be sent"),
        ("empty", None),
    ]
    assert replayed_headers(letter(replay_count=1), headers) == [
        ("x-key-id", b"k"),
        ("empty", None),
        (REPLAY_OF, b"1-3-17"),
        (REPLAY_COUNT, b"2"),
    ]


def test_reasons_have_words_and_unknown_ones_their_name() -> None:
    assert "not JSON" in reason_in_words("UNDECODABLE")
    assert reason_in_words("FROM_THE_FUTURE") == "FROM_THE_FUTURE"


def test_fates_are_counted_and_none_is_left_out() -> None:
    foreseen = [
        Foreseen(Fate.APPLIED, "OK"),
        Foreseen(Fate.APPLIED, "OK"),
        Foreseen(Fate.REFUSED, "POISON", "It fails."),
    ]
    assert counted(foreseen) == {
        "applied": 2,
        "answered as a repeat": 0,
        "rejected": 0,
        "parked": 0,
        "refused again": 1,
    }
    assert foreseen[2].words() == "refused again (POISON): It fails."


async def test_a_rate_spreads_letters_evenly() -> None:
    from processor.ops.replay import _Pace

    pace = _Pace(50.0)
    began = time.monotonic()
    for _ in range(6):
        await pace.wait()
    assert time.monotonic() - began >= 0.09  # five intervals of 20 ms, never faster
    free = _Pace(None)
    async with asyncio.timeout(5):
        for _ in range(1000):
            await free.wait()
