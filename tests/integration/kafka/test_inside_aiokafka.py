"""Every private name of aiokafka's that we use is still there, and still means what we use it for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.client import AIOKafkaClient, ConnectionGroup
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest

from processor.kafka import inside_aiokafka
from processor.kafka.connection import client_options
from processor.settings import Settings


async def test_a_producer_has_what_letting_go_reaches_for(settings: Settings) -> None:
    producer = AIOKafkaProducer(**client_options(settings), transactional_id="inside")
    await producer.start()
    assert producer._sender.sender_task is not None
    assert producer._message_accumulator.fail_all
    assert producer._message_accumulator._closed is False
    assert producer._message_accumulator._batches == {}
    assert producer._message_accumulator._pending_batches == set()
    assert hasattr(producer._txn_manager, "_transaction_waiter")
    assert producer._closed is False
    for name in (
        "send",
        "ready",
        "coordinator_lookup",
        "_wait_on_metadata",
        "_maybe_wait_metadata",
        "force_metadata_update",
        "_md_update_fut",
    ):
        assert hasattr(producer.client, name), name
    sender_task = producer._sender.sender_task
    await inside_aiokafka.let_go(producer, timeout_seconds=1.0)
    assert sender_task.done()
    with pytest.raises(KafkaConnectionError):
        await producer.client.send(0, None)


async def test_a_sender_that_dies_before_the_first_transaction_does_so_quietly(settings: Settings) -> None:
    producer = AIOKafkaProducer(**client_options(settings), transactional_id="quiet")
    await producer.start()
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))

    async def dies() -> None:
        raise KafkaConnectionError("The line is cut.")

    producer._sender._maybe_wait_for_pid = dies
    producer._txn_manager.notify_task_waiter()
    await inside_aiokafka.let_go(producer, timeout_seconds=1.0)
    assert producer._sender.sender_task.exception() is not None
    assert complaints == []


async def test_every_failed_request_of_a_producer_is_heard_of(settings: Settings) -> None:
    producer = AIOKafkaProducer(**client_options(settings))
    await producer.start()
    heard: list[BaseException] = []
    inside_aiokafka.watch_requests(producer.client, heard.append)
    unknown_node = 4711
    with pytest.raises(Exception, match="not ready"):
        await producer.client.send(unknown_node, None)
    assert len(heard) == 1
    await producer.stop()


async def test_whoever_waits_in_a_stopped_consumer_is_let_go(settings: Settings) -> None:
    consumer = AIOKafkaConsumer(**client_options(settings), group_id=settings.group, auto_offset_reset="none")
    await consumer.start()
    assert inside_aiokafka.member_id(consumer) is None
    assert inside_aiokafka.consumer_problem(consumer) is None
    assert consumer._fetcher._prefetch_backoff == 0.1
    consumer.subscribe([settings.events_topic])
    waiting = asyncio.create_task(
        consumer.getmany(TopicPartition(settings.events_topic, 0), timeout_ms=60_000)
    )
    await asyncio.sleep(0)
    await inside_aiokafka.end_consumer(consumer, timeout_seconds=5.0)
    with pytest.raises(KafkaConnectionError, match="being stopped"):
        await waiting


class _Over:
    """A stream on a transport that uvloop has closed."""

    def write(self, _data: bytes) -> None:
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")

    def close(self) -> None:
        """It is."""


async def test_a_request_on_a_connection_that_is_over_fails_as_such(settings: Settings) -> None:
    """The RuntimeError ended the consumer's fetching for good."""
    client = AIOKafkaClient(**client_options(settings))
    await client.bootstrap()
    node = client.get_random_node()
    assert await client.ready(node)
    connection = client._conns[node, ConnectionGroup.DEFAULT]
    connection._writer.close()
    connection._writer = _Over()
    with pytest.raises(KafkaConnectionError, match="broken: unable to perform"):
        connection.send(MetadataRequest([]))
    assert not connection.connected()
    await client.close()


def test_uvloop_raises_what_aiokafka_does_not_expect(settings: Settings) -> None:
    """Once it does not any more, `mend_connections` can go."""

    async def write_on_what_is_over() -> None:
        host, _, port = settings.kafka_bootstrap.partition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.transport.abort()
        await asyncio.sleep(0.1)
        with pytest.raises(RuntimeError, match="handler is closed"):
            writer.write(b"")

    uvloop.run(write_on_what_is_over())
