"""Step 1, fetch: records of the lane's partitions from the lane's own next offsets on, bounded in count and bytes.

aiokafka loses records that it had drained from other partitions when one fetch raises, and a record it cannot parse
raises for ever (docs/exactly-once.md). So after any exception every partition of the lane is sought anew, and after
an unparsable batch the partitions are read one by one, the failing one through the tolerant parser.
"""

from __future__ import annotations

from collections.abc import Mapping

from processor.errors import UnparsableBatch, WorldFault
from processor.ports import EventReader, EventRecord, UnparsableRecord

Fetched = EventRecord | UnparsableRecord

#: What a header costs in memory, however short it is: a flood of them must not make a batch too large.
_HEADER_BYTES = 100


class Intake:
    """The lane's end of the shared consumer. ``expected`` is the next offset wanted of each partition."""

    def __init__(self, reader: EventReader, *, max_records: int, max_bytes: int, wait_seconds: float) -> None:
        self._reader = reader
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._wait_seconds = wait_seconds
        self._left_over: list[Fetched] = []
        self._expected: dict[int, int] = {}

    def start_from(self, next_offsets: Mapping[int, int]) -> None:
        """Forget what was fetched and go on from these offsets."""
        self._left_over = []
        self._expected = dict(next_offsets)
        for partition, offset in next_offsets.items():
            self._reader.seek(partition, offset)

    def rest(self) -> None:
        """Forget what was fetched; `start_from` comes before the next fetch (a rebalance is under way)."""
        self._left_over = []

    async def fetch(self, *, max_records: int | None = None) -> list[Fetched]:
        """The next records, at most ``max_records``; empty when nothing came in time.

        Raises `errors.FetchFailed` (already sought anew: just fetch again) and `errors.OffsetOutOfRange`.
        """
        limit = min(max_records or self._max_records, self._max_records)
        if not self._left_over:
            self._left_over = await self._fetch_more(limit)
        return self._cut(limit)

    async def _fetch_more(self, limit: int) -> list[Fetched]:
        partitions = sorted(self._expected)
        before = dict(self._expected)
        try:
            got = await self._reader.fetch(partitions, max_records=limit, timeout_seconds=self._wait_seconds)
            return [one for one in got if self._is_next(one)]
        except UnparsableBatch:
            self._seek_all(before)
        except WorldFault:
            self._seek_all(before)
            raise
        try:
            return await self._fetch_one_by_one(partitions, limit)
        except WorldFault:
            self._seek_all(before)
            raise

    async def _fetch_one_by_one(self, partitions: list[int], limit: int) -> list[Fetched]:
        found: list[Fetched] = []
        for partition in partitions:
            try:
                got: list[Fetched] = list(
                    await self._reader.fetch(
                        [partition], max_records=limit, timeout_seconds=self._wait_seconds
                    )
                )
            except UnparsableBatch:
                offset = self._expected[partition]
                got = list(await self._reader.fetch_tolerantly(partition, offset, max_records=limit))
            kept = [one for one in got if self._is_next(one)]
            found += kept
            if kept:
                self._reader.seek(partition, kept[-1].offset + 1)
        return found

    def _is_next(self, record: Fetched) -> bool:
        """Skip what is before the lane's own offset; note what is taken."""
        if record.offset < self._expected.get(record.partition, 1 << 62):
            return False
        self._expected[record.partition] = record.offset + 1
        return True

    def _seek_all(self, expected: dict[int, int]) -> None:
        self._expected = dict(expected)  # a copy: what is taken next must not move the place to come back to
        for partition, offset in expected.items():
            self._reader.seek(partition, offset)

    def _cut(self, limit: int) -> list[Fetched]:
        taken_bytes = 0
        for count, record in enumerate(self._left_over):
            taken_bytes += len(record.value or b"") + _HEADER_BYTES * len(record.headers)
            if count >= limit or (count and taken_bytes > self._max_bytes):
                taken, self._left_over = self._left_over[:count], self._left_over[count:]
                return taken
        taken, self._left_over = self._left_over, []
        return taken
