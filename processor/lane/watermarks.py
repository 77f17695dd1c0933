"""How far a lane has read in broker time: what the age of parked events and the lag are counted by.

Age is counted in broker time of the records read, so that after an outage or behind a backlog nothing grows too old
before its bet could be read; once a partition is read to its end, the wall clock goes on for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from processor.lane.decode import broker_time
from processor.lane.fetch import Fetched
from processor.ports import EventReader


class Watermarks:
    """Per partition: the newest broker time read, and whether its end was reached."""

    def __init__(self) -> None:
        self._read_up_to: dict[int, datetime] = {}
        self._ends: dict[int, int] = {}
        self._caught_up: set[int] = set()

    def fetched(self, records: Sequence[Fetched], reader: EventReader, partitions: Sequence[int]) -> None:
        """Note what a fetch brought, and where the partitions end."""
        brought = {record.partition: record.timestamp for record in records}
        for partition, timestamp in brought.items():
            self._read_up_to[partition] = broker_time(timestamp)
        for partition in partitions:
            end, position = reader.highwater(partition), reader.position(partition)
            if end is not None:
                self._ends[partition] = end
            if end is not None and position is not None and position >= end and partition not in brought:
                self._caught_up.add(partition)
            else:
                self._caught_up.discard(partition)

    def times(self, partitions: Sequence[int], now: datetime) -> dict[int, datetime]:
        """The time up to which each partition is known to have been read."""
        return {
            partition: now
            if partition in self._caught_up
            else self._read_up_to.get(partition, datetime.min.replace(tzinfo=UTC))
            for partition in partitions
        }

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
