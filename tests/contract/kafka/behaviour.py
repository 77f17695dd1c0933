"""How an EventReader and a Publisher behave, whoever implements them; tests of the fake and the real one inherit it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from processor.errors import FetchFailed, OffsetOutOfRange, PublishFailed, UnparsableBatch
from processor.ports import CommittedOffset, EventReader, EventRecord, OutRecord, UnparsableRecord
from tests.contract.kafka.worlds import World
from tests.integration.kafka.helpers import eventually, patiently, receipt, result

_PATIENCE_SECONDS = 30.0


async def fetch_exactly(reader: EventReader, partitions: Sequence[int], count: int) -> list[EventRecord]:
    """Fetch until so many records have come."""
    found: list[EventRecord] = []
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while len(found) < count:
            found += await reader.fetch(partitions, max_records=count - len(found), timeout_seconds=0.5)
    return found


class ReaderBehaviour:
    """`ports.EventReader`."""

    async def test_records_come_in_order_and_only_of_the_partitions_asked_for(self, world: World) -> None:
        await world.put(0, [b"a", b"b", b"c"])
        await world.put(1, [b"x", b"y"])
        reader, _ = await world.reader()
        for partition in (0, 1):
            reader.seek(partition, 0)
        found = await fetch_exactly(reader, [0], 3)
        assert [(one.partition, one.offset, one.value) for one in found] == [
            (0, 0, b"a"),
            (0, 1, b"b"),
            (0, 2, b"c"),
        ]
        assert [one.value for one in await fetch_exactly(reader, [1], 2)] == [b"x", b"y"]

    async def test_no_more_records_come_than_asked_for_and_the_rest_comes_next(self, world: World) -> None:
        await world.put(0, [b"a", b"b", b"c"])
        reader, _ = await world.reader()
        reader.seek(0, 0)
        assert len(await fetch_exactly(reader, [0], 2)) == 2
        assert [one.value for one in await fetch_exactly(reader, [0], 1)] == [b"c"]

    async def test_a_seek_goes_back_and_forth(self, world: World) -> None:
        await world.put(0, [b"a", b"b", b"c"])
        reader, _ = await world.reader()
        for offset, value in ((2, b"c"), (0, b"a"), (1, b"b")):
            reader.seek(0, offset)
            assert (await fetch_exactly(reader, [0], 1))[0].value == value

    async def test_a_partition_that_is_not_ours_can_be_sought_and_gives_nothing(self, world: World) -> None:
        reader, _ = await world.reader()
        reader.seek(PARTITION_OF_NOBODY, 5)
        reader.seek(0, 0)
        assert list(await reader.fetch([0], max_records=5, timeout_seconds=0.05)) == []
        assert PARTITION_OF_NOBODY not in reader.assigned()

    async def test_who_has_partitions_has_no_problem_and_who_has_stopped_has_one(self, world: World) -> None:
        reader, _ = await world.reader()
        assert reader.problem() is None
        await reader.stop(leave_group=True)
        assert reader.problem() == "there is no consumer"

    async def test_the_end_of_a_partition_is_known_after_a_fetch(self, world: World) -> None:
        await world.put(0, [b"a", b"b", b"c"])
        reader, _ = await world.reader()
        reader.seek(0, 0)
        await fetch_exactly(reader, [0], 1)
        assert reader.highwater(0) == 3
        assert (reader.position(0), reader.position(PARTITION_OF_NOBODY)) == (1, None)

    async def test_an_offset_that_is_not_there_is_our_own_doubt(self, world: World) -> None:
        await world.put(1, [b"a"])
        reader, _ = await world.reader()
        reader.seek(1, 77)
        with pytest.raises(OffsetOutOfRange) as doubt:
            await fetch_exactly(reader, [1], 1)
        assert doubt.value.partitions == (1,)

    async def test_what_no_parser_reads_is_named_and_comes_through_tolerantly(self, world: World) -> None:
        await world.put(2, [b"before"])
        await world.put_unparsable(2, [b"odd", b"odder"])
        await world.put(2, [b"after"])
        reader, _ = await world.reader()
        reader.seek(2, 0)
        assert [one.value for one in await fetch_exactly(reader, [2], 1)] == [b"before"]
        for _ in range(2):
            reader.seek(2, 1)
            with pytest.raises(UnparsableBatch) as refusal:
                await fetch_exactly(reader, [2], 1)
            assert refusal.value.partition == 2
        found = await reader.fetch_tolerantly(2, 1, max_records=10)
        assert [(one.offset, one.value, isinstance(one, UnparsableRecord)) for one in found] == [
            (1, b"odd", True),
            (2, b"odder", True),
            (3, b"after", False),
        ]
        assert [one.offset for one in await reader.fetch_tolerantly(2, 2, max_records=1)] == [2]
        reader.seek(2, 3)
        assert [one.value for one in await fetch_exactly(reader, [2], 1)] == [b"after"]

    async def test_what_was_never_committed_is_told_apart_from_no_answer(self, world: World) -> None:
        reader, _ = await world.reader()
        assert await patiently(lambda: reader.committed([0, 2])) == {0: None, 2: None}

    async def test_the_first_offsets_are_told_for_each_partition(self, world: World) -> None:
        await world.put(1, [b"a"])
        reader, _ = await world.reader()
        assert await reader.earliest([0, 1]) == {0: 0, 1: 0}

    async def test_the_topic_is_told_with_an_id_that_stays(self, world: World) -> None:
        reader, _ = await world.reader()
        facts = await reader.events_topic()
        assert facts.partitions == 4
        assert facts.topic_id == (await reader.events_topic()).topic_id != ""

    async def test_two_readers_share_whole_lanes_and_one_gets_all_when_the_other_leaves(
        self, world: World
    ) -> None:
        first, heard = await world.reader()
        assert heard.current == [0, 1, 2, 3]
        second, _ = await world.reader()
        await eventually(lambda: len(first.assigned()) == len(second.assigned()) == 2)
        assert {first.assigned(), second.assigned()} == {frozenset({0, 2}), frozenset({1, 3})}
        await second.stop(leave_group=True)
        await eventually(lambda: first.assigned() == frozenset({0, 1, 2, 3}))
        assert ("revoked", [0, 1, 2, 3]) in heard.heard

    async def test_a_reader_that_was_stopped_says_so(self, world: World) -> None:
        reader, _ = await world.reader()
        await reader.stop(leave_group=True)
        with pytest.raises(FetchFailed, match="not running"):
            await reader.fetch([0], max_records=1, timeout_seconds=0.01)


PARTITION_OF_NOBODY = 99


class PublisherBehaviour:
    """`ports.Publisher`, with what a reader sees of it."""

    async def test_a_committed_batch_is_seen_with_its_receipts(self, world: World) -> None:
        publisher = world.new_publisher()
        await publisher.start()
        await publisher.begin()
        await publisher.send([result(b"one"), result(b"two")])
        await publisher.send_offsets({0: receipt(5, 1), 2: CommittedOffset(3, "")})
        await publisher.commit()
        reader, _ = await world.reader()
        assert await patiently(lambda: reader.committed([0, 1, 2])) == {
            0: receipt(5, 1),
            1: None,
            2: CommittedOffset(3, ""),
        }
        assert await world.results() == [b"one", b"two"]
        assert not publisher.tainted

    async def test_one_producer_serves_many_batches(self, world: World) -> None:
        publisher = world.new_publisher()
        await publisher.start()
        for number in range(1, 6):
            await publisher.begin()
            await publisher.send([result(b"%d" % number, batch=b"1/0/%d" % number)])
            await publisher.send_offsets({0: receipt(number, number)})
            await publisher.commit()
        assert await world.results() == [b"1", b"2", b"3", b"4", b"5"]

    async def test_what_was_abandoned_is_never_seen_once_a_successor_has_started(self, world: World) -> None:
        publisher = world.new_publisher()
        await publisher.start()
        await publisher.begin()
        await publisher.send([result(b"half")])
        await publisher.send_offsets({0: receipt(5, 1)})
        await publisher.abandon()
        successor = world.new_publisher()
        await successor.start()
        reader, _ = await world.reader()
        assert await patiently(lambda: reader.committed([0])) == {0: None}
        await successor.begin()
        await successor.send([result(b"whole")])
        await successor.commit()
        assert await world.results() == [b"whole"]

    async def test_a_successor_fences_whoever_had_the_lane(self, world: World) -> None:
        zombie = world.new_publisher()
        await zombie.start()
        await zombie.begin()
        await zombie.send([result(b"zombie's")])
        await world.new_publisher().start()
        with pytest.raises(PublishFailed):
            await zombie.commit()
        assert zombie.tainted
        assert await world.results() == []

    async def test_lanes_do_not_fence_each_other(self, world: World) -> None:
        first, second = world.new_publisher(0), world.new_publisher(1)
        await first.start()
        await second.start()
        for publisher in (first, second):
            await publisher.begin()
            await publisher.send([result(b"fine")])
            await publisher.commit()
        assert await world.results() == [b"fine", b"fine"]

    async def test_a_sweep_where_nothing_hangs_changes_nothing(self, world: World) -> None:
        publisher = world.new_publisher()
        await publisher.start()
        await publisher.begin()
        await publisher.send([result(b"one")])
        await publisher.send_offsets({0: receipt(5, 1)})
        await publisher.commit()
        reader, _ = await world.reader()
        assert await patiently(lambda: reader.committed([0, 2])) == {0: receipt(5, 1), 2: None}
        assert await reader.hanging(1, 0, [0, 2]) == {}
        await publisher.sweep([("results", 0), ("dead-letters", 2)], [0, 2], commit=False)
        await publisher.sweep([("results", 0)], [], commit=True)
        await publisher.begin()
        await publisher.send([result(b"two")])
        await publisher.commit()
        assert await patiently(lambda: reader.committed([0, 2])) == {0: receipt(5, 1), 2: None}
        assert await world.results() == [b"one", b"two"]
        assert not publisher.tainted

    async def test_an_abandoned_producer_refuses_all_work(self, world: World) -> None:
        publisher = world.new_publisher()
        await publisher.start()
        await publisher.abandon()
        await publisher.abandon()
        with pytest.raises(PublishFailed):
            await publisher.begin()
        assert publisher.tainted

    async def test_a_producer_that_never_started_can_be_abandoned(self, world: World) -> None:
        await world.new_publisher().abandon()

    async def test_the_last_published_batch_is_found_on_either_topic(self, world: World) -> None:
        publisher = world.new_publisher()
        await publisher.start()
        for seq in range(1, 4):
            await publisher.begin()
            await publisher.send([result(b"r", batch=b"1/0/%d" % seq)])
            await publisher.commit()
        letter = OutRecord("dead-letters", 2, b"k", b"letter", [("wallet-batch", b"1/0/4")])
        await publisher.begin()
        await publisher.send([letter])
        await publisher.commit()
        await publisher.begin()
        await publisher.send([result(b"never committed", batch=b"1/0/5")])
        await publisher.abandon()
        reader, _ = await world.reader()
        assert await reader.last_batch_published(1, 0, [0, 2]) == 4
        assert await reader.last_batch_published(1, 0, [0]) == 3
        assert await reader.last_batch_published(1, 1, [1, 3]) is None
        assert await reader.last_batch_published(2, 0, [0, 2]) is None
