"""The layout and its lanes at rest: fenced, settled, followed by another layout; each change in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from processor.errors import LayoutDiffers
from processor.ports import Layout
from processor.postgres.desk.actions import note
from processor.postgres.desk.desk import Desk

_FILE = "desk_layout"


@dataclass(frozen=True, slots=True)
class LaneAtRest:
    """How far one lane has come; ``next_offsets`` by partition, none where it never ran."""

    lane: int
    epoch: int
    applied_seq: int
    published_seq: int
    witness_seq: int
    next_offsets: dict[int, int]
    stopped_reason: str | None


class Gap(NamedTuple):
    """Batches of a lane that the topics hold and the books lost: above ``after_seq``, up to ``up_to_seq``."""

    lane: int
    after_seq: int
    up_to_seq: int


class By(NamedTuple):
    """Who changes the layout, by which act, and why; ``details`` is for the record."""

    actor: str
    action: str
    why: str
    details: str


async def current(desk: Desk) -> Layout | None:
    """The layout in force, None before the first worker."""
    row = await desk.one(_FILE, "current")
    return None if row is None else Layout(*row)


async def lanes_of(desk: Desk, layout: int) -> list[LaneAtRest]:
    """How far each lane of a layout is now."""
    return [_lane(row) for row in await desk.fetch(_FILE, "lanes", layout)]


async def bump(desk: Desk, layout: int) -> dict[int, int]:
    """Fence every lane of a layout; the epochs that they have now."""
    return dict(await desk.fetch(_FILE, "bump", layout))


async def waiting(desk: Desk) -> tuple[int, int]:
    """(parked events, requests not carried out)."""
    row = await desk.one(_FILE, "waiting")
    assert row is not None
    return int(row["parked"]), int(row["requests"])


async def settle(desk: Desk, layout: Layout, epochs: Mapping[int, int], by: By) -> None:
    """Note that Kafka holds all that was applied. Raises `errors.LayoutDiffers` where somebody took a lane since."""
    async with desk.transaction():
        for lane in await _held(desk, layout.number, epochs):
            await desk.fetch(_FILE, "settle", layout.number, lane.lane)
        await desk.fetch(_FILE, "forget_journal", layout.number)
        await _note(desk, layout.number, by)


async def follow(
    desk: Desk,
    old: Layout,
    new: Layout,
    epochs: Mapping[int, int],
    next_offsets: Mapping[int, int],
    gaps: Sequence[Gap],
    by: By,
) -> None:
    """Retire a layout and let another follow, whose lanes go on at ``next_offsets``; all or nothing.

    ``epochs`` are those that `bump` gave: a lane that has another was taken since. Raises `errors.LayoutDiffers`.
    """
    async with desk.transaction():
        await _held(desk, old.number, epochs)
        await desk.fetch(_FILE, "retire", old.number)
        await desk.fetch(_FILE, "forget_journal", old.number)
        await desk.fetch(
            _FILE, "follow_layout", new.number, new.topic, new.topic_id, new.partitions, new.lanes, new.shards
        )
        for lane in range(new.lanes):
            partitions = [one for one in range(new.partitions) if one % new.lanes == lane]
            offsets = [next_offsets[one] for one in partitions]
            await desk.fetch(_FILE, "follow_lane", new.number, lane, partitions, offsets)
        for gap in gaps:
            await desk.fetch(_FILE, "accept_gap", old.number, *gap, by.actor, by.why)
        if new.partitions > old.partitions:
            await desk.fetch(_FILE, "forget_homes")
        await _note(desk, new.number, by)


async def _held(desk: Desk, layout: int, epochs: Mapping[int, int]) -> list[LaneAtRest]:
    lanes = [_lane(row) for row in await desk.fetch(_FILE, "hold", layout)]
    if {lane.lane: lane.epoch for lane in lanes} != dict(epochs):
        raise LayoutDiffers(
            f"somebody took a lane of layout {layout} meanwhile: a worker was started. Nothing was changed. "
            "Stop it, and try again."
        )
    return lanes


async def _note(desk: Desk, layout: int, by: By) -> None:
    await note(
        desk, actor=by.actor, action=by.action, target=f"layout/{layout}", why=by.why, details=by.details
    )


def _lane(row: Any) -> LaneAtRest:
    lane, epoch, applied, published, witness, partitions, offsets, stopped = row
    return LaneAtRest(
        lane, epoch, applied, published, witness, dict(zip(partitions, offsets, strict=True)), stopped
    )
