"""What the topics show: gathered record by record, with the faults that they show by themselves.

Pure: it is fed the records of the results and dead-letter topics (read_committed, in the order of each partition).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson

from processor.kafka.tailing import TopicRecord

Batch = tuple[int, int, int]  # layout, lane, seq
Place = tuple[int, int]  # partition, offset of the event


class Proof(StrEnum):
    """What is proved; the value is the line that says so when it holds."""

    ONE_ANSWER = "each event position has at most one committed result or dead letter"
    FIRST_PUBLISHED = "each stored outcome has one published result that is no repeat"
    BATCHES = "batch numbers of each lane are published without gap, repeat or disorder"
    SEALS = "published seals are those that are stored"
    SEQUENCES = "each player's results count up without gap, in order"
    READABLE = "every published record names its place and its batch"


@dataclass(slots=True)
class Faults:
    """Faults by proof: how many, and the first in words."""

    counts: Counter[Proof] = field(default_factory=Counter)
    first: dict[Proof, str] = field(default_factory=dict)

    def add(self, proof: Proof, sentence: str) -> None:
        """One more fault."""
        self.counts[proof] += 1
        self.first.setdefault(proof, sentence)

    def with_those_of(self, other: Faults) -> Faults:
        """These and the other's, these first."""
        return Faults(self.counts + other.counts, {**other.first, **self.first})


@dataclass(slots=True)
class _PlayerSeen:
    first: int
    last: int
    count: int
    topic: str
    last_by_partition: dict[int, int]


@dataclass(slots=True)
class ResultsShown:
    """Everything that must be remembered of the two topics.

    ``truncated`` names the (topic, partition) pairs that no longer begin at their first record. ``first_answers`` are
    the wallet transaction ids published for an event that were no repeats (several for a batch's actions).
    """

    truncated: frozenset[tuple[str, int]] = frozenset()
    results: int = 0
    dead_letters: int = 0
    faults: Faults = field(default_factory=Faults)
    first_answers: dict[Place, list[str]] = field(default_factory=dict)
    seals: dict[Batch, str] = field(default_factory=dict)
    letter_batches: set[Batch] = field(default_factory=set)
    oldest: dict[tuple[str, int, int, int], int] = field(default_factory=dict)
    _newest: dict[tuple[str, int, int, int], int] = field(default_factory=dict)
    _answered: dict[int, set[int]] = field(default_factory=dict)
    _players: dict[str, _PlayerSeen] = field(default_factory=dict)

    def take_result(self, record: TopicRecord) -> None:
        """One record of the results topic."""
        self.results += 1
        headers = {name: content or b"" for name, content in record.headers}
        batch, body = parse_batch(headers.get("wallet-batch")), _body(record)
        place = None if body is None else _place(body.get("source"))
        if batch is None or body is None or place is None:
            self.faults.add(Proof.READABLE, f"the result at {_where(record)} names no batch or no source")
            return
        self._answer(place, record)
        self._batch(record, batch)
        self._seal(batch, headers.get("wallet-seal", b"").decode("ascii", "replace"))
        for answer in (body, *(body.get("actions") or ())):
            if not answer.get("replayed") and answer.get("wallet_transaction_id"):
                self.first_answers.setdefault(place, []).append(str(answer["wallet_transaction_id"]))
        self._player(str(body.get("player_id")), int(body.get("sequence") or 0), record)

    def take_dead_letter(self, record: TopicRecord) -> None:
        """One record of the dead-letter topic."""
        self.dead_letters += 1
        headers = {name: content or b"" for name, content in record.headers}
        batch = parse_batch(headers.get("wallet-batch"))
        partition, offset = headers.get("wallet-dlq-partition", b""), headers.get("wallet-dlq-offset", b"")
        if batch is None or not partition.isdigit() or not offset.isdigit():
            self.faults.add(
                Proof.READABLE, f"the dead letter at {_where(record)} names no batch or no origin"
            )
            return
        self._answer((int(partition), int(offset)), record)
        self._batch(record, batch)
        self.letter_batches.add(batch)

    def broken_sequences(self) -> Iterator[str]:
        """A sentence for each player whose sequences have a gap or a repeat so far."""
        for player_id, seen in self._players.items():
            whole = not any((seen.topic, partition) in self.truncated for partition in seen.last_by_partition)
            first = 1 if whole else seen.first
            if seen.last - first + 1 != seen.count:
                yield f"player {player_id} has {seen.count} results with sequences {seen.first} to {seen.last}"

    def _answer(self, place: Place, record: TopicRecord) -> None:
        answered = self._answered.setdefault(place[0], set())
        if place[1] in answered:
            self.faults.add(
                Proof.ONE_ANSWER,
                f"the event {place[0]}@{place[1]} has a second committed answer at {_where(record)}",
            )
        answered.add(place[1])

    def _batch(self, record: TopicRecord, batch: Batch) -> None:
        layout, lane, seq = batch
        stream = (record.topic, record.partition, layout, lane)
        newest = self._newest.get(stream, 0)
        if seq < newest:
            self.faults.add(
                Proof.BATCHES,
                f"batch {batch_name(batch)} is at {_where(record)}, after batch {newest} of its lane",
            )
            return
        self._newest[stream] = seq
        self.oldest.setdefault(stream, seq)

    def _seal(self, batch: Batch, seal: str) -> None:
        known = self.seals.setdefault(batch, seal)
        if known != seal:
            self.faults.add(
                Proof.SEALS, f"batch {batch_name(batch)} was published with two seals, {known} and {seal}"
            )

    def _player(self, player_id: str, sequence: int, record: TopicRecord) -> None:
        seen, partition = self._players.get(player_id), record.partition
        if seen is None:
            places = {partition: sequence}
            self._players[player_id] = _PlayerSeen(sequence, sequence, 1, record.topic, places)
            return
        before = seen.last_by_partition.get(partition, 0)
        if sequence <= before:
            self.faults.add(
                Proof.SEQUENCES,
                f"player {player_id}'s result at {_where(record)} has sequence {sequence}, after {before}",
            )
        seen.last_by_partition[partition] = sequence
        seen.first, seen.last = min(seen.first, sequence), max(seen.last, sequence)
        seen.count += 1


def parse_batch(header: bytes | None) -> Batch | None:
    """``layout/lane/seq`` of a ``wallet-batch`` header; None where it is no such thing."""
    parts = (header or b"").split(b"/")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        return None
    return int(parts[0]), int(parts[1]), int(parts[2])


def batch_name(batch: Batch) -> str:
    """``layout/lane/seq``."""
    return "/".join(str(part) for part in batch)


def _body(record: TopicRecord) -> dict[str, Any] | None:
    try:
        body = orjson.loads(record.value or b"")
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None


def _place(source: object) -> Place | None:
    if not isinstance(source, dict):
        return None
    partition, offset = source.get("partition"), source.get("offset")
    return (partition, offset) if isinstance(partition, int) and isinstance(offset, int) else None


def _where(record: TopicRecord) -> str:
    return f"{record.topic} {record.partition}@{record.offset}"
