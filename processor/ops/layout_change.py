"""What `croupier lanes resize`, `settle` and `accept-gap` do: another layout follows, or the present one is settled."""

from __future__ import annotations

from dataclasses import dataclass, replace

from processor.errors import TopicReplaced, WrongUsage
from processor.kafka.connection import connected_client
from processor.kafka.questions import EARLIEST, log_offsets, topic_facts
from processor.kafka.topics import check_topics
from processor.ops.at_rest import AtRest, NotAtRest, bring_to_rest, current_layout, require_empty_group
from processor.ops.desk import open_desk
from processor.ports import Layout, TopicFacts
from processor.postgres.desk import layout as layouts
from processor.postgres.desk.desk import Desk
from processor.postgres.desk.layout import By, Gap
from processor.settings import Settings


@dataclass(frozen=True, slots=True)
class Changed:
    """What was changed: the layout before and after, and the gaps that were accepted with it."""

    before: Layout
    after: Layout
    gaps: list[Gap]


async def resize(
    settings: Settings, *, lanes: int | None, new_topic: bool, actor: str, why: str
) -> Changed | None:
    """Let a layout with so many lanes (None: as many as now) follow; None where that is the layout there is.

    Raises `at_rest.NotAtRest`, `errors.LayoutDiffers`, `errors.TopicReplaced`, `errors.WrongUsage`, unreachable.
    """
    async with open_desk(settings, patient=True) as desk:
        old, facts = await current_layout(desk), await _facts(settings)
        new = _next_layout(old, facts, lanes, new_topic=new_topic)
        if (new.lanes, new.partitions, new.topic_id) == (old.lanes, old.partitions, old.topic_id):
            return None
        await check_topics(settings, new.partitions)
        if new.partitions > old.partitions:
            await nothing_waits(desk)
        rest = await _rest(settings, desk, old, new)
        offsets = await _offsets(settings, new, rest, new_topic=new_topic)
        details = (
            f"lanes {old.lanes} -> {new.lanes}, partitions {old.partitions} -> {new.partitions}"
            f"{f', topic id {old.topic_id} -> {new.topic_id}' if new_topic else ''}"
        )
        by = By(actor, "lanes.resize", why, details)
        await layouts.follow(desk, old, new, rest.epochs, offsets, [], by)
    return Changed(old, new, [])


async def settle(settings: Settings, *, actor: str, why: str) -> Layout:
    """Note in Postgres that Kafka holds everything, and forget the journal. Raises `at_rest.NotAtRest`."""
    async with open_desk(settings) as desk:
        rest = await bring_to_rest(settings, desk)
        rest.must_be_settled()
        by = By(actor, "lanes.settle", why, "Kafka holds all batches")
        await layouts.settle(desk, rest.layout, rest.epochs, by)
    return rest.layout


async def find_gaps(settings: Settings) -> tuple[AtRest, list[Gap]]:
    """Every lane of which the topics hold more than the books; the lanes are fenced. Raises `at_rest.NotAtRest`."""
    async with open_desk(settings) as desk:
        rest = await bring_to_rest(settings, desk, look_at_topics=True)
    return rest, [standing.gap for standing in rest.standings if standing.gap is not None]


async def accept_gap(settings: Settings, *, actor: str, why: str) -> Changed:
    """Let a layout follow that goes on where the books end, over batches that only the topics hold.

    The events of those batches are decided again, from the books as they are. Raises `at_rest.NotAtRest`.
    """
    async with open_desk(settings) as desk:
        rest = await bring_to_rest(settings, desk, look_at_topics=True)
        gaps = [standing.gap for standing in rest.standings if standing.gap is not None]
        if not gaps:
            raise NotAtRest("There is no gap to accept: the books hold everything that the topics hold.")
        without = [standing for standing in rest.standings if standing.gap is None]
        replace(rest, standings=without).must_be_settled()
        new = replace(rest.layout, number=rest.layout.number + 1)
        offsets = await _offsets(settings, new, rest, new_topic=False)
        words = (f"lane {gap.lane}: batches {gap.after_seq + 1} to {gap.up_to_seq}" for gap in gaps)
        by = By(actor, "lanes.accept-gap", why, "; ".join(words))
        await layouts.follow(desk, rest.layout, new, rest.epochs, offsets, gaps, by)
    return Changed(rest.layout, new, gaps)


async def _facts(settings: Settings) -> TopicFacts:
    async with connected_client(settings) as client:
        return await topic_facts(client, settings.events_topic)


def _next_layout(old: Layout, facts: TopicFacts, lanes: int | None, *, new_topic: bool) -> Layout:
    if (facts.topic_id != old.topic_id) != new_topic:
        raise TopicReplaced(
            f"the topic {old.topic} has the id {facts.topic_id}, the layout was made for {old.topic_id}: it is another "
            "topic. If that is meant (another cluster), say --new-topic: docs/runbook.md, 'Moving to another cluster'."
            if not new_topic
            else f"the topic {old.topic} is the one that the layout was made for: --new-topic is not for it."
        )
    if facts.partitions != old.partitions and not new_topic:
        require_multiple(old, facts.partitions)
    wanted = min(old.lanes if lanes is None else lanes, facts.partitions)
    return Layout(old.number + 1, old.topic, facts.topic_id, facts.partitions, wanted, old.shards)


def require_multiple(old: Layout, partitions: int) -> None:
    """Raises `errors.WrongUsage` unless every player then comes in a partition of the shard he is in now."""
    if partitions > old.partitions and partitions % old.partitions == 0 and old.partitions % old.shards == 0:
        return
    raise WrongUsage(
        f"From {old.partitions} partitions with {old.shards} shards, {partitions} cannot follow: the new number must "
        "be a multiple of the old one, and the old one a multiple of the shards (both are chosen at install), so that "
        "every player stays in his shard."
    )


async def _rest(settings: Settings, desk: Desk, old: Layout, new: Layout) -> AtRest:
    """The old layout at rest and settled. On another cluster only Postgres can say that it is."""
    if new.topic_id == old.topic_id:
        rest = await bring_to_rest(settings, desk)
        rest.must_be_settled()
        return rest
    await require_empty_group(settings)
    epochs = await layouts.bump(desk, old.number)
    for row in await layouts.lanes_of(desk, old.number):
        if row.published_seq != row.applied_seq:
            raise NotAtRest(
                f"lane {row.lane} has applied batch {row.applied_seq}, and it is noted that Kafka holds batch "
                f"{row.published_seq}. Run `croupier lanes settle` on the cluster that you come from, first."
            )
    return AtRest(old, epochs, [])


async def _offsets(settings: Settings, new: Layout, rest: AtRest, *, new_topic: bool) -> dict[int, int]:
    """Where each partition goes on; the first record that there is, in those where no lane has ever read."""
    known = {} if new_topic else rest.next_offsets()
    unread = [one for one in range(new.partitions) if one not in known]
    if unread:
        async with connected_client(settings) as client:
            known |= await log_offsets(client, new.topic, unread, EARLIEST)
    return known


async def nothing_waits(desk: Desk) -> None:
    """Raises `at_rest.NotAtRest` while events are parked or requests wait."""
    parked, requests = await layouts.waiting(desk)
    if parked or requests:
        raise NotAtRest(
            f"{parked} events are parked and {requests} requests wait for their lanes: what waits in a partition would "
            "be left behind by a player who moves to another. Start a worker and let it finish "
            "(`croupier parked list`)."
        )
