"""The last published batch is found however far back it lies, and whatever else lies in between."""

from __future__ import annotations

import pytest

from processor.kafka.connection import connected_client
from processor.kafka.fetching import fetch_tolerantly
from processor.kafka.last_batch import BatchName, batch_name, last_batch
from processor.kafka.producing import EventSender, OutEvent
from processor.ports import StoredRecord, UnparsableRecord
from processor.settings import Settings
from tests.integration.kafka.conftest import PublisherFactory
from tests.integration.kafka.helpers import result


async def put_results(settings: Settings, partition: int, *batches: bytes | None) -> None:
    """Results with these batch headers, None for none."""
    events = [
        OutEvent(b"k", b"v", [("wallet-batch", batch)] if batch is not None else [], partition)
        for batch in batches
    ]
    async with EventSender(settings, topic=settings.results_topic) as sender:
        await sender.send_many(events)


async def find(settings: Settings, layout: int, lane: int, *partitions: int) -> int | None:
    return await last_batch(settings, [settings.results_topic], layout, lane, partitions)


async def test_it_is_found_behind_many_records_that_say_nothing(settings: Settings) -> None:
    await put_results(settings, 0, b"2/0/41", b"2/0/42", *[None] * 700, b"not a batch", b"2/0/x")
    assert await find(settings, 2, 0, 0, 2) == 42


async def test_the_highest_of_a_lanes_partitions_counts(settings: Settings) -> None:
    await put_results(settings, 0, b"1/0/7", b"1/0/8")
    await put_results(settings, 2, b"1/0/9")
    assert await find(settings, 1, 0, 0, 2) == 9


async def test_another_layouts_batches_say_that_this_one_has_published_nothing(settings: Settings) -> None:
    await put_results(settings, 0, b"1/0/7", b"1/0/8")
    assert await find(settings, 2, 0, 0) is None


async def test_other_lanes_of_the_layout_are_passed_over(settings: Settings) -> None:
    await put_results(settings, 0, b"1/0/7", *[b"1/1/9"] * 100)
    assert await find(settings, 1, 0, 0) == 7


async def test_the_last_batch_is_told_from_a_topic_that_holds_an_aborted_one(
    settings: Settings, start_publisher: PublisherFactory
) -> None:
    publisher = await start_publisher()
    await publisher.begin()
    await publisher.send([result(b"kept", batch=b"1/0/1")])
    await publisher.commit()
    await publisher.begin()
    await publisher.send([result(b"given up", batch=b"1/0/2")])
    await publisher.abandon()
    await start_publisher()
    topics = (settings.results_topic, settings.dead_letters_topic)
    assert await last_batch(settings, topics, 1, 0, [0]) == 1


async def test_the_tolerant_read_passes_over_what_was_aborted_too(
    settings: Settings, start_publisher: PublisherFactory
) -> None:
    for value in (b"given up", b"kept"):
        publisher = await start_publisher()
        await publisher.begin()
        await publisher.send([result(value)])
        if value == b"kept":
            await publisher.commit()
        await publisher.abandon()
    await start_publisher()
    async with connected_client(settings) as client:
        found = await fetch_tolerantly(client, settings.results_topic, 0, 0, max_records=10)
    assert [one.value for one in found] == [b"kept"]


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b"1/2/3", BatchName(1, 2, 3)),
        (b"1/2", None),
        (b"1/2/-3", None),
        (b"1/2/3/4", None),
        (b"", None),
        (None, None),
    ],
)
def test_a_header_that_is_not_ours_says_nothing(header: bytes | None, name: BatchName | None) -> None:
    assert (
        batch_name(StoredRecord(0, 0, 0, None, None, [("other", b"1/1/1"), ("wallet-batch", header)])) == name
    )


def test_a_record_that_cannot_be_read_says_nothing() -> None:
    assert batch_name(UnparsableRecord(0, 0, 0, "", b"", None, None)) is None
