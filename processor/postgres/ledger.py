"""One lane's ledger: its lease, its batches, its journal, over one owned connection (implements `ports.Ledger`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg

from processor.domain.profiles import Reference
from processor.errors import LayoutDiffers, LeaseLost, LedgerUnavailable
from processor.ports import JournalRow, LaneRequest, LaneRow
from processor.postgres.batch import PostgresBatch
from processor.postgres.connection import Timeouts
from processor.postgres.reference import reference_of
from processor.postgres.session import Session
from processor.postgres.statements import statements

#: What stands before the first batch of a lane.
FIRST_SEAL = bytes(32)


class PostgresLedger:
    """The ledger as one lane sees it. Used by one task; connects at its first call, and again after a loss.

    ``shards`` is the layout's: a player's rows carry his partition modulo it.
    """

    def __init__(self, dsn: str, *, shards: int, timeouts: Timeouts | None = None) -> None:
        self._timeouts = timeouts or Timeouts()
        self._session = Session(dsn, self._timeouts)
        self._shards = shards
        self._sql = statements("lane")

    # ------------------------------------------------------------------------------------------- the lease

    async def take_lane(self, layout: int, lane: int, *, owner: str) -> LaneRow:
        """Bump the epoch: from now on whoever had the lane is fenced."""
        rows = await self._fetch_held("take", layout, lane, owner)
        if not rows:
            raise LayoutDiffers(
                f"the ledger has no lane {lane} of layout {layout} to give: another layout followed. "
                "Start the worker again; it reads the layout anew."
            )
        return await self._lane_row(rows[0])

    async def confirm_lane(self, layout: int, lane: int, epoch: int) -> LaneRow:
        """The lane's row if the epoch is still ours, after whatever transaction holds it has ended."""
        rows = await self._fetch_held("confirm", layout, lane)
        if not rows or rows[0]["epoch"] != epoch:
            raise _lost(lane, epoch)
        return await self._lane_row(rows[0])

    async def release_lane(self, layout: int, lane: int, epoch: int) -> None:
        """Leave in good order; nothing happens where the lane is another's by now."""
        await self._fetch("release", layout, lane, epoch)

    async def bootstrap_lane(self, layout: int, lane: int, epoch: int, offsets: Mapping[int, int]) -> LaneRow:
        """Set the first offsets of a lane that has never run; one that has, stays as it is."""
        partitions = sorted(offsets)
        await self._fetch(
            "bootstrap", layout, lane, epoch, partitions, [offsets[each] for each in partitions]
        )
        return await self.confirm_lane(layout, lane, epoch)

    async def mark_suspect(self, layout: int, lane: int, epoch: int, partition: int, offset: int) -> None:
        """Note the single event about to be decoded. Raises `errors.LeaseLost`."""
        if not await self._fetch("mark_suspect", layout, lane, epoch, partition, offset):
            raise _lost(lane, epoch)

    async def stop_lane(self, layout: int, lane: int, epoch: int, reason: str) -> None:
        """Store that the lane stopped itself and why. Raises `errors.LeaseLost`."""
        if not await self._fetch("stop", layout, lane, epoch, reason):
            raise _lost(lane, epoch)

    async def _lane_row(self, row: Any) -> LaneRow:
        """The row, with the digest of the last batch's seal beside it."""
        seals = await self._fetch("seal_of", row["layout"], row["lane"], row["applied_seq"])
        suspects = await self._fetch("suspects", row["layout"], row["lane"])
        return LaneRow(
            row["layout"],
            row["lane"],
            row["epoch"],
            row["applied_seq"],
            row["published_seq"],
            dict(zip(row["partitions"], row["next_offsets"], strict=True)),
            seals[0]["seal"] if seals else FIRST_SEAL,
            row["stopped_reason"],
            row["fresh"],
            row["suspect_takeovers"],
            {(one["event_partition"], one["event_offset"]): one["deaths"] for one in suspects},
            row["witness_seq"],
        )

    # ----------------------------------------------------------------------------------------- the batches

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[PostgresBatch]:
        """Begin a transaction; leaving the block without `commit` rolls it back."""
        await self._session.ready()
        await self._session.execute("BEGIN")
        batch = PostgresBatch(self._session, self._shards)
        try:
            yield batch
        finally:
            if not batch.committed:
                await self._session.roll_back()

    async def journal_above(self, layout: int, lane: int, seq: int) -> list[JournalRow]:
        """The batches above a receipt, in order; each with all next offsets of the lane as that batch left them."""
        rows = await self._fetch("journal_above", layout, lane, seq)
        return [
            JournalRow(seq, payload, dict(zip(partitions, offsets, strict=True)))
            for seq, payload, partitions, offsets in rows
        ]

    # ---------------------------------------------------------------------------------- what else is waiting

    async def due_parked(
        self, partitions: Mapping[int, datetime], *, limit: int
    ) -> list[tuple[str, str, int]]:
        """(player, provider, partition) of queues whose head is due at the partition's time, oldest first."""
        if not partitions:
            return []
        rows = await self._fetch("due_parked", list(partitions), list(partitions.values()), limit)
        return [(player_id, provider, partition) for player_id, provider, partition in rows]

    async def requests(self, layout: int, lane: int, *, limit: int) -> list[LaneRequest]:
        """Operators' requests not yet carried out, oldest first."""
        return [LaneRequest(*row) for row in await self._fetch("requests", layout, lane, limit)]

    async def reference(self) -> tuple[int, Reference]:
        """The current revision of the reference data, and the data."""
        await self._session.ready()
        reference = reference_of(await self._session.fetch(statements("reference")["read"]))
        return reference.revision, reference

    async def close(self) -> None:
        """Let go of the connection."""
        await self._session.close()

    async def _fetch_held(self, statement: str, *arguments: Any) -> list[Any]:
        """A statement on a row that somebody may hold; who froze with it does so no longer when it is tried again."""
        try:
            return await self._fetch(statement, *arguments)
        except LedgerUnavailable as error:
            if isinstance(error.__cause__, asyncpg.LockNotAvailableError):
                await self._fetch("end_frozen", self._timeouts.idle_in_transaction_seconds)
            raise

    async def _fetch(self, statement: str, *arguments: Any) -> list[Any]:
        await self._session.ready()
        return await self._session.fetch(self._sql[statement], *arguments)


def _lost(lane: int, epoch: int) -> LeaseLost:
    return LeaseLost(f"lane {lane} is no longer ours (we had epoch {epoch}): another worker took it over")
