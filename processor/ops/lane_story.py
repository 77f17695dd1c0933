"""What `croupier lanes show` tells of one lane: its row, what Kafka says it holds, the journal, and what people did."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from processor.kafka.connection import connected_client
from processor.kafka.questions import EARLIEST, LATEST, log_offsets
from processor.ops.at_rest import committed, current_layout, last_on_topics
from processor.ops.console import output, show_table
from processor.ops.desk import NotFound, open_desk, time_text
from processor.ports import CommittedOffset, Layout
from processor.postgres.desk.actions import Action, actions_on
from processor.postgres.desk.lanes import JournalEntry, LaneState, journal
from processor.postgres.desk.lanes import lanes as read_lanes
from processor.postgres.desk.layout import lanes_of
from processor.settings import Settings


@dataclass(frozen=True, slots=True)
class PartitionStory:
    """One partition of a lane: where the lane goes on, what the group committed, where the log begins and ends."""

    partition: int
    next_offset: int
    committed: int | None
    metadata: str | None
    begins: int | None
    ends: int | None


@dataclass(frozen=True, slots=True)
class LaneStory:
    """One lane with everything that tells how far it is."""

    row: LaneState
    partitions: list[PartitionStory]
    journal: list[JournalEntry]
    last_on_topics: int | None
    actions: list[Action]

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            **asdict(self.row),
            "last_batch_on_topics": self.last_on_topics,
            "places": [asdict(one) for one in self.partitions],
            "journal": [entry._asdict() for entry in self.journal],
            "actions": [action._asdict() for action in self.actions],
        }


async def story(settings: Settings, lane: int) -> LaneStory:
    """Everything about one lane of the current layout. Raises `desk.NotFound`, unreachable."""
    async with open_desk(settings) as desk:
        layout = await current_layout(desk)
        row = next((one for one in await read_lanes(desk) if one.lane == lane), None)
        if row is None:
            raise NotFound(
                f"There is no lane {lane}: layout {layout.number} has the lanes 0 to {layout.lanes - 1}."
            )
        entries = await journal(desk, layout.number, lane)
        actions = await actions_on(desk, f"lane/{layout.number}/{lane}")
        at_rest = next(one for one in await lanes_of(desk, layout.number) if one.lane == lane)
    partitions = await _partitions(settings, layout, row, await committed(settings, layout))
    return LaneStory(row, partitions, entries, await last_on_topics(settings, layout, at_rest), actions)


async def _partitions(
    settings: Settings, layout: Layout, row: LaneState, receipts: dict[int, CommittedOffset | None]
) -> list[PartitionStory]:
    async with connected_client(settings) as client:
        begins = await log_offsets(client, layout.topic, row.partitions, EARLIEST)
        ends = await log_offsets(client, layout.topic, row.partitions, LATEST)
    found = []
    for partition, offset in zip(row.partitions, row.next_offsets, strict=True):
        receipt = receipts[partition]
        found.append(
            PartitionStory(
                partition,
                offset,
                None if receipt is None else receipt.offset,
                None if receipt is None else receipt.metadata,
                begins.get(partition),
                ends.get(partition),
            )
        )
    return found


def print_story(told: LaneStory) -> None:
    """The story for a person."""
    row = told.row
    facts = (
        ("owner", row.owner or "nobody"),
        ("state", "works" if row.stopped_reason is None else f"stopped: {row.stopped_reason}"),
        ("epoch", row.epoch),
        ("last batch in Postgres", row.applied_seq),
        ("noted as published", row.published_seq),
        (
            "last batch named on the topics",
            told.last_on_topics if told.last_on_topics is not None else "none found",
        ),
        ("last change", time_text(row.updated_at)),
    )
    show_table(f"Lane {row.lane} of layout {row.layout}", ("", ""), facts)
    places = [
        (one.partition, one.next_offset, one.committed, one.metadata or "-", one.begins, one.ends)
        for one in told.partitions
    ]
    output().print()
    show_table(
        "Partitions", (">partition", ">goes on at", ">committed", "receipt", ">begins", ">ends"), places
    )
    if told.journal:
        rows = [(entry.seq, entry.records, entry.bytes) for entry in told.journal]
        output().print()
        show_table("Journal: what Kafka may not hold yet", (">batch", ">records", ">bytes"), rows)
    if told.actions:
        acts = [(time_text(act.at), act.actor, act.action, act.why, act.details) for act in told.actions]
        output().print()
        show_table("What people did", ("at", "who", "what", "why", "details"), acts)
