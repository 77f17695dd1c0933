"""What the topics show by themselves, record by record: one answer per event, batches in order, sequences without gap.

Pure: it is fed the records of the results and dead-letter topics in the order of their batches (layout, lane, seq). Of
an event it remembers one bit; of a player, how far his results have counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from processor.kafka.tailing import TopicRecord
from processor.lane.work import REPAIRED

Batch = tuple[int, int, int]  # layout, lane, seq
Place = tuple[int, int]  # partition, offset of the event

_PAGE_BITS = 16


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


class Shown(NamedTuple):
    """One published record, taken apart: whose answer it is, of which batch, and what it says."""

    batch: Batch
    place: Place
    is_letter: bool
    seal: str
    first_ids: tuple[str, ...]
    repaired: bool
    player_id: str
    sequence: int


@dataclass(slots=True)
class TopicsShown:
    """What must be remembered of the two topics while they are read.

    ``truncated`` names the (topic, partition) pairs that no longer begin at their first record; ``generations`` tells
    for each layout which events topic its positions are of; ``gaps`` are batches that a person accepted as no longer
    true: lane to (after, up to).
    """

    results_topic: str
    truncated: Collection[tuple[str, int]] = ()
    generations: Mapping[int, int] = field(default_factory=dict)
    gaps: Mapping[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    results: int = 0
    dead_letters: int = 0
    faults: Faults = field(default_factory=Faults)
    _answered: dict[tuple[int, int, int], bytearray] = field(default_factory=dict)
    _newest: dict[tuple[str, int, int, int], int] = field(default_factory=dict)
    _players: dict[str, _PlayerSeen] = field(default_factory=dict)

    def take(self, record: TopicRecord) -> Shown | None:
        """One record; None where it is of no use for a comparison: unreadable, of an accepted gap, or late."""
        is_letter = record.topic != self.results_topic
        if is_letter:
            self.dead_letters += 1
        else:
            self.results += 1
        shown = _letter(record) if is_letter else _result(record)
        if shown is None:
            kind, lacks = ("dead letter", "origin") if is_letter else ("result", "source")
            self.faults.add(Proof.READABLE, f"the {kind} at {where(record)} names no batch or no {lacks}")
            return None
        if self._in_gap(shown.batch):
            return None
        self._answer(shown, record)
        if not is_letter:
            self._player(shown, record)
        return shown if self._in_order(shown.batch, record) else None

    def finish(self) -> None:
        """Faults that only show at the end."""
        for sentence in self._broken_sequences():
            self.faults.add(Proof.SEQUENCES, sentence)

    def _in_gap(self, batch: Batch) -> bool:
        after, up_to = self.gaps.get(batch[:2], (0, 0))
        return after < batch[2] <= up_to

    def _answer(self, shown: Shown, record: TopicRecord) -> None:
        partition, offset = shown.place
        generation = self.generations.get(shown.batch[0], 0)
        page = self._answered.get((generation, partition, offset >> _PAGE_BITS))
        if page is None:
            page = self._answered[generation, partition, offset >> _PAGE_BITS] = bytearray(
                1 << _PAGE_BITS - 3
            )
        byte, bit = (offset & (1 << _PAGE_BITS) - 1) >> 3, 1 << (offset & 7)
        if page[byte] & bit:
            self.faults.add(
                Proof.ONE_ANSWER,
                f"the event {partition}@{offset} has a second committed answer at {where(record)}",
            )
        page[byte] |= bit

    def _in_order(self, batch: Batch, record: TopicRecord) -> bool:
        layout, lane, seq = batch
        stream = (record.topic, record.partition, layout, lane)
        newest = self._newest.get(stream, 0)
        if seq < newest:
            self.faults.add(
                Proof.BATCHES,
                f"batch {batch_name(batch)} is at {where(record)}, after batch {newest} of its lane",
            )
            return False
        self._newest[stream] = seq
        return True

    def _player(self, shown: Shown, record: TopicRecord) -> None:
        player_id, sequence, partition = shown.player_id, shown.sequence, record.partition
        seen = self._players.get(player_id)
        if seen is None:
            before_it = 0 if shown.repaired else sequence
            self._players[player_id] = _PlayerSeen(sequence, sequence, 1, {partition: before_it})
            return
        before = seen.last_by_partition.get(partition, 0)
        if shown.repaired:
            seen.first, seen.last = min(seen.first, sequence), max(seen.last, sequence)
            seen.count += 1
            return
        if sequence <= before:
            self.faults.add(
                Proof.SEQUENCES,
                f"player {player_id}'s result at {where(record)} has sequence {sequence}, after {before}",
            )
        seen.last_by_partition[partition] = sequence
        seen.first, seen.last = min(seen.first, sequence), max(seen.last, sequence)
        seen.count += 1

    def _broken_sequences(self) -> Iterator[str]:
        begun_elsewhere = self._begun_elsewhere()
        for player_id, seen in self._players.items():
            truncated = begun_elsewhere or any(
                (self.results_topic, one) in self.truncated for one in seen.last_by_partition
            )
            first = seen.first if truncated else 1
            if seen.last - first + 1 != seen.count:
                yield f"player {player_id} has {seen.count} results with sequences {seen.first} to {seen.last}"

    def _begun_elsewhere(self) -> bool:
        """Whether the installation came from another cluster, and its first results did not come along."""
        shown = {generation for generation, _, _ in self._answered}
        return bool(shown) and min(shown) > min(self.generations.values(), default=0)


@dataclass(slots=True)
class _PlayerSeen:
    first: int
    last: int
    count: int
    last_by_partition: dict[int, int]


def batch_of(record: TopicRecord) -> Batch | None:
    """The batch that a record says it is of: what the two topics are read in the order of."""
    return parse_batch(next((content for name, content in record.headers if name == "wallet-batch"), None))


def parse_batch(header: bytes | None) -> Batch | None:
    """``layout/lane/seq`` of a ``wallet-batch`` header; None where it is no such thing."""
    parts = (header or b"").split(b"/")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        return None
    return int(parts[0]), int(parts[1]), int(parts[2])


def batch_name(batch: Batch) -> str:
    """``layout/lane/seq``."""
    return "/".join(str(part) for part in batch)


def where(record: TopicRecord) -> str:
    """Where a record is, for a person."""
    return f"{record.topic} {record.partition}@{record.offset}"


def _result(record: TopicRecord) -> Shown | None:
    headers = {name: content or b"" for name, content in record.headers}
    batch, body = parse_batch(headers.get("wallet-batch")), _body(record)
    place = None if body is None else _place(body.get("source"))
    if batch is None or body is None or place is None:
        return None
    first_ids = tuple(
        str(answer["wallet_transaction_id"])
        for answer in (body, *(body.get("actions") or ()))
        if not answer.get("replayed") and answer.get("wallet_transaction_id")
    )
    repaired = REPAIRED in headers
    seal = "" if repaired else headers.get("wallet-seal", b"").decode("ascii", "replace")
    player_id, sequence = str(body.get("player_id")), int(body.get("sequence") or 0)
    return Shown(batch, place, False, seal, first_ids, repaired, player_id, sequence)


def _letter(record: TopicRecord) -> Shown | None:
    headers = {name: content or b"" for name, content in record.headers}
    batch = parse_batch(headers.get("wallet-batch"))
    partition, offset = headers.get("wallet-dlq-partition", b""), headers.get("wallet-dlq-offset", b"")
    if batch is None or not partition.isdigit() or not offset.isdigit():
        return None
    return Shown(batch, (int(partition), int(offset)), True, "", (), False, "", 0)


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
    return (
        (partition, offset)
        if isinstance(partition, int) and isinstance(offset, int) and offset >= 0
        else None
    )
