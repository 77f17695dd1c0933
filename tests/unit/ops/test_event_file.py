"""A file of events is checked line by line before anything is sent."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from processor.errors import WrongUsage
from processor.ops.event_file import faults, player_key, read_lines

BET = {
    "type": "bet",
    "provider": "acme",
    "transaction_id": "b-1",
    "player_id": "p-7",
    "game_id": "g",
    "round_id": "r",
    "currency": "EUR",
    "amount": "2.50",
    "occurred_at": "2026-11-22T10:00:00Z",
}


def written(tmp_path: Path, *lines: bytes) -> str:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(lines))
    return str(file)


def test_each_line_is_an_event_with_its_player_as_key(tmp_path: Path) -> None:
    lines = read_lines(written(tmp_path, orjson.dumps(BET), b"", orjson.dumps({**BET, "player_id": "p-8"})))
    assert [(line.number, line.key) for line in lines] == [(1, b"p-7"), (3, b"p-8")]
    assert faults(lines) == []


def test_wrong_lines_are_named_by_number_and_reason(tmp_path: Path) -> None:
    lines = read_lines(
        written(
            tmp_path,
            orjson.dumps(BET),
            b"{not json",
            orjson.dumps({**BET, "amount": 2.5}),
            orjson.dumps({**BET, "type": "bat"}),
            b'{"type":"bet","type":"bet"}',
        )
    )
    assert [(fault.number, fault.reason) for fault in faults(lines)] == [
        (2, "UNDECODABLE"),
        (3, "INVALID_AMOUNT"),
        (4, "UNKNOWN_TYPE"),
        (5, "UNDECODABLE"),
    ]


def test_configured_currencies_are_left_to_the_worker(tmp_path: Path) -> None:
    assert faults(read_lines(written(tmp_path, orjson.dumps({**BET, "currency": "DOGE"})))) == []


@pytest.mark.parametrize("value", [b"", b"[]", b'"text"', b'{"player_id": 7}', b"\xff"])
def test_a_line_without_a_player_has_no_key(value: bytes) -> None:
    assert player_key(value) is None


def test_a_missing_file_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="cannot be read"):
        read_lines(str(tmp_path / "none"))
