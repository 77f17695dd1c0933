"""The results part of the audit: reads both topics whole, and what Postgres stores, and compares them.

The system is live: batches go on being published while it reads. So what is published for certain is asked before
the ends of the topics are, and what looks missing is looked for again, from where the reading ended, before it is
called a fault.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from processor.kafka.connection import connected_client
from processor.kafka.questions import EARLIEST, log_offsets
from processor.kafka.tailing import TopicRecord, end_offsets, read_to_end
from processor.ops.desk import open_desk
from processor.ops.results_audit import Lane, StoredBatch, StoredOutcome, compare
from processor.ops.results_shown import Faults, Proof, ResultsShown
from processor.ops.topic_reading import reading
from processor.postgres.desk import results
from processor.postgres.desk.desk import Desk
from processor.settings import Settings

#: What records that come later can heal; anything else stays as it is.
_MAY_BE_LATE = frozenset({Proof.FIRST_PUBLISHED, Proof.BATCHES, Proof.SEQUENCES})
_LOOKS = 4
_LOOK_AGAIN_SECONDS = 1.5
_TELL_EVERY = 1000

#: Hears what is done, how far it is, and of how many (None where that is not known).
Progress = Callable[[str, int, int | None], None]


@dataclass(slots=True)
class TopicsProved:
    """What was read, and every fault found."""

    results: int
    dead_letters: int
    outcomes: int
    batches: int
    faults: Faults


async def prove_topics(settings: Settings, progress: Progress) -> TopicsProved:
    """Read and compare everything that the topics still hold. Raises `errors.Unreachable`, `errors.TopicMissing`."""
    reader = _Reader(settings, await _beginnings(settings), progress)
    async with open_desk(settings) as desk:
        published = await results.published(desk)
        for look in range(1, _LOOKS + 1):
            await reader.read_on()
            proved = await _compared(desk, reader.shown, published, progress)
            if look == _LOOKS or not _MAY_BE_LATE & proved.faults.first.keys():
                break
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    return proved


async def _beginnings(settings: Settings) -> dict[str, dict[int, int]]:
    """The first offset that each partition of both topics still has."""
    beginnings: dict[str, dict[int, int]] = {}
    for topic in (settings.results_topic, settings.dead_letters_topic):
        partitions = list(await end_offsets(settings, topic))
        async with connected_client(settings) as client:
            beginnings[topic] = dict(await log_offsets(client, topic, partitions, EARLIEST))
    return beginnings


class _Reader:
    """Reads both topics to their present ends, and later on from there."""

    def __init__(
        self, settings: Settings, beginnings: Mapping[str, Mapping[int, int]], progress: Progress
    ) -> None:
        self._settings = settings
        self._progress = progress
        self._positions = {topic: dict(offsets) for topic, offsets in beginnings.items()}
        self.shown = ResultsShown(
            frozenset(
                (topic, partition)
                for topic, offsets in beginnings.items()
                for partition, offset in offsets.items()
                if offset > 0
            )
        )

    async def read_on(self) -> None:
        """Take everything between where the last reading ended and the ends of the topics as they are now."""
        await self._read(self._settings.results_topic, self.shown.take_result)
        await self._read(self._settings.dead_letters_topic, self.shown.take_dead_letter)

    async def _read(self, topic: str, take: Callable[[TopicRecord], None]) -> None:
        def tell(passed: int, total: int) -> None:
            self._progress(f"reading {topic}", passed, total)

        positions = self._positions[topic]
        records = read_to_end(self._settings, topic, start=dict(positions), progress=tell)
        async with reading(records) as open_records:
            async for record in open_records:
                take(record)
                positions[record.partition] = record.offset + 1


async def _compared(
    desk: Desk, shown: ResultsShown, published: Mapping[Lane, int], progress: Progress
) -> TopicsProved:
    comparison = compare(shown, published)
    batches = outcomes = 0
    async for batch in results.batches(desk):
        comparison.take_batch(StoredBatch(*batch))
        batches += 1
    async for outcome in results.outcomes(desk):
        comparison.take_outcome(StoredOutcome(*outcome))
        outcomes += 1
        if outcomes % _TELL_EVERY == 0:
            progress("comparing with stored outcomes", outcomes, None)
    return TopicsProved(shown.results, shown.dead_letters, outcomes, batches, comparison.finish())
