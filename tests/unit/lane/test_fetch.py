"""Step 1: from the lane's own offsets on; nothing lost by an exception, nothing stuck behind what cannot be parsed."""

from __future__ import annotations

import pytest

from processor.errors import FetchFailed, OffsetOutOfRange
from processor.lane.fetch import Fetched, Intake
from processor.ports import EventReader, UnparsableRecord
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


async def test_the_first_record_of_two_partitions_may_be_unreadable(
    world: World, reader: EventReader
) -> None:
    for partition in (0, 2):
        world.cluster.append_unparsable(partition)
        put(world, partition, b"after it")
    found = await everything(intake(reader))
    assert sorted(places(found)) == [(0, 0), (0, 1), (2, 0), (2, 1)]


async def test_a_fault_while_the_unreadable_is_looked_for_loses_nothing(
    world: World, reader: EventReader
) -> None:
    world.cluster.append_unparsable(2)
    put(world, 0, b"a")
    put(world, 2, b"b")
    taken = intake(reader)
    assert places(await taken.fetch()) == [(0, 0)]
    put(world, 0, b"c")
    real, calls = reader.fetch, 0

    async def fail_third(*arguments: object, **options: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise FetchFailed("the broker went")
        return await real(*arguments, **options)  # type: ignore[arg-type]  # passed on as they came

    reader.fetch = fail_third  # type: ignore[method-assign, assignment]  # one call of this reader fails
    found = [one for _ in range(6) for one in await _or_nothing(taken)]
    assert sorted(places(found)) == [(0, 1), (2, 0), (2, 1)]


async def _or_nothing(taken: Intake) -> list[Fetched]:
    try:
        return await taken.fetch()
    except FetchFailed:
        return []


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
    taken.rest()
    taken.start_from({0: 1, 2: 0})
    assert places(await everything(taken)) == [(0, 1), (0, 2)]
