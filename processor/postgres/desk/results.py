"""What the results audit compares the topics with: every batch with its seal and decisions, as one stream in order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

from processor.postgres.desk.desk import Desk

_FILE = "desk_results"

Batch = tuple[int, int, int]


class BatchRow(NamedTuple):
    """One batch: its name (layout, lane, seq), its seal in hex, its outcomes, and its dead letters' partitions.

    An outcome is (event partition, event offset, provider, transaction id, wallet transaction id, the player's number,
    his sequence).
    """

    name: Batch
    seal: str
    outcomes: list[tuple[int, int, str, str, str, int, int]]
    letter_partitions: list[int]


async def published(desk: Desk) -> dict[tuple[int, int], int]:
    """(layout, lane) to the last batch that Kafka is known to hold."""
    return {(layout, lane): seq for layout, lane, seq in await desk.fetch(_FILE, "published")}


async def generations(desk: Desk) -> dict[int, int]:
    """For each layout, a number that is the same for layouts of the same events topic."""
    numbers: dict[str, int] = {}
    return {
        layout: numbers.setdefault(topic_id, len(numbers))
        for layout, topic_id in await desk.fetch(_FILE, "layouts")
    }


async def gaps(desk: Desk) -> dict[tuple[int, int], tuple[int, int]]:
    """(layout, lane) to (after, up to): batches that a person accepted as no longer true."""
    return {(layout, lane): (after, up_to) for layout, lane, after, up_to in await desk.fetch(_FILE, "gaps")}


async def batches(desk: Desk) -> AsyncIterator[BatchRow]:
    """Every stored batch, in the order of its name."""
    current: BatchRow | None = None
    async for layout, lane, seq, seal, partitions, *outcome in desk.stream(_FILE, "batches"):
        if current is None or current.name != (layout, lane, seq):
            if current is not None:
                yield current
            current = BatchRow((layout, lane, seq), seal, [], list(partitions or ()))
        if outcome[0] is not None:
            partition, offset, provider, transaction_id, wallet_id, player, sequence = outcome
            current.outcomes.append(
                (partition, offset, provider, transaction_id, wallet_id, player, sequence)
            )
    if current is not None:
        yield current


async def ask_for_repair(
    desk: Desk, player: int, sequence: int, partition: int, *, actor: str, why: str
) -> int | None:
    """Ask the lane to tell a stored decision again; the request's number, None where that is asked for already."""
    row = await desk.one(_FILE, "ask_for_repair", player, sequence, partition, actor, why)
    return None if row is None else int(row["number"])
