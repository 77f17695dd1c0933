"""Lanes as an operator sees them, and letting one that stopped itself go on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from processor.postgres.desk.desk import Desk

_FILE = "desk_lanes"


@dataclass(frozen=True, slots=True)
class LaneState:
    """One lane of the current layout. ``journal_batches`` are those that Kafka may not hold yet."""

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
    updated_at: datetime
    journal_batches: int


async def lanes(desk: Desk) -> list[LaneState]:
    """The lanes of the current layout; none before the first worker."""
    return [LaneState(*row) for row in await desk.fetch(_FILE, "list")]


async def resume(desk: Desk, lane: int, *, actor: str, why: str) -> bool:
    """Clear what stopped a lane, and note the act; False where it was not stopped."""
    return await desk.one(_FILE, "resume", lane, actor, why) is not None
