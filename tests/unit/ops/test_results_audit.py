"""The results audit finds each kind of fault on the topics, and nothing where there is none."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson
import pytest

from processor.ops.results_audit import StoredBatch, StoredOutcome, compare
from processor.ops.results_shown import Proof, ResultsShown, parse_batch

RESULTS, LETTERS = "wallet.results", "wallet.dead-letters"


class Record(NamedTuple):
    """A record as the topic reader gives it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


def result(
    offset: int,
    *,
    seq: int,
    sequence: int,
    player: str = "p",
    event_offset: int | None = None,
    partition: int = 0,
    lane: int = 0,
    **changes: Any,
) -> Record:
    event = offset if event_offset is None else event_offset
    body = {
        "player_id": player,
        "sequence": sequence,
        "replayed": False,
        "wallet_transaction_id": f"w-{partition}-{event}",
        "source": {"topic": "wallet.events", "partition": partition, "offset": event},
        **changes,
    }
    headers: list[tuple[str, bytes | None]] = [
        ("wallet-batch", f"1/{lane}/{seq}".encode()),
        ("wallet-seal", f"seal-{lane}-{seq}".encode()),
    ]
    return Record(RESULTS, partition, offset, 0, player.encode(), orjson.dumps(body), headers)


def letter(offset: int, *, seq: int, event_offset: int, partition: int = 0, lane: int = 0) -> Record:
    headers: list[tuple[str, bytes | None]] = [
        ("wallet-batch", f"1/{lane}/{seq}".encode()),
        ("wallet-dlq-partition", str(partition).encode()),
        ("wallet-dlq-offset", str(event_offset).encode()),
    ]
    return Record(LETTERS, partition, offset, 0, b"p", b"junk", headers)


def outcome(event_offset: int, *, seq: int, partition: int = 0, lane: int = 0) -> StoredOutcome:
    return StoredOutcome(
        1, lane, seq, partition, event_offset, "acme", f"t-{event_offset}", f"w-{partition}-{event_offset}"
    )


def batch(seq: int, *, publishes: int = 1, lane: int = 0) -> StoredBatch:
    return StoredBatch(1, lane, seq, f"seal-{lane}-{seq}", publishes)


def audited(
    records: list[Record],
    batches: list[StoredBatch],
    outcomes: list[StoredOutcome],
    *,
    published: int = 0,
    truncated: frozenset[tuple[str, int]] = frozenset(),
) -> dict[Proof, str]:
    shown = ResultsShown(truncated)
    for record in records:
        (shown.take_result if record.topic == RESULTS else shown.take_dead_letter)(record)
    comparison = compare(shown, {(1, 0): published})
    for stored in batches:
        comparison.take_batch(stored)
    for decided in outcomes:
        comparison.take_outcome(decided)
    return comparison.finish().first


SOUND = [
    result(0, seq=1, sequence=1),
    result(1, seq=1, sequence=2),
    letter(0, seq=2, event_offset=2),
    result(2, seq=3, sequence=3, event_offset=3),
]
BATCHES = [batch(1, publishes=2), batch(2), batch(3)]
OUTCOMES = [outcome(0, seq=1), outcome(1, seq=1), outcome(3, seq=3)]


def test_sound_topics_have_no_faults() -> None:
    assert audited(SOUND, BATCHES, OUTCOMES, published=3) == {}


def test_two_committed_answers_to_one_event_are_found() -> None:
    found = audited([*SOUND, result(3, seq=4, sequence=4, event_offset=3)], [*BATCHES, batch(4)], OUTCOMES)
    assert "0@3 has a second committed answer" in found[Proof.ONE_ANSWER]


def test_a_result_and_a_dead_letter_for_one_event_are_found() -> None:
    found = audited([*SOUND, letter(1, seq=4, event_offset=3)], [*BATCHES, batch(4)], OUTCOMES)
    assert Proof.ONE_ANSWER in found


def test_a_stored_outcome_without_its_result_is_found_and_named() -> None:
    found = audited(SOUND[:1], BATCHES[:1], OUTCOMES[:2], published=1)
    assert set(found) == {Proof.FIRST_PUBLISHED}
    assert "acme/t-1" in found[Proof.FIRST_PUBLISHED]


def test_a_repeat_does_not_stand_for_the_first_result() -> None:
    found = audited([result(0, seq=1, sequence=1, replayed=True)], BATCHES[:1], [outcome(0, seq=1)])
    assert Proof.FIRST_PUBLISHED in found


def test_another_wallet_transaction_than_the_stored_one_is_found() -> None:
    found = audited([result(0, seq=1, sequence=1, wallet_transaction_id="w-x")], BATCHES[:1], OUTCOMES[:1])
    assert "was published as w-x" in found[Proof.FIRST_PUBLISHED]


