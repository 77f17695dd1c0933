"""The results audit finds each kind of fault on the topics, and nothing where there is none."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson
import pytest

from processor.lane.work import REPAIRED
from processor.ops.results_audit import Comparison, StoredBatch, StoredOutcome
from processor.ops.results_shown import (
    Batch,
    Faults,
    Proof,
    Shown,
    TopicsShown,
    batch_of,
    parse_batch,
)

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


def repaired(record: Record) -> Record:
    return record._replace(headers=[*record.headers, (REPAIRED, b"1")])


def outcome(event_offset: int, *, seq: int, partition: int = 0, lane: int = 0) -> tuple[Batch, StoredOutcome]:
    found = StoredOutcome(
        partition, event_offset, "acme", f"t-{event_offset}", f"w-{partition}-{event_offset}"
    )
    return (1, lane, seq), found


def batch(seq: int, *, letters: int = 0, lane: int = 0) -> StoredBatch:
    return StoredBatch((1, lane, seq), f"seal-{lane}-{seq}", [], [0] * letters)


def audited(
    records: list[Record],
    batches: list[StoredBatch],
    outcomes: list[tuple[Batch, StoredOutcome]],
    *,
    published: int = 0,
    oldest: dict[tuple[str, int], Batch | None] | None = None,
    gaps: dict[tuple[int, int], tuple[int, int]] | None = None,
    generations: dict[int, int] | None = None,
) -> dict[Proof, str]:
    """Everything by batches, as `topics_proof` feeds it."""
    faults = Faults()
    shown = TopicsShown(RESULTS, frozenset(oldest or {}), generations or {}, gaps or {}, faults=faults)
    groups: dict[Batch, list[Shown]] = {}
    for record in sorted(records, key=lambda one: (one.topic, one.partition, one.offset)):
        taken = shown.take(record)
        if taken is not None:
            groups.setdefault(taken.batch, []).append(taken)
    stored = {
        one.name: one._replace(outcomes=[each for name, each in outcomes if name == one.name])
        for one in batches
    }
    comparison = Comparison(RESULTS, LETTERS, {(1, 0): published}, oldest or {}, faults)
    for name in sorted(groups.keys() | stored.keys()):
        comparison.take(name, groups.get(name, []), stored.get(name))
    comparison.finish()
    shown.finish()
    return faults.first


SOUND = [
    result(0, seq=1, sequence=1),
    result(1, seq=1, sequence=2),
    letter(0, seq=2, event_offset=2),
    result(2, seq=3, sequence=3, event_offset=3),
]
BATCHES = [batch(1), batch(2, letters=1), batch(3)]
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
    assert "wallet transaction w-0-0" in found[Proof.FIRST_PUBLISHED]


def test_what_is_not_yet_published_is_not_missed() -> None:
    later = [*OUTCOMES, outcome(9, seq=4)]
    assert audited(SOUND, [*BATCHES, batch(4)], later, published=3) == {}
    assert Proof.FIRST_PUBLISHED in audited(SOUND, [*BATCHES, batch(4)], later, published=4)


def test_a_batch_that_is_published_for_postgres_but_not_on_the_topics_is_found() -> None:
    found = audited(SOUND, [*BATCHES, batch(4, letters=1)], OUTCOMES, published=4)
    assert "1/0/4" in found[Proof.BATCHES]


def test_a_gap_below_what_was_seen_is_found() -> None:
    records = [SOUND[0], SOUND[1], result(2, seq=3, sequence=3, event_offset=3)]
    assert "1/0/2" in audited(records, BATCHES, OUTCOMES)[Proof.BATCHES]


def test_a_batch_that_published_nothing_is_no_gap() -> None:
    records = [SOUND[0], SOUND[1], result(2, seq=3, sequence=3, event_offset=3)]
    assert audited(records, [batch(1), batch(2), batch(3)], OUTCOMES) == {}


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
    assert audited(records, batches, outcomes, published=9, oldest={(RESULTS, 0): (1, 0, 8)}) == {}
    assert audited([], batches, outcomes, published=9, oldest={(RESULTS, 0): None}) == {}


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


def test_a_result_that_was_repaired_stands_for_the_first_one() -> None:
    records = [SOUND[1], repaired(result(2, seq=2, sequence=1, event_offset=0))]
    assert audited(records, [batch(1), batch(2)], OUTCOMES[:2], published=2) == {}
    alone = [repaired(result(2, seq=2, sequence=1, event_offset=0))]
    assert audited(alone, [batch(1), batch(2)], OUTCOMES[:1], published=2) == {}
    twice = [*SOUND[:2], repaired(result(2, seq=2, sequence=1, event_offset=0))]
    assert Proof.ONE_ANSWER in audited(twice, [batch(1), batch(2)], OUTCOMES[:2])


def test_batches_of_an_accepted_gap_are_passed_over() -> None:
    lost = [result(2, seq=9, sequence=3, event_offset=2), result(3, seq=10, sequence=4, event_offset=3)]
    assert Proof.SEALS in audited([*SOUND[:2], *lost], [batch(1)], OUTCOMES[:2])
    assert audited([*SOUND[:2], *lost], [batch(1)], OUTCOMES[:2], gaps={(1, 0): (8, 10)}) == {}


def test_positions_of_another_events_topic_are_other_positions() -> None:
    later = result(2, seq=1, sequence=3, event_offset=0, wallet_transaction_id="w-later")
    later.headers[0] = ("wallet-batch", b"2/0/1")
    other = StoredBatch((2, 0, 1), "seal-0-1", [])
    assert Proof.ONE_ANSWER in audited([*SOUND[:2], later], [batch(1), other], OUTCOMES[:2])
    assert audited([*SOUND[:2], later], [batch(1), other], OUTCOMES[:2], generations={1: 0, 2: 1}) == {}


def test_what_was_told_on_another_cluster_is_no_hole_in_a_players_results() -> None:
    here = result(0, seq=1, sequence=9, event_offset=0, wallet_transaction_id="w-here")
    here.headers[0] = ("wallet-batch", b"2/0/1")
    other = StoredBatch((2, 0, 1), "seal-0-1", [])
    assert Proof.SEQUENCES in audited([here], [batch(1), other], [], generations={1: 0, 2: 0})
    assert audited([here], [batch(1), other], [], generations={1: 0, 2: 1}) == {}
    gone = result(1, seq=2, sequence=11, event_offset=1, wallet_transaction_id="w-gone")
    gone.headers[0] = ("wallet-batch", b"2/0/1")
    assert Proof.SEQUENCES in audited([here, gone], [batch(1), other], [], generations={1: 0, 2: 1})


def test_a_gap_below_a_batch_that_was_read_late_is_not_certain() -> None:
    comparison = Comparison(RESULTS, LETTERS, {(1, 0): 1})
    comparison.take((1, 0, 2), [], batch(2, letters=1))
    shown = TopicsShown(RESULTS).take(result(0, seq=3, sequence=1))
    assert shown is not None
    comparison.take((1, 0, 3), [shown], batch(3), certain=False)
    comparison.finish()
    assert comparison.faults.first == {}
    comparison.take((1, 0, 4), [shown], batch(4)._replace(seal="seal-0-3"))
    assert "1/0/2" in comparison.faults.first[Proof.BATCHES]


def test_the_batch_is_what_the_topics_are_read_in_the_order_of() -> None:
    assert batch_of(SOUND[3]) == (1, 0, 3)


def test_actions_of_a_batch_are_published_inside_its_result() -> None:
    actions = [
        {"wallet_transaction_id": "w-a", "replayed": False},
        {"wallet_transaction_id": "w-b", "replayed": True},
    ]
    records = [result(0, seq=1, sequence=1, actions=actions)]
    name, one = outcome(0, seq=1)
    first = [(name, one), (name, one._replace(wallet_transaction_id="w-a"))]
    assert audited(records, BATCHES[:1], first) == {}
    repeat = (name, one._replace(wallet_transaction_id="w-b"))
    assert Proof.FIRST_PUBLISHED in audited(records, BATCHES[:1], [repeat])
