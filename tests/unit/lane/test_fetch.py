"""Step 1: from the lane's own offsets on; nothing lost by an exception, nothing stuck behind what cannot be parsed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from processor.errors import FetchFailed, OffsetOutOfRange, UnparsableBatch
from processor.lane.fetch import Fetched, Intake
from processor.ports import EventReader, EventRecord, UnparsableRecord
from tests.fakes.kafka import FakeEventReader
from tests.unit.lane.world import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def reader(world: World) -> EventReader:
    return await world.joined()


def intake(reader: EventReader, *, max_records: int = 250, max_bytes: int = 1_000_000) -> Intake:
    made = Intake(reader, max_records=max_records, max_bytes=max_bytes, wait_seconds=0.001)
    made.start_from({0: 0, 2: 0})
    return made


def put(world: World, partition: int, *values: bytes) -> None:
    for value in values:
        world.cluster.append(partition, value)


def places(fetched: list[Fetched]) -> list[tuple[int, int]]:
    return [(one.partition, one.offset) for one in fetched]


async def everything(from_: Intake) -> list[Fetched]:
    """Fetch until nothing more comes."""
    found: list[Fetched] = []
    while got := await from_.fetch():
        found += got
    return found


async def test_each_record_comes_once_and_in_order(world: World, reader: EventReader) -> None:
    put(world, 0, b"a", b"b")
    put(world, 2, b"c")
    taken = intake(reader)
    assert sorted(places(await everything(taken))) == [(0, 0), (0, 1), (2, 0)]
    put(world, 0, b"d")
    assert places(await everything(taken)) == [(0, 2)]


async def test_it_begins_at_the_lanes_own_offsets_and_skips_what_is_before(
    world: World, reader: EventReader
) -> None:
    put(world, 0, b"a", b"b", b"c")
    taken = intake(reader)
    taken.start_from({0: 2, 2: 0})
    reader.seek(0, 0)
    assert places(await everything(taken)) == [(0, 2)]


async def test_partitions_of_other_lanes_are_never_asked_for(world: World, reader: EventReader) -> None:
    put(world, 1, b"another lane's")
    reader.seek(1, 0)
    assert await everything(intake(reader)) == []


async def test_after_an_exception_every_partition_is_sought_anew(world: World, reader: EventReader) -> None:
    put(world, 0, b"a", b"b")
    put(world, 2, b"c")
    taken = intake(reader)
    world.cluster.fail_next("fetch")
    with pytest.raises(FetchFailed):
        await taken.fetch()
    assert sorted(places(await everything(taken))) == [(0, 0), (0, 1), (2, 0)]


async def test_a_record_that_no_parser_reads_is_read_alone_and_holds_nobody_up(
    world: World, reader: EventReader
) -> None:
    put(world, 0, b"a")
    world.cluster.append_unparsable(0)
    put(world, 0, b"b")
    put(world, 2, b"c", b"d")
    found = await everything(intake(reader))
    assert sorted(places(found)) == [(0, 0), (0, 1), (0, 2), (2, 0), (2, 1)]
    assert [one.offset for one in found if one.partition == 0] == [0, 1, 2]
    assert [isinstance(one, UnparsableRecord) for one in found if one.partition == 0] == [False, True, False]


async def test_the_tolerant_parser_is_left_again_behind_what_it_was_needed_for(world: World) -> None:
    reader = await failing(world)
    taken = intake(reader)
    world.cluster.append_unparsable(0)
    await everything(taken)
    put(world, 0, b"a", b"b")
    assert places(await everything(taken)) == [(0, 1), (0, 2)]
    assert isinstance(reader, FailingReader)
    assert reader.tolerant_fetches == 1


async def test_the_first_record_of_two_partitions_may_be_unreadable(
    world: World, reader: EventReader
) -> None:
    for partition in (0, 2):
        world.cluster.append_unparsable(partition)
        put(world, partition, b"after it")
    found = await everything(intake(reader))
    assert sorted(places(found)) == [(0, 0), (0, 1), (2, 0), (2, 1)]


async def test_after_an_unreadable_batch_too_every_partition_is_sought_anew(world: World) -> None:
    """aiokafka has then taken records of other partitions out of its buffers, and tells nobody of them."""
    taken = intake(await failing(world, UnparsableBatch(None, "bytes")))
    put(world, 0, b"a", b"b")
    put(world, 2, b"c")
    assert sorted(places(await everything(taken))) == [(0, 0), (0, 1), (2, 0)]


async def test_a_fault_while_partitions_are_read_one_by_one_loses_nothing(world: World) -> None:
    taken = intake(await failing(world, UnparsableBatch(None, "bytes"), None, FetchFailed("the broker went")))
    put(world, 0, b"a", b"b")
    put(world, 2, b"c")
    with pytest.raises(FetchFailed):
        await taken.fetch()
    assert sorted(places(await everything(taken))) == [(0, 0), (0, 1), (2, 0)]


async def failing(world: World, *faults: Exception | None) -> EventReader:
    """A reader whose first fetches fail after they have taken what there is; None lets one pass."""
    reader = FailingReader(world.cluster.reader(), list(faults))
    return await world.joined(reader)


class FailingReader(FakeEventReader):
    """Takes records from its buffers, and then raises."""

    def __init__(self, like: FakeEventReader, faults: list[Exception | None]) -> None:
        super().__init__(like._cluster, like.name)
        self._faults_to_come = faults
        self.tolerant_fetches = 0

    async def fetch_tolerantly(
        self, partition: int, offset: int, *, max_records: int
    ) -> Sequence[EventRecord | UnparsableRecord]:
        self.tolerant_fetches += 1
        return await super().fetch_tolerantly(partition, offset, max_records=max_records)

    async def fetch(
        self, partitions: Sequence[int], *, max_records: int, timeout_seconds: float
    ) -> Sequence[EventRecord]:
        taken = await super().fetch(partitions, max_records=max_records, timeout_seconds=timeout_seconds)
        fault = self._faults_to_come.pop(0) if self._faults_to_come else None
        if fault is not None:
            raise fault
        return taken


async def test_an_offset_that_is_not_there_is_our_own_doubt(world: World, reader: EventReader) -> None:
    put(world, 0, b"a")
    taken = intake(reader)
    taken.start_from({0: 9, 2: 0})
    with pytest.raises(OffsetOutOfRange):
        await taken.fetch()


async def test_what_is_too_much_for_a_batch_comes_with_the_next(world: World, reader: EventReader) -> None:
    put(world, 0, *[b"x" * 40] * 5)
    taken = intake(reader, max_bytes=100)
    batches = [places(await taken.fetch()) for _ in range(4)]
    assert batches == [[(0, 0), (0, 1)], [(0, 2), (0, 3)], [(0, 4)], []]


async def test_a_record_larger_than_a_batch_comes_alone(world: World, reader: EventReader) -> None:
    put(world, 0, b"x" * 500, b"x")
    taken = intake(reader, max_bytes=100)
    assert [places(await taken.fetch()) for _ in range(2)] == [[(0, 0)], [(0, 1)]]


async def test_a_smaller_limit_cuts_what_was_fetched_before_it(world: World, reader: EventReader) -> None:
    put(world, 0, b"a", b"b", b"c")
    taken = intake(reader, max_bytes=1)
    counts = [len(await taken.fetch(max_records=1)) for _ in range(4)]
    assert counts == [1, 1, 1, 0]


async def test_starting_again_forgets_what_was_left_over(world: World, reader: EventReader) -> None:
    put(world, 0, b"a", b"b", b"c")
    taken = intake(reader, max_bytes=1)
    await taken.fetch()
    taken.start_from({0: 1, 2: 0})
    assert places(await everything(taken)) == [(0, 1), (0, 2)]
