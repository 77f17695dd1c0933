"""What a batch carries through the steps: arrivals, due queues, requests, and where the lane stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from processor.domain.commands import Command
from processor.ports import EventRecord, LaneRequest, LaneRow, OutRecord, Sender, UnparsableRecord


@dataclass(slots=True)
class Arrival:
    """One record of the input on its way: a command, or the reason why it is none. ``sender`` signed it, if anybody."""

    record: EventRecord | UnparsableRecord
    command: Command | None = None
    reason: str | None = None
    detail: str = ""
    claimed_provider: str | None = None
    claimed_player_id: str | None = None
    sender: Sender | None = None


@dataclass(slots=True)
class Due:
    """A parked queue whose head wants another attempt, or its final outcome."""

    player_id: str
    provider: str
    partition: int


Item = Arrival | Due | LaneRequest

#: The request that has a stored decision's result told again; its target is the player's sequence.
REPAIR: Final = "results.repair"
#: The header of such a result: the batch that it was of.
REPAIRED: Final = "wallet-repaired"


@dataclass(slots=True)
class Position:
    """Where the lane stands, as it remembers it; step 4 compares it with the lane's row."""

    layout: int
    lane: int
    epoch: int
    applied_seq: int
    published_seq: int
    next_offsets: dict[int, int]
    seal: bytes

    @classmethod
    def of(cls, row: LaneRow) -> Position:
        """The position that a lane's row tells."""
        return cls(
            row.layout,
            row.lane,
            row.epoch,
            row.applied_seq,
            row.published_seq,
            dict(row.next_offsets),
            row.seal,
        )

    def after(self, items: list[Item]) -> dict[int, int]:
        """The next offsets once these items are applied."""
        moved = dict(self.next_offsets)
        for item in items:
            if isinstance(item, Arrival):
                moved[item.record.partition] = item.record.offset + 1
        return moved


@dataclass(slots=True)
class Applied:
    """A batch that is a fact: what to publish for it, and the offsets its receipt commits."""

    seq: int
    records: list[OutRecord]
    next_offsets: dict[int, int]
    seal: bytes
    events: int
    decided_at: datetime
    codes: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    replayed: int = 0
    parked_change: int = 0
    next_due_at: dict[int, datetime] = field(default_factory=dict)
