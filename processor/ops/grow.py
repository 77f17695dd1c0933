"""What `croupier topics grow` does: more partitions for all three topics, once all in the old ones is decided."""

from __future__ import annotations

from processor.kafka.connection import connected_client
from processor.kafka.fetching import fetch_tolerantly
from processor.kafka.growing import grow_topics
from processor.kafka.questions import EARLIEST, LATEST, log_offsets
from processor.ops.at_rest import AtRest, NotAtRest, bring_to_rest
from processor.ops.desk import open_desk
from processor.ops.layout_change import nothing_waits, require_multiple
from processor.settings import Settings


async def grow(settings: Settings, partitions: int) -> list[str]:
    """Grow the topics; the names of those that grew. Nothing is changed unless the lanes are drained and at rest.

    Events that come into old partitions meanwhile are told as `at_rest.NotAtRest`: their senders were not stopped.
    Raises `errors.WrongUsage` for a number that cannot follow, unreachable.
    """
    async with open_desk(settings) as desk:
        rest = await bring_to_rest(settings, desk)
        require_multiple(rest.layout, partitions)
        rest.must_be_settled()
        await nothing_waits(desk)
    before = await _unread(settings, rest)
    if before:
        raise NotAtRest(
            f"Events in the partitions {before} are not decided yet. Nothing was changed. Stop the senders, let a "
            "worker read to the end, stop it, and try again."
        )
    grown = await grow_topics(settings, partitions)
    after = await _unread(settings, rest)
    if after:
        raise NotAtRest(
            f"The topics have {partitions} partitions, but events came into the partitions {after} meanwhile: a sender "
            "was not stopped. Stop it now. A player of whom events are in an old and in a new partition may be decided "
            "out of order."
        )
    return grown


async def _unread(settings: Settings, rest: AtRest) -> list[int]:
    """The partitions with an event behind what their lane has read (a transaction's own marks are none)."""
    layout, reached = rest.layout, rest.next_offsets()
    async with connected_client(settings) as client:
        ends = await log_offsets(client, layout.topic, range(layout.partitions), LATEST)
        starts = await log_offsets(client, layout.topic, range(layout.partitions), EARLIEST)
        return [
            partition
            for partition, end in ends.items()
            if reached.get(partition, starts[partition]) < end
            and await fetch_tolerantly(
                client, layout.topic, partition, reached.get(partition, starts[partition]), max_records=1
            )
        ]
