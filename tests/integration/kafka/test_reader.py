"""The consumer against a real broker: membership, static ids, starting where something is wrong."""

from __future__ import annotations

import asyncio
import time

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

from processor.devstack.free_ports import free_ports
from processor.errors import KafkaUnreachable, TopicMissing
from processor.kafka.reader import KafkaEventReader
from processor.settings import Settings
from tests.installations import Topics
from tests.integration.kafka.conftest import PublisherFactory, ReaderFactory
from tests.integration.kafka.helpers import (
    Assignments,
    eventually,
    fetch_exactly,
    patiently,
    receipt,
    send_events,
    settings_for,
)


async def test_three_readers_joining_and_leaving_always_share_whole_lanes(
    start_reader: ReaderFactory,
) -> None:
    first, _ = await start_reader()
    assert _lanes(first) == {0, 1}
    second, _ = await start_reader()
    await eventually(lambda: sorted(len(_lanes(one)) for one in (first, second)) == [1, 1])
    kept = _lanes(first)
    third, _ = await start_reader()
    await eventually(
        lambda: (
            sorted(len(_lanes(one)) for one in (first, second, third)) == [0, 1, 1]
            and _lanes(first) | _lanes(second) | _lanes(third) == {0, 1}
        )
    )
    assert _lanes(first) == kept
    await second.stop(leave_group=True)
    await eventually(lambda: _lanes(first) | _lanes(third) == {0, 1} and len(_lanes(third)) == 1)
    assert _lanes(first) == kept
    await first.stop(leave_group=True)
    await eventually(lambda: _lanes(third) == {0, 1})


def _lanes(reader: KafkaEventReader) -> set[int]:
    lanes = {partition % 2 for partition in reader.assigned()}
    assert reader.assigned() == {partition for partition in range(4) if partition % 2 in lanes}
    return lanes


async def test_a_static_member_that_left_gives_its_lanes_away_at_once(
    settings: Settings, start_reader: ReaderFactory
) -> None:
    leaver, _ = await start_reader(static_id="worker-1")
    stayer, _ = await start_reader(static_id="worker-2")
    await eventually(lambda: len(_lanes(leaver)) == len(_lanes(stayer)) == 1)
    started = time.monotonic()
    await leaver.stop(leave_group=True)
    await eventually(lambda: _lanes(stayer) == {0, 1})
    assert time.monotonic() - started < settings.session_timeout_seconds


async def test_a_static_member_that_is_killed_and_restarted_has_its_lanes_back_before_its_session_ends(
    settings: Settings, start_reader: ReaderFactory
) -> None:
    killed, _ = await start_reader(static_id="worker-1")
    lanes = _lanes(killed)
    await killed.stop(leave_group=False)
    started = time.monotonic()
    restarted, _ = await start_reader(static_id="worker-1")
    assert _lanes(restarted) == lanes
    assert time.monotonic() - started < settings.session_timeout_seconds


async def test_a_stopped_reader_leaves_no_task_and_a_fetch_that_waits_is_let_go(
    start_reader: ReaderFactory,
) -> None:
    tasks = len(asyncio.all_tasks())
    reader, _ = await start_reader()
    reader.seek(0, 0)
    waiting = asyncio.create_task(reader.fetch([0], max_records=1, timeout_seconds=60.0))
    await asyncio.sleep(0)
    await reader.stop(leave_group=True)
    await asyncio.wait({waiting}, timeout=30.0)
    assert waiting.done()
    waiting.exception()
    await eventually(lambda: len(asyncio.all_tasks()) == tasks)


async def test_an_unready_partition_holds_up_no_other(
    settings: Settings, start_publisher: PublisherFactory, start_reader: ReaderFactory
) -> None:
    await send_events(settings, 0, [b"a", b"b", b"c"])
    await send_events(settings, 2, [b"x"])
    publisher = await start_publisher()
    await publisher.begin()
    await publisher.send_offsets({0: receipt(1, 1)})
    await publisher.commit()
    reader, _ = await start_reader()
    reader.seek(2, 0)
    assert [one.value for one in await fetch_exactly(reader, [2], 1)] == [b"x"]
    reader.seek(0, 0)
    assert [one.value for one in await fetch_exactly(reader, [0], 3)] == [b"a", b"b", b"c"]


async def test_a_receipt_is_still_read_by_a_group_without_members(
    settings: Settings, start_publisher: PublisherFactory, start_reader: ReaderFactory
) -> None:
    publisher = await start_publisher()
    await publisher.begin()
    await publisher.send_offsets({0: receipt(1, 1)})
    await publisher.commit()
    for _ in range(2):
        reader, _assignments = await start_reader()
        assert await patiently(lambda: reader.committed([0])) == {0: receipt(1, 1)}  # noqa: B023  # awaited before the loop goes on
        await reader.stop(leave_group=True)


async def test_a_topic_that_was_deleted_and_made_again_has_another_id(
    settings: Settings, start_reader: ReaderFactory
) -> None:
    reader, _ = await start_reader()
    before = await reader.events_topic()
    await reader.stop(leave_group=True)
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    await admin.delete_topics([settings.events_topic])

    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(AssertionError), stop=stop_after_delay(30), wait=wait_fixed(0.1)
    ):
        with attempt:
            answer = await admin.create_topics([NewTopic(settings.events_topic, 4, 1)])
            assert answer.topic_errors[0][1] == 0
    await admin.close()
    # The broker learns of the deletion and of the new topic one after the other, some time after the controller.
    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type((AssertionError, TopicMissing)),
        stop=stop_after_delay(30),
        wait=wait_fixed(0.1),
        reraise=True,
    ):
        with attempt:
            reader, _ = await start_reader()
            assert (await reader.events_topic()).topic_id != before.topic_id


async def test_the_topic_tells_its_configuration(start_reader: ReaderFactory) -> None:
    reader, _ = await start_reader()
    facts = await reader.events_topic()
    assert facts.partitions == 4
    assert facts.configuration["message.timestamp.type"] == "LogAppendTime"
    assert facts.configuration["compression.type"] == "uncompressed"


async def test_a_missing_topic_is_named_with_the_command_that_makes_it(topics: Topics) -> None:
    reader = KafkaEventReader(settings_for(topics, events_topic="no.such.topic"), lanes=2)
    with pytest.raises(TopicMissing, match=r"no\.such\.topic .* `croupier topics create`"):
        await reader.start(Assignments())


async def test_a_broker_that_does_not_answer_is_named_and_soon(topics: Topics) -> None:
    (port,) = free_ports(1)
    address = f"127.0.0.1:{port}"
    settings = settings_for(topics, kafka_bootstrap=address, request_timeout_seconds=1.0)
    reader = KafkaEventReader(settings, lanes=2)
    with pytest.raises(KafkaUnreachable, match=rf"{address}.*CROUPIER_KAFKA_BOOTSTRAP"):
        await asyncio.wait_for(reader.start(Assignments()), 30.0)


async def test_a_server_that_accepts_and_says_nothing_is_unreachable_too(topics: Topics) -> None:
    async def say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(20)
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = settings_for(topics, kafka_bootstrap=f"127.0.0.1:{port}", request_timeout_seconds=1.0)
    reader = KafkaEventReader(settings, lanes=2)
    with pytest.raises(KafkaUnreachable):
        await asyncio.wait_for(reader.start(Assignments()), 15.0)
    server.close()
