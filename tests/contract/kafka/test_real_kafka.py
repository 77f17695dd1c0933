"""The real reader and publisher keep the behaviour suite, on a real broker."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.contract.kafka.behaviour import PublisherBehaviour, ReaderBehaviour
from tests.contract.kafka.worlds import RealWorld
from tests.installations import Topics
from tests.integration.kafka.helpers import settings_for


@pytest.fixture
async def world(topics: Topics) -> AsyncIterator[RealWorld]:
    made = RealWorld(settings_for(topics))
    yield made
    await made.close()


class TestRealReader(ReaderBehaviour):
    """On a broker."""


class TestRealPublisher(PublisherBehaviour):
    """On a broker."""
