"""The results part of the audit: both topics and what Postgres stores, read side by side, batch by batch.

Bounded in memory: whatever the topics hold, one batch at a time is compared; of an event that is as it must be, one bit
is remembered. The system is live: so what is published for certain is asked first, then the ends of the topics (once
every transaction that is under way is resolved), and only then is what is stored read, which is as much or more.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from processor.kafka.merging import Place, Span, merged, spans
from processor.kafka.tailing import read_to_end
from processor.ops.desk import open_desk
from processor.ops.results_audit import Comparison, Missing, StoredBatch, StoredOutcome
from processor.ops.results_shown import Batch, Faults, Shown, TopicsShown, batch_of
from processor.ops.topic_reading import reading
from processor.postgres.desk import results
from processor.settings import Settings

_TELL_EVERY = 500

#: Hears what is done, how far it is, and of how many (None where that is not known).
Progress = Callable[[str, int, int | None], None]


@dataclass(slots=True)
class TopicsProved:
    """What was read, every fault found, and the outcomes whose first result is missing."""

    results: int
    dead_letters: int
    outcomes: int
    batches: int
    faults: Faults
    missing: list[Missing]


@dataclass(slots=True)
class _Group:
    """What the topics show of one batch; ``certain`` where all that was committed before it is read too."""

    name: Batch
    shown: list[Shown]
    certain: bool


async def prove_topics(settings: Settings, progress: Progress) -> TopicsProved:
    """Read and compare everything that the topics still hold. Raises `errors.Unreachable`, `errors.TopicMissing`."""
    topics = (settings.results_topic, settings.dead_letters_topic)
    async with open_desk(settings, patient=True) as desk:
        published = await results.published(desk)
        wanted = await spans(settings, topics)
        truncated = [place for place, span in wanted.items() if span.begin > 0]
        faults = Faults()
        shown = TopicsShown(
            settings.results_topic,
            frozenset(truncated),
            await results.generations(desk),
            await results.gaps(desk),
            faults=faults,
        )
        oldest = {place: await _oldest(settings, place, wanted[place]) for place in truncated}
        comparison = Comparison(*topics, published, oldest, faults)
        groups = _groups(settings, wanted, shown, progress)
        stored = results.batches(desk)
        await _side_by_side(groups, stored, comparison)
    comparison.finish()
    shown.finish()
    return TopicsProved(
        shown.results, shown.dead_letters, comparison.outcomes, comparison.batches, faults, comparison.missing
    )


async def _side_by_side(
    groups: AsyncIterator[_Group], stored: AsyncIterator[results.BatchRow], comparison: Comparison
) -> None:
    """Both streams come in the order of batches; each batch is taken once, with what either knows of it."""
    group, row = await anext(groups, None), await anext(stored, None)
    while group is not None or row is not None:
        if row is None or (group is not None and group.name < row.name):
            assert group is not None
            comparison.take(group.name, group.shown, None)
            group = await anext(groups, None)
        elif group is None or row.name < group.name:
            comparison.take(row.name, [], _stored(row))
            row = await anext(stored, None)
        else:
            comparison.take(group.name, group.shown, _stored(row), certain=group.certain)
            group, row = await anext(groups, None), await anext(stored, None)


async def _groups(
    settings: Settings, wanted: dict[Place, Span], shown: TopicsShown, progress: Progress
) -> AsyncIterator[_Group]:
    """The records of both topics by batch. A record that comes after its time is told of and left out."""
    told = 0

    def tell(passed: int, total: int) -> None:
        nonlocal told
        told += 1
        if told % _TELL_EVERY == 1 or passed == total:
            progress("topics against books", passed, total)

    group: _Group | None = None
    async with reading(merged(settings, wanted, batch_of, tell)) as records:
        async for record in records:
            taken = shown.take(record)
            if taken is None or (group is not None and taken.batch < group.name):
                continue
            if group is None or taken.batch != group.name:
                if group is not None:
                    yield group
                group = _Group(taken.batch, [], certain=False)
            group.shown.append(taken)
            group.certain |= record.offset < wanted[record.topic, record.partition].certain
    if group is not None:
        yield group


async def _oldest(settings: Settings, place: Place, span: Span) -> Batch | None:
    """The batch of the first record that a truncated partition still has."""
    topic, partition = place
    records = read_to_end(settings, topic, start={partition: span.begin}, partitions=[partition])
    async with reading(records) as open_records:
        async for record in open_records:
            found = batch_of(record)
            if found is not None:
                return found
    return None


def _stored(row: results.BatchRow) -> StoredBatch:
    outcomes = [StoredOutcome(*outcome) for outcome in row.outcomes]
    return StoredBatch(row.name, row.seal, outcomes, row.letter_partitions)
