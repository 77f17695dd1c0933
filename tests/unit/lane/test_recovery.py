"""The one recovery path: what is concluded from receipt, row and topics, what is published, and what is refused."""

from __future__ import annotations

import pytest

from processor.errors import (
    JournalBroken,
    LeaseLost,
    OffsetsUnstable,
    PublishFailed,
    ReceiptAhead,
    ReceiptUnknown,
    Swept,
)
from processor.lane import journal
from processor.lane.journal import Rendered
from processor.lane.recovery import Recovered, Recovery
from processor.ports import CommittedOffset, EventReader, JournalRow, LaneRow, OutRecord
from tests.fakes.kafka import How
from tests.fakes.kafka import Step as KafkaStep
from tests.unit.lane.world import World, partitions_of


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def reader(world: World) -> EventReader:
    return await world.joined()


def name(seq: int, layout: int = 1) -> list[tuple[str, bytes | None]]:
    return [("wallet-batch", f"{layout}/0/{seq}".encode())]


def given_ledger(
    world: World,
    applied: int,
    published: int,
    *,
    journal_of: list[int] | None = None,
    witness: int | None = None,
) -> None:
    """Lane 0 as a worker left it; by default its journal is whole, and every batch had a record."""
    row = LaneRow(1, 0, 4, applied, published, {0: 10 * applied, 2: 5}, b"\0" * 32)
    row.witness_seq = published if witness is None else witness
    world.store.lanes[1, 0] = row
    world.store.owners[1, 0] = "the one before"
    held = range(published + 1, applied + 1) if journal_of is None else journal_of
    world.store.journal[1, 0] = {
        seq: JournalRow(seq, journal.encode([], [rendered(seq)]), {0: 10 * seq, 2: 5}) for seq in held
    }


def rendered(seq: int) -> Rendered:
    return Rendered("results", 0, b"p-1", b"result of %d" % seq, name(seq), False)


async def given_kafka(world: World, *, seqs: list[int], receipt: int | str | None) -> None:
    """These batches are on the topics; the group's metadata say this (a number is of layout 1)."""
    publisher = world.cluster.publisher(1, 0)
    await publisher.start()
    for seq in seqs:
        await publisher.begin()
        await publisher.send([OutRecord("results", 0, b"p-1", b"result of %d" % seq, name(seq))])
        await publisher.commit()
    world.cluster.unsettled = False
    if receipt is not None:
        metadata = f"1/{receipt}" if isinstance(receipt, int) else receipt
        world.cluster.receipts[0] = CommittedOffset(7, metadata)
        world.cluster.receipts[2] = CommittedOffset(5, "")


async def recovered(world: World, reader: EventReader) -> Recovered:
    return await world.recovery(0, reader).run()


async def recovered_in_the_end(world: World, reader: EventReader) -> Recovered:
    """As a lane does it: again, once what hung was swept."""
    recovery = world.recovery(0, reader)
    with pytest.raises((Swept, OffsetsUnstable)):
        await recovery.run()
    world.cluster.unsettled = False
    return await again(recovery)


async def again(recovery: Recovery) -> Recovered:
    """Until it succeeds, at most after five sweeps."""
    for _ in range(6):
        try:
            return await recovery.run()
        except (Swept, OffsetsUnstable):
            continue
    raise AssertionError("it is swept again and again")


def published(world: World) -> list[bytes | None]:
    return [one.value for one in world.cluster.results]


def results(*seqs: int) -> list[bytes]:
    return [b"result of %d" % seq for seq in seqs]


# ------------------------------------------------------------------------------------ what is concluded


async def test_a_lane_that_never_ran_begins_at_the_first_offsets_that_there_are(
    world: World, reader: EventReader
) -> None:
    world.cluster.delete_before(0, 40)
    done = await recovered(world, reader)
    assert done.position.next_offsets == {0: 40, 2: 0}
    assert (done.concluded, done.republished) == ("never published", 0)


