"""Headers that an operator's replay adds are anybody's to forge: only what a letter's id can be is taken for one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from processor.lane.dead_letters import REPLAY_COUNT, REPLAY_OF, door_letter
from processor.lane.render import Renderer
from processor.lane.work import Arrival
from processor.ports import DeadLetter, StoredRecord

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def letter(*headers: tuple[str, bytes | None]) -> DeadLetter:
    renderer = Renderer(currencies={}, topic="t", group="g", layout=1, lane=0, seq=1, at=NOW)
    return door_letter(
        Arrival(StoredRecord(3, 18, 0, b"k", b"v", headers), None, "UNDECODABLE", "No."), renderer
    )


def test_a_replays_letter_and_count_are_noted() -> None:
    noted = letter((REPLAY_OF, b"1-3-17"), (REPLAY_COUNT, b"2"))
    assert (noted.replay_of, noted.replay_count) == ("1-3-17", 2)


@pytest.mark.parametrize(
    "forged", [b"\0", b"1-3-17\0", b"", b"x" * 9000, b"\xff", b"1-3", "１-3-17".encode(), None]
)
def test_what_is_no_letters_id_is_not_stored_as_one(forged: bytes | None) -> None:
    """Postgres takes no NUL in a text; a header that could bring one there would stop the lane for everybody."""
    assert letter((REPLAY_OF, forged), (REPLAY_COUNT, b"9" * 40)).replay_of is None
    assert letter((REPLAY_COUNT, b"9" * 40)).replay_count == 0
