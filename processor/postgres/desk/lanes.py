"""Lanes as an operator sees them, and letting one that stopped itself go on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from processor.postgres.desk.desk import Desk

_FILE = "desk_lanes"


@dataclass(frozen=True, slots=True)
class LaneState:
    """One lane of the current layout. ``journal_batches`` are those that Kafka may not hold yet.

    ``suspect_*``: the event of it, not applied yet, over which workers died most often (docs/exactly-once.md).
    """

    layout: int
    lane: int
    epoch: int
    owner: str | None
    applied_seq: int
    published_seq: int
    partitions: list[int]
    next_offsets: list[int]
    stopped_reason: str | None
    suspect_takeovers: int
    suspect_partition: int | None
    suspect_offset: int | None
    suspect_deaths: int | None
    updated_at: datetime
    journal_batches: int


async def lanes(desk: Desk) -> list[LaneState]:
    """The lanes of the current layout; none before the first worker."""
    return [LaneState(*row) for row in await desk.fetch(_FILE, "list")]


async def resume(desk: Desk, lane: int, *, actor: str, why: str) -> bool:
    """Clear what stopped a lane, and note the act; False where it was not stopped."""
    return await desk.one(_FILE, "resume", lane, actor, why) is not None


class JournalEntry(NamedTuple):
    """One batch in the journal: how many records it publishes, the size of its payload, where its offsets stand."""

    seq: int
    records: int
    bytes: int
    next_offsets: list[int]


async def journal(desk: Desk, layout: int, lane: int) -> list[JournalEntry]:
    """What the journal of a lane holds."""
    return [JournalEntry(*row) for row in await desk.fetch(_FILE, "journal", layout, lane)]


async def set_receipt(desk: Desk, layout: int, lane: int, seq: int, *, actor: str, why: str) -> bool:
    """Note a person's word on which batch Kafka holds, and let the lane go on.

    False unless it stopped with `ReceiptUnknown`, and the batch is one that it could be.
    """
    return await desk.one(_FILE, "set_receipt", layout, lane, seq, actor, why) is not None