async def test_a_lane_that_has_run_keeps_its_offsets_whatever_the_topic_begins_with(
    world: World, reader: EventReader
) -> None:
    given_ledger(world, applied=2, published=2)
    await given_kafka(world, seqs=[1, 2], receipt=2)
    world.cluster.delete_before(0, 40)
    done = await recovered(world, reader)
    assert done.position.next_offsets == {0: 20, 2: 5}


@pytest.mark.parametrize("receipt", [3, 4, 5])
async def test_the_journal_above_the_receipt_is_published_in_order_and_no_more(
    world: World, reader: EventReader, receipt: int
) -> None:
    given_ledger(world, applied=5, published=3)
    await given_kafka(world, seqs=list(range(1, receipt + 1)), receipt=receipt)
    done = await recovered(world, reader)
    assert published(world) == results(1, 2, 3, 4, 5)
    assert done.republished == 5 - receipt
    assert done.position.published_seq == 5
    if receipt < 5:
        assert world.cluster.receipts[0] == CommittedOffset(50, "1/5")


async def test_a_receipt_above_the_ledger_is_refused_and_nothing_is_touched(
    world: World, reader: EventReader
) -> None:
    given_ledger(world, applied=4, published=3)
    await given_kafka(world, seqs=[1, 2, 3, 4, 5], receipt=5)
    with pytest.raises(ReceiptAhead):
        await recovered(world, reader)
    assert published(world) == results(1, 2, 3, 4, 5)
    assert world.cluster.receipts[0] == CommittedOffset(7, "1/5")


@pytest.mark.parametrize("receipt", [None, 1, "0/9", "a word", "1/"])
@pytest.mark.parametrize("last", [3, 4, 5])
async def test_a_lost_receipt_is_concluded_from_the_topics_and_set_anew(
    world: World, reader: EventReader, last: int, receipt: int | str | None
) -> None:
    given_ledger(world, applied=5, published=3)
    await given_kafka(world, seqs=list(range(1, last + 1)), receipt=receipt)
    done = await recovered(world, reader)
    assert published(world) == results(1, 2, 3, 4, 5)
    assert done.republished == 5 - last
    assert f"found batch {last}" in done.concluded
    assert world.cluster.receipts[0] == CommittedOffset(50, "1/5")


async def test_a_first_batch_that_was_never_published_is_published_without_any_receipt(
    world: World, reader: EventReader
) -> None:
    given_ledger(world, applied=2, published=0)
    await given_kafka(world, seqs=[], receipt=None)
    await recovered(world, reader)
    assert published(world) == results(1, 2)


async def test_results_of_a_batch_that_the_ledger_does_not_have_are_refused(
    world: World, reader: EventReader
) -> None:
    given_ledger(world, applied=4, published=3)
    await given_kafka(world, seqs=[1, 2, 3, 4, 5], receipt=None)
    with pytest.raises(ReceiptAhead):
        await recovered(world, reader)
    assert 0 not in world.cluster.receipts


async def test_a_lost_receipt_is_not_guessed_where_the_topics_no_longer_tell(
    world: World, reader: EventReader
) -> None:
    given_ledger(world, applied=5, published=3)
    await given_kafka(world, seqs=[], receipt=None)
    with pytest.raises(ReceiptUnknown):
        await recovered(world, reader)
    assert published(world) == []


async def test_a_last_published_batch_without_records_does_not_make_whole_topics_look_cut(
    world: World, reader: EventReader
) -> None:
    given_ledger(world, applied=4, published=3, witness=2)
    await given_kafka(world, seqs=[1, 2], receipt=None)
    done = await recovered(world, reader)
    assert published(world) == results(1, 2, 4)
    assert (done.republished, "found batch 2" in done.concluded) == (1, True)


async def test_topics_cut_below_the_last_batch_that_put_a_record_there_are_not_guessed_about(
    world: World, reader: EventReader
) -> None:
    given_ledger(world, applied=4, published=3, witness=2)
    await given_kafka(world, seqs=[1], receipt=None)
    with pytest.raises(ReceiptUnknown):
        await recovered(world, reader)
    assert published(world) == results(1)


