"""What the topics show against what Postgres stores, batch by batch: outcomes published, none missing, seals as stored.

Pure: it is fed batches in the order (layout, lane, seq), each with what was shown and what is stored of it, and names
faults. It remembers nothing of a batch that is as it must be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from processor.ops.results_shown import Batch, Faults, Proof, Shown, batch_name

Lane = tuple[int, int]  # layout, lane


class StoredOutcome(NamedTuple):
    """One decided transaction id, as Postgres has it; ``player`` and ``sequence`` are what a repair asks for."""

    event_partition: int
    event_offset: int
    provider: str
    transaction_id: str
    wallet_transaction_id: str
    player: int = 0
    sequence: int = 0


class StoredBatch(NamedTuple):
    """One batch, as Postgres has it: its seal, its outcomes, and the partitions of its dead letters."""

    name: Batch
    seal: str
    outcomes: Sequence[StoredOutcome]
    letter_partitions: Sequence[int] = ()


class Missing(NamedTuple):
    """A stored outcome without its first result: what a repair renders again."""

    name: Batch
    outcome: StoredOutcome


@dataclass(slots=True)
class Comparison:
    """One comparison: `take` every batch in order, then `finish`.

    ``published`` is each lane's ``published_seq`` as it was before the ends of the topics were read: up to there all
    must have been seen; and so must everything below a batch that was seen (a lane publishes in order). ``oldest`` is
    the first batch that a truncated (topic, partition) still has, None where it has none: what is not newer is not
    expected.
    """

    results_topic: str
    letters_topic: str
    published: Mapping[Lane, int]
    oldest: Mapping[tuple[str, int], Batch | None] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    missing: list[Missing] = field(default_factory=list)
    batches: int = 0
    outcomes: int = 0
    _repaired: set[str] = field(default_factory=set)
    _silent: list[tuple[Batch, list[str]]] = field(default_factory=list)
    _doubtful: dict[Lane, list[StoredBatch]] = field(default_factory=dict)

    def take(
        self, name: Batch, shown: Sequence[Shown], stored: StoredBatch | None, *, certain: bool = True
    ) -> None:
        """One batch. ``certain``: what was committed before it was read too, so that a gap below it is one."""
        self._repaired.update(one for record in shown if record.repaired for one in record.first_ids)
        if stored is None:
            self.faults.add(
                Proof.SEALS, f"batch {batch_name(name)} is on the topics and has no seal in Postgres"
            )
            return
        self.batches += 1
        self.outcomes += len(stored.outcomes)
        self._seals(name, shown, stored.seal)
        lane = name[:2]
        if shown:
            self._compare(stored, shown)
            for doubtful in self._doubtful.pop(lane, ()) if certain else ():
                self._compare(doubtful, ())
        elif name[2] <= self.published.get(lane, 0):
            self._compare(stored, ())
        else:
            self._doubtful.setdefault(lane, []).append(stored)

    def finish(self) -> None:
        """Say what is missing; what was repaired since is not."""
        self.missing = [
            one for one in self.missing if one.outcome.wallet_transaction_id not in self._repaired
        ]
        for silent, ids in self._silent:
            if not self._repaired.issuperset(ids):
                self._nothing_of(silent)
        for name, outcome in self.missing:
            self.faults.add(
                Proof.FIRST_PUBLISHED,
                f"the outcome of {outcome.provider}/{outcome.transaction_id} (event {outcome.event_partition}@"
                f"{outcome.event_offset}, wallet transaction {outcome.wallet_transaction_id}) of batch "
                f"{batch_name(name)} has no result on the topic",
            )

    def _seals(self, name: Batch, shown: Sequence[Shown], stored: str) -> None:
        for seal in sorted({one.seal for one in shown if one.seal} - {stored}):
            self.faults.add(
                Proof.SEALS,
                f"batch {batch_name(name)} was published with the seal {seal}, stored is {stored}",
            )

    def _compare(self, stored: StoredBatch, shown: Sequence[Shown]) -> None:
        published = {one for record in shown if not record.repaired for one in record.first_ids}
        expected = [
            outcome
            for outcome in stored.outcomes
            if self._is_expected(self.results_topic, outcome.event_partition, stored.name)
        ]
        self.missing += [
            Missing(stored.name, outcome)
            for outcome in expected
            if outcome.wallet_transaction_id not in published
        ]
        letters = [
            one for one in stored.letter_partitions if self._is_expected(self.letters_topic, one, stored.name)
        ]
        if not shown and letters:
            self._nothing_of(stored.name)
        elif not shown and expected:
            self._silent.append((stored.name, [one.wallet_transaction_id for one in expected]))

    def _nothing_of(self, name: Batch) -> None:
        self.faults.add(
            Proof.BATCHES, f"batch {batch_name(name)} is applied, but nothing of it is on the topics"
        )

    def _is_expected(self, topic: str, partition: int, name: Batch) -> bool:
        if (topic, partition) not in self.oldest:
            return True
        oldest = self.oldest[topic, partition]
        return oldest is not None and name > oldest
