"""What the topics must show: one answer per event, each stored outcome published once, batches and players in order.

Pure: it is fed the records of the results and dead-letter topics (read_committed, in the order of each partition)
and what Postgres stores, and names faults. Nothing here reads a topic or a database.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from processor.kafka.tailing import TopicRecord


class Proof(StrEnum):
    """What is proved, and the line that says so when it holds."""

    ONE_ANSWER = "each event position has at most one committed result or dead letter"
    FIRST_PUBLISHED = "each stored outcome has one published result that is no repeat"
    BATCHES = "batch numbers of each lane are published without gap, repeat or disorder"
    SEALS = "published seals are those that are stored"
    SEQUENCES = "each player's results count up without gap, in order"
    READABLE = "every published record names its place and its batch"


Lane = tuple[int, int]  # layout, lane
Place = tuple[int, int]  # partition, offset of the event


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
class _PlayerSeen:
    first: int
    last: int
    count: int
    topic: str
    last_by_partition: dict[int, int]


@dataclass(slots=True)
class ResultsAudit:
    """Gathers what the topics show and compares it with what is stored. Faults are kept by proof: how many there
    are, and the first in words.

    ``truncated`` names the (topic, partition) pairs that no longer begin at their first record.
    """

    truncated: frozenset[tuple[str, int]] = frozenset()
    results: int = 0
    dead_letters: int = 0
    fault_counts: Counter[Proof] = field(default_factory=Counter)
    first_faults: dict[Proof, str] = field(default_factory=dict)
    _answered: dict[int, set[int]] = field(default_factory=dict)
    _first_answers: dict[Place, str] = field(default_factory=dict)
    _seals: dict[tuple[int, int, int], str] = field(default_factory=dict)
    _letter_batches: set[tuple[int, int, int]] = field(default_factory=set)
    _newest: dict[tuple[str, int, int, int], int] = field(default_factory=dict)
    _oldest: dict[tuple[str, int, int, int], int] = field(default_factory=dict)
    _players: dict[str, _PlayerSeen] = field(default_factory=dict)

    def take_result(self, record: TopicRecord) -> None:
        """One record of the results topic."""
        self.results += 1
        headers = {name: content or b"" for name, content in record.headers}
        batch = parse_batch(headers.get("wallet-batch"))
        body = _body(record)
        source = body.get("source") if body else None
        if batch is None or body is None or not isinstance(source, dict):
            self._fault(Proof.READABLE, f"the result at {_where(record)} names no batch or no source")
            return
        place = (int(source["partition"]), int(source["offset"]))
        self._answer(place, record)
        self._batch(record, batch)
        seal = headers.get("wallet-seal", b"").decode("ascii", "replace")
        known = self._seals.setdefault(batch, seal)
        if known != seal:
            self._fault(Proof.SEALS, f"batch {_name(batch)} was published with two seals, {known} and {seal}")
        if not body.get("replayed") and body.get("wallet_transaction_id"):
            self._first_answers[place] = str(body["wallet_transaction_id"])
        self._player(str(body.get("player_id")), int(body.get("sequence") or 0), record)

    def take_dead_letter(self, record: TopicRecord) -> None:
        """One record of the dead-letter topic."""
        self.dead_letters += 1
        headers = {name: content or b"" for name, content in record.headers}
        batch = parse_batch(headers.get("wallet-batch"))
        partition, offset = headers.get("wallet-dlq-partition", b""), headers.get("wallet-dlq-offset", b"")
        if batch is None or not partition.isdigit() or not offset.isdigit():
            self._fault(Proof.READABLE, f"the dead letter at {_where(record)} names no batch or no origin")
            return
        self._answer((int(partition), int(offset)), record)
        self._batch(record, batch)
        self._letter_batches.add(batch)

    def compare(
        self, batches: Iterable[StoredBatch], outcomes: Iterable[StoredOutcome], published: Mapping[Lane, int]
    ) -> None:
        """Compare with what is stored. ``published`` is each lane's ``published_seq`` as it was *before* the ends of
        the topics were read: so far everything must be there."""
        horizon = self._horizon(published)
        floor = self._floor()
        stored: set[tuple[int, int, int]] = set()
        for batch in batches:
            self._compare_batch(batch, horizon, floor)
            stored.add((batch.layout, batch.lane, batch.seq))
        for unknown in (self._seals.keys() | self._letter_batches) - stored:
            self._fault(Proof.SEALS, f"batch {_name(unknown)} is on the topics and has no seal in Postgres")
        for outcome in outcomes:
            self._compare_outcome(outcome, horizon, floor)
        self._compare_players()

    def _horizon(self, published: Mapping[Lane, int]) -> dict[Lane, int]:
        """Up to which batch of each lane everything must have been seen: what Postgres knows to be published, and
        what lies below anything seen (a lane publishes in order)."""
        horizon = dict(published)
        for layout, lane, seq in self._seals.keys() | self._letter_batches:
            horizon[layout, lane] = max(horizon.get((layout, lane), 0), seq)
        return horizon

    def _floor(self) -> dict[Lane, int]:
        """From which batch of each lane on everything must be seen: retention removes the oldest of a partition."""
        floor: dict[Lane, int] = {}
        for (topic, partition, layout, lane), oldest in self._oldest.items():
            if (topic, partition) in self.truncated:
                floor[layout, lane] = max(floor.get((layout, lane), 1), oldest + 1)
        return floor

    def _compare_batch(
        self, batch: StoredBatch, horizon: Mapping[Lane, int], floor: Mapping[Lane, int]
    ) -> None:
        place, lane = (batch.layout, batch.lane, batch.seq), (batch.layout, batch.lane)
        seal = self._seals.get(place)
        if seal is not None and seal != batch.seal:
            self._fault(
                Proof.SEALS,
                f"batch {_name(place)} was published with the seal {seal}, stored is {batch.seal}",
            )
        expected = floor.get(lane, 1) <= batch.seq <= horizon.get(lane, 0)
        if expected and batch.publishes and seal is None and place not in self._letter_batches:
            self._fault(Proof.BATCHES, f"batch {_name(place)} is applied, but nothing of it is on the topics")

    def _compare_outcome(
        self, outcome: StoredOutcome, horizon: Mapping[Lane, int], floor: Mapping[Lane, int]
    ) -> None:
        lane = (outcome.layout, outcome.lane)
        if not floor.get(lane, 1) <= outcome.seq <= horizon.get(lane, 0):
            return
        seen = self._first_answers.get((outcome.event_partition, outcome.event_offset))
        if seen != outcome.wallet_transaction_id:
            what = "has no result on the topic" if seen is None else f"was published as {seen}"
            self._fault(
                Proof.FIRST_PUBLISHED,
                f"the outcome of {outcome.provider}/{outcome.transaction_id} (event {outcome.event_partition}@"
                f"{outcome.event_offset}, wallet transaction {outcome.wallet_transaction_id}) {what}",
            )

    def _compare_players(self) -> None:
        for player_id, seen in self._players.items():
            complete = not any(
                (seen.topic, partition) in self.truncated for partition in seen.last_by_partition
            )
            first = 1 if complete else seen.first
            if seen.last - first + 1 != seen.count:
                self._fault(
                    Proof.SEQUENCES,
                    f"player {player_id} has {seen.count} results with sequences {seen.first} to {seen.last}",
                )

    def _answer(self, place: Place, record: TopicRecord) -> None:
        answered = self._answered.setdefault(place[0], set())
        if place[1] in answered:
            self._fault(
                Proof.ONE_ANSWER,
                f"the event {place[0]}@{place[1]} has a second committed answer at {_where(record)}",
            )
        answered.add(place[1])

    def _batch(self, record: TopicRecord, batch: tuple[int, int, int]) -> None:
        layout, lane, seq = batch
        stream = (record.topic, record.partition, layout, lane)
        newest = self._newest.get(stream, 0)
        if seq < newest:
            self._fault(
                Proof.BATCHES,
                f"batch {_name(batch)} is at {_where(record)}, after batch {newest} of its lane",
            )
            return
        self._newest[stream] = seq
        self._oldest.setdefault(stream, seq)

    def _player(self, player_id: str, sequence: int, record: TopicRecord) -> None:
        partition = record.partition
        seen = self._players.get(player_id)
        if seen is None:
            self._players[player_id] = _PlayerSeen(sequence, sequence, 1, record.topic, {partition: sequence})
            return
        if sequence <= seen.last_by_partition.get(partition, 0):
            self._fault(
                Proof.SEQUENCES,
                f"player {player_id}'s result at {_where(record)} has sequence {sequence}, "
                f"after {seen.last_by_partition[partition]}",
            )
        seen.last_by_partition[partition] = sequence
        seen.first, seen.last = min(seen.first, sequence), max(seen.last, sequence)
        seen.count += 1

    def _fault(self, proof: Proof, sentence: str) -> None:
        self.fault_counts[proof] += 1
        self.first_faults.setdefault(proof, sentence)


def parse_batch(header: bytes | None) -> tuple[int, int, int] | None:
    """``layout/lane/seq`` of a ``wallet-batch`` header; None where it is no such thing."""
    parts = (header or b"").split(b"/")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        return None
    return int(parts[0]), int(parts[1]), int(parts[2])


def _body(record: TopicRecord) -> dict[str, Any] | None:
    try:
        body = orjson.loads(record.value or b"")
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None


def _where(record: TopicRecord) -> str:
    return f"{record.topic} {record.partition}@{record.offset}"


def _name(batch: tuple[int, int, int]) -> str:
    return "/".join(str(part) for part in batch)