async def test_topics_that_no_longer_tell_do_no_harm_where_all_is_known_as_published(
    world: World, reader: EventReader
) -> None:
    given_ledger(world, applied=3, published=3)
    await given_kafka(world, seqs=[], receipt=None)
    done = await recovered(world, reader)
    assert (done.republished, published(world)) == (0, [])
    assert world.cluster.receipts[0] == CommittedOffset(30, "1/3")


@pytest.mark.parametrize("held", [[5], [4], [], [4, 6], [4, 5, 6]])
async def test_a_journal_that_is_not_the_batches_above_the_receipt_is_refused(
    world: World, reader: EventReader, held: list[int]
) -> None:
    given_ledger(world, applied=5, published=3, journal_of=held)
    await given_kafka(world, seqs=[1, 2, 3], receipt=3)
    with pytest.raises(JournalBroken):
        await recovered(world, reader)
    assert published(world) == results(1, 2, 3)


async def test_a_journal_row_below_the_receipt_does_no_harm(world: World, reader: EventReader) -> None:
    given_ledger(world, applied=5, published=3, journal_of=[3, 4, 5])
    await given_kafka(world, seqs=[1, 2, 3, 4], receipt=4)
    await recovered(world, reader)
    assert published(world) == results(1, 2, 3, 4, 5)


# -------------------------------------------------------------------------------------- fences, in order


async def test_the_producer_starts_before_the_receipt_is_read(world: World, reader: EventReader) -> None:
    """Whoever had the lane has a transaction open; only the new producer's start resolves it."""
    given_ledger(world, applied=4, published=3)
    await given_kafka(world, seqs=[1, 2, 3], receipt=3)
    zombie = world.cluster.publisher(1, 0)
    await zombie.start()
    await zombie.begin()
    await zombie.send([OutRecord("results", 0, b"p-1", b"result of 4", name(4))])
    await zombie.send_offsets({0: CommittedOffset(40, "1/4"), 2: CommittedOffset(5, "")})
    await recovered(world, reader)
    with pytest.raises(PublishFailed):
        await zombie.commit()
    assert published(world) == results(1, 2, 3, 4)


async def test_a_take_over_bumps_the_epoch_and_a_recovery_only_confirms_it(
    world: World, reader: EventReader
) -> None:
    given_ledger(world, applied=1, published=1)
    await given_kafka(world, seqs=[1], receipt=1)
    recovery = world.recovery(0, reader)
    assert (await recovery.run()).position.epoch == 5
    assert (await recovery.run()).position.epoch == 5
    assert world.store.lanes[1, 0].epoch == 5


async def test_a_recovery_whose_lease_another_took_publishes_nothing(
    world: World, reader: EventReader
) -> None:
    given_ledger(world, applied=5, published=3)
    await given_kafka(world, seqs=[1, 2, 3], receipt=3)
    recovery = world.recovery(0, reader)
    recovery.epoch = 4
    await world.ledger().take_lane(1, 0, owner="another")
    with pytest.raises(LeaseLost):
        await recovery.run()
    assert published(world) == results(1, 2, 3)


# --------------------------------------------------------------------------------- what fails on the way


@pytest.mark.parametrize("how", ["before", "after"])
@pytest.mark.parametrize("step", ["start", "begin", "send", "send_offsets", "commit"])
async def test_a_recovery_that_fails_anywhere_can_be_done_again(
    world: World, reader: EventReader, step: KafkaStep, how: How
) -> None:
    given_ledger(world, applied=5, published=3)
    await given_kafka(world, seqs=[1, 2, 3], receipt=3)
    recovery = world.recovery(0, reader)
    world.cluster.fail_next(step, how)
    with pytest.raises(PublishFailed):
        await recovery.run()
    world.cluster.unsettled = False
    await recovery.run()
    assert published(world) == results(1, 2, 3, 4, 5)


async def test_every_transaction_of_a_recovery_holds_all_offsets_of_the_lane(
    world: World, reader: EventReader
) -> None:
    given_ledger(world, applied=4, published=3)
    await given_kafka(world, seqs=[1, 2, 3], receipt=3)
    await recovered(world, reader)
    assert set(world.cluster.receipts) == set(partitions_of(0))
    assert world.cluster.receipts[0].metadata == "1/4"
    assert world.cluster.receipts[2].metadata == ""


