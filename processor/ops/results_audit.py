"""What the topics show against what Postgres stores: each outcome published once, every batch there, seals as stored.

Pure: it is fed the stored batches and outcomes, and names faults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from processor.ops.results_shown import Batch, Faults, Proof, ResultsShown, batch_name

Lane = tuple[int, int]  # layout, lane


class StoredOutcome(NamedTuple):
    """One decided transaction id, as Postgres has it."""

    layout: int
    lane: int
    seq: int
    event_partition: int
    event_offset: int
    provider: str
    transaction_id: str
    wallet_transaction_id: str


class StoredBatch(NamedTuple):
    """One batch's seal, as Postgres has it; ``publishes`` counts what must be on the topics for certain (its
    outcomes and its dead letters, not the answers to repeats)."""

    layout: int
    lane: int
    seq: int
    seal: str
    publishes: int


@dataclass(slots=True)
class Comparison:
    """One comparison of what was shown so far with what is stored: take all batches and outcomes, then `finish`.

    ``horizon`` and ``floor`` say between which batches of each lane everything must have been seen.
    """

    shown: ResultsShown
    horizon: Mapping[Lane, int]
    floor: Mapping[Lane, int]
    faults: Faults = field(default_factory=Faults)
    _stored: set[Batch] = field(default_factory=set)

    def take_batch(self, batch: StoredBatch) -> None:
        """One stored batch."""
        place = (batch.layout, batch.lane, batch.seq)
        self._stored.add(place)
        seal = self.shown.seals.get(place)
        if seal is not None and seal != batch.seal:
            self.faults.add(
                Proof.SEALS,
                f"batch {batch_name(place)} was published with the seal {seal}, stored is {batch.seal}",
            )
        is_there = seal is not None or place in self.shown.letter_batches
        if batch.publishes and not is_there and self._is_expected((batch.layout, batch.lane), batch.seq):
            self.faults.add(
                Proof.BATCHES, f"batch {batch_name(place)} is applied, but nothing of it is on the topics"
            )

    def take_outcome(self, outcome: StoredOutcome) -> None:
        """One stored outcome."""
        if not self._is_expected((outcome.layout, outcome.lane), outcome.seq):
            return
        seen = self.shown.first_answers.get((outcome.event_partition, outcome.event_offset))
        if seen is None or outcome.wallet_transaction_id not in seen:
            what = "has no result on the topic" if seen is None else f"was published as {seen[0]}"
            self.faults.add(
                Proof.FIRST_PUBLISHED,
                f"the outcome of {outcome.provider}/{outcome.transaction_id} (event {outcome.event_partition}@"
                f"{outcome.event_offset}, wallet transaction {outcome.wallet_transaction_id}) {what}",
            )

    def finish(self) -> Faults:
        """All faults: those that the topics show by themselves, and those of the comparison."""
        for unknown in sorted((self.shown.seals.keys() | self.shown.letter_batches) - self._stored):
            self.faults.add(
                Proof.SEALS, f"batch {batch_name(unknown)} is on the topics and has no seal in Postgres"
            )
        for sentence in self.shown.broken_sequences():
            self.faults.add(Proof.SEQUENCES, sentence)
        return self.shown.faults.with_those_of(self.faults)

    def _is_expected(self, lane: Lane, seq: int) -> bool:
        return self.floor.get(lane, 1) <= seq <= self.horizon.get(lane, 0)


def compare(shown: ResultsShown, published: Mapping[Lane, int]) -> Comparison:
    """Begin to compare. ``published`` is each lane's ``published_seq`` as it was *before* the ends of the topics were
    read: so far everything must be there, and so must everything below what was seen (a lane publishes in order)."""
    horizon = dict(published)
    for layout, lane, seq in shown.seals.keys() | shown.letter_batches:
        horizon[layout, lane] = max(horizon.get((layout, lane), 0), seq)
    return Comparison(shown, horizon, _floor(shown))


def _floor(shown: ResultsShown) -> dict[Lane, int]:
    """Retention removes the oldest records of a partition: there, only what is newer than its first is expected."""
    floor: dict[Lane, int] = {}
    for (topic, partition, layout, lane), oldest in shown.oldest.items():
        if (topic, partition) in shown.truncated:
            floor[layout, lane] = max(floor.get((layout, lane), 1), oldest + 1)
    return floor