def test_what_is_not_yet_published_is_not_missed() -> None:
    later = [*OUTCOMES, outcome(9, seq=4)]
    assert audited(SOUND, [*BATCHES, batch(4)], later, published=3) == {}


def test_a_batch_that_is_published_for_postgres_but_not_on_the_topics_is_found() -> None:
    found = audited(SOUND, [*BATCHES, batch(4)], OUTCOMES, published=4)
    assert "1/0/4" in found[Proof.BATCHES]


def test_a_gap_below_what_was_seen_is_found() -> None:
    records = [SOUND[0], SOUND[1], result(2, seq=3, sequence=3, event_offset=3)]
    assert "1/0/2" in audited(records, BATCHES, OUTCOMES)[Proof.BATCHES]


def test_a_batch_that_published_nothing_is_no_gap() -> None:
    records = [SOUND[0], SOUND[1], result(2, seq=3, sequence=3, event_offset=3)]
    assert audited(records, [batch(1), batch(2, publishes=0), batch(3)], OUTCOMES) == {}


def test_batches_out_of_order_are_found() -> None:
    records = [result(0, seq=2, sequence=1), result(1, seq=1, sequence=2)]
    assert "after batch 2" in audited(records, [batch(1), batch(2)], [])[Proof.BATCHES]


def test_a_seal_that_differs_is_found() -> None:
    found = audited(SOUND, [BATCHES[0]._replace(seal="forged"), *BATCHES[1:]], OUTCOMES)
    assert "stored is forged" in found[Proof.SEALS]


def test_a_batch_without_a_seal_in_postgres_is_found() -> None:
    found = audited(SOUND, [BATCHES[0], BATCHES[2]], OUTCOMES)
    assert "1/0/2 is on the topics and has no seal" in found[Proof.SEALS]


@pytest.mark.parametrize("sequences", [[1, 3], [2, 3], [1, 1], [2, 1], [1, 2, 2]])
def test_a_players_sequence_with_a_gap_a_repeat_or_disorder_is_found(sequences: list[int]) -> None:
    records = [result(at, seq=at + 1, sequence=sequence) for at, sequence in enumerate(sequences)]
    found = audited(records, [batch(at + 1) for at in range(len(sequences))], [])
    assert "player p" in found[Proof.SEQUENCES]


def test_what_retention_removed_is_not_missed() -> None:
    records = [result(10, seq=8, sequence=4), result(11, seq=9, sequence=5)]
    batches = [batch(seq) for seq in range(1, 10)]
    outcomes = [outcome(at, seq=1) for at in range(8)] + [outcome(10, seq=8), outcome(11, seq=9)]
    assert audited(records, batches, outcomes, truncated=frozenset({(RESULTS, 0)})) == {}


def test_a_record_without_its_place_is_found() -> None:
    bare = Record(RESULTS, 0, 0, 0, b"p", b"{}", [])
    assert "wallet.results 0@0" in audited([bare], [], [])[Proof.READABLE]


def test_lanes_count_on_their_own() -> None:
    records = [
        result(0, seq=1, sequence=1),
        result(0, seq=1, sequence=1, partition=1, lane=1, player="q"),
        result(1, seq=2, sequence=2),
    ]
    outcomes = [outcome(0, seq=1), outcome(0, seq=1, partition=1, lane=1), outcome(1, seq=2)]
    assert audited(records, [batch(1), batch(2), batch(1, lane=1)], outcomes) == {}


@pytest.mark.parametrize("header", [None, b"", b"1/2", b"1/2/x", b"1/2/3/4"])
def test_a_header_that_is_no_batch_is_none(header: bytes | None) -> None:
    assert parse_batch(header) is None


def test_what_was_missing_may_come_later_and_heals() -> None:
    shown = ResultsShown()
    for record in SOUND[:3]:
        (shown.take_result if record.topic == RESULTS else shown.take_dead_letter)(record)
    early = compare(shown, {(1, 0): 3})
    early.take_batch(BATCHES[2])
    assert Proof.BATCHES in early.finish().first
    shown.take_result(SOUND[3])
    late = compare(shown, {(1, 0): 3})
    for stored in BATCHES:
        late.take_batch(stored)
    assert late.finish().first == {}


def test_actions_of_a_batch_are_published_inside_its_result() -> None:
    actions = [
        {"wallet_transaction_id": "w-a", "replayed": False},
        {"wallet_transaction_id": "w-b", "replayed": True},
    ]
    records = [result(0, seq=1, sequence=1, actions=actions)]
    first = [outcome(0, seq=1), outcome(0, seq=1)._replace(wallet_transaction_id="w-a")]
    assert audited(records, BATCHES[:1], first) == {}
    repeat = outcome(0, seq=1)._replace(wallet_transaction_id="w-b")
    assert Proof.FIRST_PUBLISHED in audited(records, BATCHES[:1], [repeat])
