"""An installation at rest: nobody in the group, every lease and producer fenced, and what Kafka then says it holds.

What changes lanes or players from outside begins here: `lanes resize`, `settle`, `accept-gap`, `topics grow`,
`players move`. The order matters. First the leases (what a worker still commits matches no row), then the producers (a
transaction that was under way is resolved, and none that is old can commit any more), and only then the receipts, which
cannot move any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from processor.errors import CroupierError, LayoutDiffers
from processor.kafka.connection import connected_client
from processor.kafka.last_batch import last_batch
from processor.kafka.questions import committed_offsets
from processor.kafka.resizing import fence_all, group_members
from processor.lane.receipt import receipt_seq
from processor.ports import CommittedOffset, Layout
from processor.postgres.desk import layout as layouts
from processor.postgres.desk.desk import Desk
from processor.postgres.desk.layout import Gap, LaneAtRest
from processor.settings import Settings


class NotAtRest(CroupierError):
    """Workers, or batches, are still under way."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One lane, and the last batch of it that Kafka holds (None: Kafka does not say)."""

    row: LaneAtRest
    held: int | None

    @property
    def settled(self) -> bool:
        """Whether Kafka holds exactly what was applied."""
        return self.row.applied_seq == (self.row.published_seq if self.held is None else self.held)

    @property
    def gap(self) -> Gap | None:
        """What Kafka holds and the books do not: the database was restored behind Kafka."""
        if self.held is None or self.held <= self.row.applied_seq:
            return None
        return Gap(self.row.lane, self.row.applied_seq, self.held)


@dataclass(frozen=True, slots=True)
class AtRest:
    """A fenced layout: the epochs that its lanes have since, and where each stands."""

    layout: Layout
    epochs: Mapping[int, int]
    standings: list[Standing]

    def next_offsets(self) -> dict[int, int]:
        """Where the lanes have come to, by partition."""
        return {
            partition: offset
            for standing in self.standings
            for partition, offset in standing.row.next_offsets.items()
        }

    def must_be_settled(self) -> None:
        """Raises `NotAtRest` where a lane applied batches that Kafka does not hold, or Kafka holds more."""
        for standing in self.standings:
            row = standing.row
            if standing.gap is not None:
                raise NotAtRest(
                    f"Kafka holds batch {standing.held} of lane {row.lane}, the ledger ends at batch "
                    f"{row.applied_seq}: the database was restored behind Kafka. Nothing was changed. "
                    "See docs/exactly-once.md, 'A database behind Kafka'."
                )
            if not standing.settled:
                raise NotAtRest(
                    f"lane {row.lane} has applied batch {row.applied_seq}, and Kafka holds "
                    f"{'none for certain' if standing.held is None else f'batch {standing.held}'}. Nothing was "
                    "changed. Start a worker, let it publish the rest, stop it, and try again."
                )


async def current_layout(desk: Desk) -> Layout:
    """The layout in force. Raises `errors.LayoutDiffers` before the first worker."""
    layout = await layouts.current(desk)
    if layout is None:
        raise LayoutDiffers("There is no layout yet: the first `croupier run` makes it.")
    return layout


async def require_empty_group(settings: Settings) -> None:
    """Raises `NotAtRest` with the members' names, `errors.KafkaUnreachable`."""
    members = await group_members(settings)
    if members:
        raise NotAtRest(
            f"the group {settings.group} still has {len(members)} members ({', '.join(sorted(members)[:5])}): "
            "stop every worker first. One that was killed stays a member until its session time-out."
        )


async def bring_to_rest(settings: Settings, desk: Desk, *, look_at_topics: bool = False) -> AtRest:
    """Fence everything of the current layout, then see where it stands. It does no harm: a worker takes over again.

    ``look_at_topics`` asks the topics, too, what they hold, for a receipt that is lost. Raises `NotAtRest`.
    """
    layout = await current_layout(desk)
    await require_empty_group(settings)
    epochs = await layouts.bump(desk, layout.number)
    await fence_all(settings, layout.number, layout.lanes)
    await require_empty_group(settings)
    receipts = await committed(settings, layout)
    standings = []
    for row in await layouts.lanes_of(desk, layout.number):
        held = held_by_receipt(layout, row, receipts)
        if look_at_topics and row.next_offsets:
            found = await last_on_topics(settings, layout, row)
            held = max((seq for seq in (held, found) if seq is not None), default=None)
        standings.append(Standing(row, held))
    return AtRest(layout, epochs, standings)


async def committed(settings: Settings, layout: Layout) -> dict[int, CommittedOffset | None]:
    """What the group committed for every partition of the layout. Raises `errors.OffsetsUnknown`."""
    async with connected_client(settings) as client:
        return await committed_offsets(client, settings.group, layout.topic, range(layout.partitions))


def held_by_receipt(
    layout: Layout, row: LaneAtRest, receipts: Mapping[int, CommittedOffset | None]
) -> int | None:
    """The last batch that the group's receipt vouches for; below what is known as published it vouches for nothing."""
    said = receipt_seq(layout.number, {one: receipts[one] for one in partitions_of(layout, row.lane)})
    return None if said is None or said < row.published_seq else said


async def last_on_topics(settings: Settings, layout: Layout, row: LaneAtRest) -> int | None:
    """The last batch of a lane that its results or dead letters name."""
    topics = (settings.results_topic, settings.dead_letters_topic)
    return await last_batch(settings, topics, layout.number, row.lane, partitions_of(layout, row.lane))


def partitions_of(layout: Layout, lane: int) -> list[int]:
    """The partitions of a lane."""
    return [one for one in range(layout.partitions) if one % layout.lanes == lane]
