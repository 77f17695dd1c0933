"""The plain sender and the readers without a group, on a real broker."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from processor.devstack.free_ports import free_ports
from processor.errors import KafkaUnreachable, TopicMissing, WrongUsage
from processor.kafka.producing import EventSender, OutEvent, partition_for
from processor.kafka.resizing import fence_all, group_members
from processor.kafka.tailing import end_offsets, follow, read_to_end
from processor.settings import Settings
from tests.integration.kafka.conftest import PublisherFactory, ReaderFactory
from tests.integration.kafka.helpers import result, send_events, values_of


@pytest.mark.parametrize(
    ("key", "partition"),
    # From the Java client's own tests of murmur2, modulo 8 of the positive hash.
    [
        (b"21", (-973932308 & 0x7FFFFFFF) % 8),
        (b"foobar", (-790332482 & 0x7FFFFFFF) % 8),
        (b"a-little-bit-long-string", (-985981536 & 0x7FFFFFFF) % 8),
        (b"a-little-bit-longer-string", (-1486304829 & 0x7FFFFFFF) % 8),
        (b"abc", (479470107 & 0x7FFFFFFF) % 8),
    ],
)
def test_a_key_goes_where_the_java_client_puts_it(key: bytes, partition: int) -> None:
    assert partition_for(key, 8) == partition


async def test_an_event_goes_to_its_keys_partition_or_to_the_one_asked_for(settings: Settings) -> None:
    async with EventSender(settings) as sender:
        sent = await sender.send_and_wait(b"one", key=b"foobar", headers=[("h", b"v"), ("n", None)])
        assert (sent.partition, sent.offset) == (partition_for(b"foobar", 4), 0)
        assert (await sender.send_and_wait(b"two", key=b"foobar", partition=3)).partition == 3
        await sender.send_many([OutEvent(None, None, partition=2)])
    found = [record async for record in read_to_end(settings, settings.events_topic)]
    by_value = {record.value: record for record in found}
    assert list(by_value[b"one"].headers) == [("h", b"v"), ("n", None)]
    assert by_value[None].key is None
    assert by_value[b"one"].timestamp == sent.timestamp


async def test_what_is_queued_is_sent_in_order_before_the_sender_ends(settings: Settings) -> None:
    async with EventSender(settings) as sender:
        answers = [await sender.send(b"%d" % n, key=b"k", partition=0) for n in range(500)]
    assert [(await one).offset for one in answers] == list(range(500))


async def test_many_events_keep_their_order_within_a_partition(settings: Settings) -> None:
    events = [OutEvent(b"key-%d" % (n % 7), b"%d" % n) for n in range(3000)]
    async with EventSender(settings) as sender:
        await sender.send_many(events)
    found = [record async for record in read_to_end(settings, settings.events_topic)]
    for key in {one.key for one in events}:
        assert [one.value for one in found if one.key == key] == [
            one.value for one in events if one.key == key
        ]


async def test_what_the_sender_cannot_do_is_said_in_our_words(settings: Settings) -> None:
    async with EventSender(settings) as sender:
        with pytest.raises(WrongUsage, match="record of this size"):
            await sender.send_and_wait(b"x" * 2_000_000, key=b"k")
        with pytest.raises(WrongUsage, match="cannot be sent"):
            await sender.send_and_wait(b"x", key=b"k", partition=77)
    missing = settings.model_copy(update={"request_timeout_seconds": 0.5})
    with pytest.raises(TopicMissing):
        await EventSender(missing, topic="no.such.topic").__aenter__()
    (port,) = free_ports(1)
    with pytest.raises(KafkaUnreachable, match=str(port)):
        await EventSender(settings.model_copy(update={"kafka_bootstrap": f"127.0.0.1:{port}"})).__aenter__()


async def test_reading_to_the_end_passes_over_what_was_aborted_and_stops_before_what_is_open(
    settings: Settings, start_publisher: PublisherFactory
) -> None:
    for value in (b"one", b"two"):
        publisher = await start_publisher()
        await publisher.begin()
        await publisher.send([result(value)])
        await publisher.commit()
        await publisher.begin()
        await publisher.send([result(b"aborted")])
        await publisher.abandon()
    publisher = await start_publisher()
    await publisher.begin()
    await publisher.send([result(b"open")])
    told: list[tuple[int, int]] = []
    found = [
        record.value
        async for record in read_to_end(
            settings, settings.results_topic, progress=lambda *passed: told.append(passed)
        )
    ]
    assert found == [b"one", b"two"]
    assert told[0][0] == 0
    assert told[-1][0] == told[-1][1] > 0


async def test_an_empty_topic_is_read_at_once(settings: Settings) -> None:
    assert await values_of(settings, settings.results_topic) == []
    assert await end_offsets(settings, settings.results_topic) == {0: 0, 1: 0, 2: 0, 3: 0}


async def test_a_reading_starts_where_it_is_told(settings: Settings) -> None:
    await send_events(settings, 0, [b"a", b"b"])
    await asyncio.sleep(0.01)
    since = datetime.now(UTC)
    await asyncio.sleep(0.01)
    await send_events(settings, 0, [b"c"])

    async def read(start: object) -> list[bytes | None]:
        found = read_to_end(settings, settings.events_topic, start=start)  # type: ignore[arg-type]  # each kind in turn
        return [record.value async for record in found]

    assert await read("beginning") == [b"a", b"b", b"c"]
    assert await read(since) == [b"c"]
    assert await read({0: 1}) == [b"b", b"c"]
    assert await read("end") == []


async def test_a_follower_sees_what_comes_after_it_has_begun(settings: Settings) -> None:
    await send_events(settings, 0, [b"old"])
    followed = follow(settings, settings.events_topic, start={0: 1, 1: 0})
    first = asyncio.ensure_future(anext(followed))
    await asyncio.sleep(0.1)
    await send_events(settings, 0, [b"new"])
    assert (await asyncio.wait_for(first, 30)).value == b"new"
    await followed.aclose()  # type: ignore[attr-defined]  # an async generator, by its making


async def test_the_members_of_the_group_are_known_and_old_transactions_fenced(
    settings: Settings, start_reader: ReaderFactory, start_publisher: PublisherFactory
) -> None:
    assert await group_members(settings) == []
    reader, _ = await start_reader()
    assert len(await group_members(settings)) == 1
    await reader.stop(leave_group=True)
    assert await group_members(settings) == []
    old = await start_publisher(lane=1)
    await old.begin()
    await old.send([result(b"old")])
    await fence_all(settings, layout=1, lanes=2)
    with pytest.raises(Exception, match="ProducerFenced"):
        await old.commit()
    assert await values_of(settings, settings.results_topic) == []
