"""Settings that point the Kafka room at one test's own topics and group."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from processor.kafka.publisher import KafkaPublisher
from processor.kafka.reader import KafkaEventReader
from processor.settings import Settings
from tests.installations import Topics
from tests.integration.kafka.helpers import Assignments, settings_for

ReaderFactory = Callable[..., Awaitable[tuple[KafkaEventReader, Assignments]]]
PublisherFactory = Callable[..., Awaitable[KafkaPublisher]]


@pytest.fixture
def settings(topics: Topics) -> Settings:
    """The settings of a worker on these topics; short sessions, so that rebalances are quick."""
    return settings_for(topics)


@pytest.fixture
async def start_reader(settings: Settings) -> AsyncIterator[ReaderFactory]:
    """Starts readers and waits for their first assignment; stops them all at the end."""
    started: list[KafkaEventReader] = []

    async def start(
        static_id: str | None = None, lanes: int = 2, using: Settings = settings
    ) -> tuple[KafkaEventReader, Assignments]:
        reader = KafkaEventReader(using, lanes=lanes, static_id=static_id)
        assignments = Assignments()
        started.append(reader)
        await reader.start(assignments)
        await assignments.first()
        return reader, assignments

    yield start
    for reader in started:
        await reader.stop(leave_group=True)


@pytest.fixture
async def start_publisher(settings: Settings) -> AsyncIterator[PublisherFactory]:
    """Starts publishers; abandons them all at the end."""
    started: list[KafkaPublisher] = []

    async def start(lane: int = 0, layout: int = 1, using: Settings = settings) -> KafkaPublisher:
        publisher = KafkaPublisher(using, layout=layout, lane=lane)
        started.append(publisher)
        await publisher.start()
        return publisher

    yield start
    for publisher in started:
        await publisher.abandon()
