"""What a broker that dies leaves of a producer and a consumer, and that both come back with it."""

from __future__ import annotations

import asyncio

import psutil
import pytest
from aiokafka.errors import KafkaConnectionError

from processor.devstack.embedded import EmbeddedStack
from processor.errors import KafkaUnreachable, OffsetsUnknown, PublishFailed
from processor.kafka.connection import connected_client
from processor.kafka.publisher import KafkaPublisher
from processor.kafka.reader import KafkaEventReader
from processor.settings import Settings
from tests.installations import make_topics
from tests.integration.kafka.helpers import (
    Assignments,
    eventually,
    fetch_exactly,
    patiently,
    receipt,
    result,
    send_events,
    settings_for,
    values_of,
)


async def test_a_broker_dies_in_the_middle_of_a_transaction_and_comes_back(own_stack: EmbeddedStack) -> None:
    topics = await make_topics(own_stack.kafka.bootstrap, 4)
    settings = settings_for(topics, request_timeout_seconds=1.0, publish_timeout_seconds=3.0)
    reader = KafkaEventReader(settings, lanes=2)
    heard = Assignments()
    await reader.start(heard)
    await heard.first()
    await send_events(settings, 0, [b"a", b"b"])
    reader.seek(0, 0)
    await fetch_exactly(reader, [0], 2)
    publisher = KafkaPublisher(settings, layout=1, lane=0)
    await publisher.start()
    await publisher.begin()
    await publisher.send([result(b"half")])
    await own_stack.kafka.kill()
    with pytest.raises(PublishFailed):
        await publisher.commit()
    await asyncio.wait_for(publisher.abandon(), 10.0)
    with pytest.raises(OffsetsUnknown):
        await reader.committed([0])
    assert list(await reader.fetch([0], max_records=1, timeout_seconds=0.2)) == []
    await eventually(lambda: reader.problem() is not None)
    unlucky = KafkaPublisher(settings, layout=1, lane=0)
    with pytest.raises(PublishFailed):
        await unlucky.start()
    await asyncio.wait_for(unlucky.abandon(), 10.0)

    await own_stack.kafka.start()
    successor = KafkaPublisher(settings, layout=1, lane=0)
    await _start_when_possible(successor)
    await successor.begin()
    await successor.send([result(b"whole")])
    await successor.send_offsets({0: receipt(2, 1)})
    await successor.commit()
    assert await values_of(settings, settings.results_topic) == [b"whole"]
    assert await patiently(lambda: reader.committed([0])) == {0: receipt(2, 1)}
    await send_events(settings, 0, [b"c"])
    await eventually(lambda: reader.problem() is None and 0 in reader.assigned())
    reader.seek(0, 2)
    assert [one.value for one in await fetch_exactly(reader, [0], 1)] == [b"c"]
    await successor.abandon()
    await reader.stop(leave_group=True)
    port = own_stack.kafka.ports.plain
    await eventually(lambda: not _connections_to(port))


async def _start_when_possible(publisher: KafkaPublisher) -> None:
    try:
        await publisher.start()
    except PublishFailed:
        await publisher.abandon()
        await publisher.start()


def _connections_to(port: int) -> list[object]:
    return [
        one
        for one in psutil.Process().net_connections(kind="tcp")
        if getattr(one.raddr, "port", None) == port and one.status == psutil.CONN_ESTABLISHED
    ]


async def test_a_line_that_is_cut_in_the_middle_of_a_question_is_told_as_a_broker_that_is_away(
    settings: Settings,
) -> None:
    """A worker that starts then ends with 3, not with a traceback."""
    with pytest.raises(KafkaUnreachable):
        async with connected_client(settings):
            raise KafkaConnectionError("Connection closed")
