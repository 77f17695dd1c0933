"""The transactional producer against a real broker: receipts, aborts, fencing, failed sends, letting go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import psutil
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import MessageSizeTooLargeError, ProducerFenced

from processor.errors import OffsetsUnknown, OffsetsUnstable, PublishFailed
from processor.kafka.publisher import KafkaPublisher
from processor.ports import OutRecord
from processor.settings import Settings
from tests.integration.kafka.conftest import PublisherFactory, ReaderFactory
from tests.integration.kafka.helpers import (
    eventually,
    patiently,
    receipt,
    records_of,
    result,
    values_of,
)


async def test_a_receipt_comes_back_with_its_metadata(
    settings: Settings, start_publisher: PublisherFactory, start_reader: ReaderFactory
) -> None:
    publisher = await start_publisher()
    await publisher.begin()
    await publisher.send([result(b"one")])
    await publisher.send_offsets({0: receipt(7, 3), 2: receipt(4, 3)})
    await publisher.commit()
    reader, _ = await start_reader()
    committed = await patiently(lambda: reader.committed([0, 1, 2]))
    assert committed == {0: receipt(7, 3), 1: None, 2: receipt(4, 3)}
    assert not publisher.tainted


async def test_offsets_under_an_open_transaction_are_no_answer(
    settings: Settings, start_publisher: PublisherFactory, start_reader: ReaderFactory
) -> None:
    publisher = await start_publisher()
    await publisher.begin()
    await publisher.send([result(b"one")])
    await publisher.send_offsets({0: receipt(7, 3)})
    reader, _ = await start_reader()
    with pytest.raises(OffsetsUnknown, match="UNSTABLE_OFFSET_COMMIT"):
        await reader.committed([0])
    await publisher.abandon()
    await start_publisher()
    assert await patiently(lambda: reader.committed([0])) == {0: None}


async def test_what_a_transaction_without_end_markers_left_is_swept_away(
    settings: Settings, start_publisher: PublisherFactory, start_reader: ReaderFactory, no_verification: None
) -> None:
    """The coordinator knows of no transaction, so a new producer's start ends none: readers would wait for ever."""
    publisher = await start_publisher()
    await publisher.begin()
    await publisher.send([result(b"one")])
    await publisher.send_offsets({0: receipt(7, 3)})
    await publisher.commit()
    reader, _ = await start_reader()
    assert await patiently(lambda: reader.committed([0])) == {0: receipt(7, 3)}
    while await values_of(settings, settings.results_topic) != [b"one"]:
        """Its marker would end what follows, too."""
    await publisher.begin()
    _pretend_to_have_told_the_coordinator(publisher, settings)
    await publisher.send([result(b"hangs", batch=b"1/0/4")])
    await publisher.send_offsets({0: receipt(8, 4)})
    await publisher.abandon()
    successor = await start_publisher()
    for _ in range(5):
        with pytest.raises(OffsetsUnstable):
            await reader.committed([0])
    assert await reader.hanging(1, 0, [0, 2]) == {("results", 0): 4}
    await successor.sweep([("results", 0)], [0, 2], commit=False)
    assert await patiently(lambda: reader.committed([0])) == {0: receipt(7, 3)}
    await successor.begin()
    await successor.send([result(b"two")])
    await successor.commit()
    assert await values_of(settings, settings.results_topic) == [b"one", b"two"]


async def test_what_hangs_although_its_receipt_is_there_is_committed_by_a_sweep(
    settings: Settings, start_publisher: PublisherFactory, start_reader: ReaderFactory, no_verification: None
) -> None:
    publisher = await start_publisher()
    await publisher.begin()
    _pretend_to_have_told_the_coordinator(publisher, settings)
    await publisher.send([result(b"hangs", batch=b"1/0/4")])
    await publisher.abandon()
    successor = await start_publisher()
    reader, _ = await start_reader()
    assert await reader.hanging(1, 0, [0, 2]) == {("results", 0): 4}
    await successor.sweep([("results", 0)], [], commit=True)
    while await values_of(settings, settings.results_topic) != [b"hangs"]:
        """The marker is on its way."""
    assert await reader.hanging(1, 0, [0, 2]) == {}


def _pretend_to_have_told_the_coordinator(publisher: KafkaPublisher, settings: Settings) -> None:
    """As after a broker that lost the markers: records and offsets of a transaction that nobody will end."""
    producer = publisher._producer  # no other way to a hanging transaction
    assert producer is not None
    manager = producer._txn_manager  # the same
    manager._txn_partitions.add(TopicPartition(settings.results_topic, 0))  # the same
    manager._txn_consumer_group = settings.group  # the same


