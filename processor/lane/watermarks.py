"""How far a lane has read in broker time: what the age of parked events and the lag are counted by.

Age is counted in broker time of the records read, so that after an outage or behind a backlog nothing grows too old
before its bet could be read. Once a partition is read to its end, time goes on for it from its last record, by the
monotonic clock: a wall clock that is stepped makes nothing older or younger. Only where a lane has not read a record of
a partition yet does its time begin with the wall clock's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from processor.lane.decode import broker_time
from processor.lane.fetch import Fetched
from processor.ports import Clock, EventReader


class Watermarks:
    """Per partition: the newest broker time read, and whether its end was reached."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._read_up_to: dict[int, datetime] = {}
        self._seen_at_seconds: dict[int, float] = {}
        self._ends: dict[int, int] = {}
        self._caught_up: set[int] = set()

    def fetched(self, records: Sequence[Fetched], reader: EventReader, partitions: Sequence[int]) -> None:
        """Note what a fetch brought, and where the partitions end."""
        brought = {record.partition: record.timestamp for record in records}
        for partition, timestamp in brought.items():
            self._note(partition, broker_time(timestamp))
        for partition in partitions:
            end, position = reader.highwater(partition), reader.position(partition)
            if end is not None:
                self._ends[partition] = end
            if end is not None and position is not None and position >= end and partition not in brought:
                self._caught_up.add(partition)
                if partition not in self._read_up_to:
                    self._note(partition, self._clock.now())
            else:
                self._caught_up.discard(partition)

    def times(self, partitions: Sequence[int]) -> dict[int, datetime]:
        """The time up to which each partition is known to have been read."""
        return {partition: self._time(partition) for partition in partitions}

    def _note(self, partition: int, time: datetime) -> None:
        self._read_up_to[partition] = time
        self._seen_at_seconds[partition] = self._clock.monotonic_seconds()

    def _time(self, partition: int) -> datetime:
        time = self._read_up_to.get(partition)
        if time is None:
            return datetime.min.replace(tzinfo=UTC)
        if partition not in self._caught_up:
            return time
        return time + timedelta(seconds=self._clock.monotonic_seconds() - self._seen_at_seconds[partition])

    def lags(self, next_offsets: Mapping[int, int], now: datetime) -> Iterator[tuple[int, int, float]]:
        """(partition, records behind its end, seconds behind now) for each partition."""
        for partition, offset in next_offsets.items():
            if partition in self._caught_up:
                yield partition, 0, 0.0
                continue
            behind = max(0, self._ends.get(partition, offset) - offset)
            read = self._read_up_to.get(partition)
            seconds = 0.0 if read is None or not behind else max(0.0, (now - read).total_seconds())
            yield partition, behind, seconds
