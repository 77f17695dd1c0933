"""A producer whose request failed is tainted for good, also where aiokafka told nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from processor.devstack.embedded import EmbeddedStack
from processor.devstack.stack import Stack
from processor.settings import Settings
from tests.installations import Topics
from tests.integration.kafka.conftest import PublisherFactory
from tests.integration.kafka.helpers import receipt, result, settings_for, values_of
from tests.integration.kafka.proxy import END_TXN, PRODUCE, AnswerLosingProxy


@pytest.fixture
async def proxy(stack: Stack) -> AsyncIterator[AnswerLosingProxy]:
    """A proxy where the broker's second listener is advertised; only an embedded broker has one."""
    if not isinstance(stack, EmbeddedStack):
        pytest.skip("the broker is somebody else's, without a listener behind a proxy")
    async with AnswerLosingProxy(stack.kafka.ports.proxy, stack.kafka.ports.proxied) as made:
        yield made


@pytest.fixture
def proxied(topics: Topics, proxy: AnswerLosingProxy, stack: Stack) -> Settings:
    """Settings whose producer sees the broker through the proxy alone."""
    assert isinstance(stack, EmbeddedStack)
    return settings_for(topics, kafka_bootstrap=stack.proxied_bootstrap, request_timeout_seconds=2.0)


async def test_a_commit_whose_answer_was_lost_returns_normally_and_taints_its_producer(
    settings: Settings, proxied: Settings, proxy: AnswerLosingProxy, start_publisher: PublisherFactory
) -> None:
    publisher = await start_publisher(using=proxied)
    await publisher.begin()
    await publisher.send([result(b"one")])
    await publisher.send_offsets({0: receipt(1, 1)})
    tainted_before = publisher.tainted
    proxy.lose_next_answer_to(END_TXN)
    await publisher.commit()
    assert (proxy.lost, tainted_before, publisher.tainted) == (1, False, True)
    await publisher.abandon()
    successor = await start_publisher(using=proxied)
    await successor.begin()
    await successor.send([result(b"two")])
    await successor.commit()
    assert not successor.tainted
    assert await values_of(settings, settings.results_topic) == [b"one", b"two"]


async def test_a_send_whose_answer_was_lost_taints_its_producer_and_is_not_doubled(
    settings: Settings, proxied: Settings, proxy: AnswerLosingProxy, start_publisher: PublisherFactory
) -> None:
    publisher = await start_publisher(using=proxied)
    await publisher.begin()
    proxy.lose_next_answer_to(PRODUCE)
    await publisher.send([result(b"one")])
    assert publisher.tainted
    await publisher.commit()
    assert await values_of(settings, settings.results_topic) == [b"one"]
