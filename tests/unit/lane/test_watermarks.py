"""The time that parked events are aged by: the broker's, and the monotonic clock's where nothing is left to read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from processor.lane.watermarks import Watermarks
from processor.ports import EventReader

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


class _Clock:
    """A wall clock and a monotonic one that are turned apart."""

    def __init__(self) -> None:
        self.wall = NOON
        self.seconds = 100.0

    def now(self) -> datetime:
        return self.wall

    def monotonic_seconds(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.pass_by(seconds)

    def pass_by(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.seconds += seconds


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def marks(clock: _Clock) -> Watermarks:
    return Watermarks(clock)


def _reader(*, end: int, position: int) -> EventReader:
    return cast(
        EventReader, SimpleNamespace(highwater=lambda _partition: end, position=lambda _partition: position)
    )


def _record(at: datetime) -> Any:
    return SimpleNamespace(partition=0, timestamp=int(at.timestamp() * 1000))


def _read(marks: Watermarks, at: datetime) -> None:
    """One record read, and then nothing more to read."""
    marks.fetched([_record(at)], _reader(end=1, position=1), [0])
    marks.fetched([], _reader(end=1, position=1), [0])


def test_behind_a_backlog_it_is_as_late_as_the_last_record_read(clock: _Clock, marks: Watermarks) -> None:
    marks.fetched([_record(NOON)], _reader(end=9, position=1), [0])
    clock.pass_by(3600)
    assert marks.times([0]) == {0: NOON}


def test_at_the_end_of_a_partition_time_goes_on_without_records(clock: _Clock, marks: Watermarks) -> None:
    _read(marks, NOON)
    clock.pass_by(61)
    assert marks.times([0]) == {0: NOON + timedelta(seconds=61)}


@pytest.mark.parametrize("step", [timedelta(days=1), timedelta(days=-1)], ids=["forward", "back"])
def test_a_wall_clock_that_is_stepped_makes_nothing_older_or_younger(
    clock: _Clock, marks: Watermarks, step: timedelta
) -> None:
    _read(marks, NOON)
    clock.wall += step
    clock.pass_by(5)
    assert marks.times([0]) == {0: NOON + timedelta(seconds=5)}


@pytest.mark.parametrize("step", [timedelta(days=1), timedelta(days=-1)], ids=["forward", "back"])
def test_also_where_no_record_has_been_read_yet(clock: _Clock, marks: Watermarks, step: timedelta) -> None:
    marks.fetched([], _reader(end=4, position=4), [0])
    clock.wall += step
    clock.pass_by(5)
    marks.fetched([], _reader(end=4, position=4), [0])
    assert marks.times([0]) == {0: NOON + timedelta(seconds=5)}


def test_a_partition_that_nothing_is_known_of_makes_nothing_old(marks: Watermarks) -> None:
    assert marks.times([0]) == {0: datetime.min.replace(tzinfo=UTC)}