async def test_a_commit_retried_in_silence_within_a_recovery_ends_it_before_the_next_batch_begins(
    world: World, reader: EventReader
) -> None:
    given_ledger(world, applied=3, published=1)
    await given_kafka(world, seqs=[1], receipt=1)
    world.cluster.fail_next("commit", "silent")
    recovery = world.recovery(0, reader)
    with pytest.raises(PublishFailed, match="batch 3 needs a new producer"):
        await recovery.run()
    world.cluster.unsettled = False
    await recovery.run()
    assert published(world) == results(1, 2, 3)


async def test_a_transaction_that_kafka_noted_as_committed_without_its_markers_is_swept_and_published_again(
    world: World, reader: EventReader
) -> None:
    """Its receipt would be unknown for ever, and its results would come to light with the next ones: twice."""
    given_ledger(world, applied=5, published=3)
    await given_kafka(world, seqs=[1, 2, 3], receipt=3)
    await left_hanging(world, seq=4)
    done = await recovered_in_the_end(world, reader)
    assert (done.republished, published(world)) == (2, results(1, 2, 3, 4, 5))
    assert world.cluster.receipts[0].metadata == "1/5"


async def test_a_transaction_that_kafka_ended_in_part_is_for_a_person_to_look_at(
    world: World, reader: EventReader
) -> None:
    """Its results can be read, its receipt hangs: to publish it again would tell it twice."""
    given_ledger(world, applied=5, published=3)
    await given_kafka(world, seqs=[1, 2, 3, 4], receipt=3)
    await left_hanging(world, seq=None)
    recovery = world.recovery(0, reader)
    with pytest.raises(OffsetsUnstable):
        await recovery.run()
    for _ in range(2):
        with pytest.raises(ReceiptUnknown, match="results of batch 4 can be read; 3 is vouched for"):
            await recovery.run()
    assert published(world) == results(1, 2, 3, 4)


async def test_an_aborted_transaction_without_its_markers_does_not_come_to_light_with_the_next(
    world: World, reader: EventReader
) -> None:
    given_ledger(world, applied=5, published=3)
    await given_kafka(world, seqs=[1, 2, 3], receipt=3)
    await left_hanging(world, seq=4, offsets=False)
    done = await recovered_in_the_end(world, reader)
    assert (done.republished, published(world)) == (2, results(1, 2, 3, 4, 5))


async def test_what_hangs_of_a_batch_whose_receipt_is_there_is_not_lost(
    world: World, reader: EventReader
) -> None:
    given_ledger(world, applied=5, published=3)
    await given_kafka(world, seqs=[1, 2, 3], receipt=4)
    await left_hanging(world, seq=4, offsets=False)
    done = await recovered_in_the_end(world, reader)
    assert (done.republished, published(world)) == (1, results(1, 2, 3, 4, 5))


async def left_hanging(world: World, *, seq: int | None, offsets: bool = True) -> None:
    """A batch (None: no more than its receipt) in a transaction that is over and has no markers."""
    publisher = world.cluster.publisher(1, 0)
    await publisher.start()
    await publisher.begin()
    if seq is not None:
        await publisher.send([OutRecord("results", 0, b"p-1", b"result of %d" % seq, name(seq))])
    if offsets:
        await publisher.send_offsets({0: CommittedOffset(9, "1/4"), 2: CommittedOffset(5, "")})
    world.cluster.fail_next("commit", "unmarked")
    await publisher.commit()
    world.cluster.unsettled = False


async def test_what_hangs_and_is_not_ours_to_end_keeps_nobody_from_work(
    world: World, reader: EventReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_ledger(world, applied=5, published=3)
    await given_kafka(world, seqs=[1, 2, 3], receipt=3)

    async def still_hanging(*_: object) -> dict[tuple[str, int], int]:
        return {("results", 2): 2}

    monkeypatch.setattr(reader, "hanging", still_hanging)
    await again(world.recovery(0, reader))
    assert published(world) == results(1, 2, 3, 4, 5)