@pytest.fixture
async def no_verification(settings: Settings) -> AsyncIterator[None]:
    """The broker takes transactional requests unasked (KIP-890 has it ask the coordinator first)."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    try:
        for value in ("false", None):
            configured = {} if value is None else {"transaction.partition.verification.enable": value}
            await admin.alter_configs([ConfigResource(ConfigResourceType.BROKER, "1", configured)])
            if value is not None:
                while await _verification(admin) != value:
                    """The broker hears of it from its controller."""
                yield
    finally:
        await admin.close()


async def _verification(admin: AIOKafkaAdminClient) -> str:
    """What the broker says that it does now."""
    (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.BROKER, "1")])
    (resource,) = answer.to_object()["resources"]
    values = {entry["config_names"]: entry["config_value"] for entry in resource["config_entries"]}
    return str(values["transaction.partition.verification.enable"])


async def test_what_a_fenced_producer_sent_is_never_seen(
    settings: Settings, start_publisher: PublisherFactory
) -> None:
    zombie = await start_publisher()
    await zombie.begin()
    await zombie.send([result(b"from the zombie")])
    successor = await start_publisher()
    with pytest.raises(PublishFailed) as failure:
        await _go_on(zombie)
    assert isinstance(failure.value.__cause__, ProducerFenced)
    await successor.begin()
    await successor.send([result(b"from the successor")])
    await successor.commit()
    assert await values_of(settings, settings.results_topic) == [b"from the successor"]


async def _go_on(zombie: KafkaPublisher) -> None:
    await zombie.send([result(b"more of it")])
    await zombie.send_offsets({0: receipt(9, 9)})
    await zombie.commit()


async def test_a_record_that_the_broker_refuses_fails_the_send_although_a_commit_would_succeed(
    settings: Settings, start_publisher: PublisherFactory
) -> None:
    publisher = await start_publisher()
    await publisher.begin()
    with pytest.raises(PublishFailed) as failure:
        await publisher.send([result(b"small"), result(b"x" * 1_100_000, partition=1)])
    assert isinstance(failure.value.__cause__, MessageSizeTooLargeError)
    assert publisher.tainted


async def test_a_large_dead_letter_and_many_small_ones_go_in_order(
    settings: Settings, start_publisher: PublisherFactory
) -> None:
    publisher = await start_publisher()
    small = [OutRecord("dead-letters", 1, b"k", b"%d" % n + b"-" * 2000, []) for n in range(600)]
    large = OutRecord("dead-letters", 1, None, b"L" * 1_048_506, [("reason", b"TOO_LARGE"), ("empty", None)])
    nothing = OutRecord("dead-letters", 1, None, None, [])
    await publisher.begin()
    await publisher.send([*small[:300], large, nothing, *small[300:]])
    await publisher.commit()
    letters = await records_of(settings, settings.dead_letters_topic)
    assert [one.value for one in letters] == [
        one.value for one in [*small[:300], large, nothing, *small[300:]]
    ]
    assert list(letters[300].headers) == [("reason", b"TOO_LARGE"), ("empty", None)]


async def test_results_and_dead_letters_of_one_transaction_are_seen_together_or_not_at_all(
    settings: Settings, start_publisher: PublisherFactory
) -> None:
    publisher = await start_publisher()
    await publisher.begin()
    await publisher.send([result(b"one"), OutRecord("dead-letters", 3, b"k", b"letter", [])])
    assert await values_of(settings, settings.results_topic) == []
    await publisher.commit()
    assert await values_of(settings, settings.results_topic) == [b"one"]
    assert await values_of(settings, settings.dead_letters_topic) == [b"letter"]


async def test_a_cancelled_commit_has_come_to_its_end_before_the_cancellation_is_felt(
    settings: Settings, start_publisher: PublisherFactory
) -> None:
    publisher = await start_publisher()
    await publisher.begin()
    await publisher.send([result(b"one")])
    committing = asyncio.create_task(publisher.commit())
    await asyncio.sleep(0)
    committing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await committing
    await publisher.begin()
    await publisher.send([result(b"two")])
    await publisher.commit()
    assert await values_of(settings, settings.results_topic) == [b"one", b"two"]


async def test_an_abandoned_producer_leaves_no_socket_and_no_task(
    settings: Settings, start_publisher: PublisherFactory
) -> None:
    tasks, sockets = len(asyncio.all_tasks()), _sockets()
    for stage in ("started", "begun", "sent", "sending", "committing"):
        publisher = await start_publisher()
        pending = await _bring_to(publisher, stage)
        assert _sockets() > sockets
        await publisher.abandon()
        if pending is not None:
            pending.cancel()
            await asyncio.wait({pending})
    await eventually(lambda: _sockets() == sockets and len(asyncio.all_tasks()) == tasks)


async def _bring_to(publisher: KafkaPublisher, stage: str) -> asyncio.Task[None] | None:
    if stage != "started":
        await publisher.begin()
    if stage in ("sent", "committing"):
        await publisher.send([result(b"one")])
    pending: asyncio.Task[None] | None = None
    if stage == "sending":
        pending = asyncio.create_task(publisher.send([result(b"one")]))
    if stage == "committing":
        pending = asyncio.create_task(publisher.commit())
    await asyncio.sleep(0)
    return pending


def _sockets() -> int:
    return len(psutil.Process().net_connections(kind="tcp"))


async def test_an_abandoned_producer_refuses_all_further_work(
    settings: Settings, start_publisher: PublisherFactory
) -> None:
    publisher = await start_publisher()
    await publisher.abandon()
    await publisher.abandon()
    with pytest.raises(PublishFailed, match="abandoned"):
        await publisher.begin()
    assert publisher.tainted
