"""The Kafka in memory keeps the behaviour suite; and its faults are those of the real client."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from processor.errors import FetchFailed, PublishFailed
from tests.contract.kafka.behaviour import PublisherBehaviour, ReaderBehaviour
from tests.contract.kafka.worlds import FakeWorld
from tests.fakes.kafka import FakeCluster
from tests.integration.kafka.helpers import Assignments, result


@pytest.fixture
async def world() -> AsyncIterator[FakeWorld]:
    made = FakeWorld()
    yield made
    await made.close()


class TestFakeReader(ReaderBehaviour):
    """In memory."""


class TestFakePublisher(PublisherBehaviour):
    """In memory."""


async def test_a_failed_fetch_loses_what_it_had_drained_until_somebody_seeks() -> None:
    cluster = FakeCluster()
    cluster.append(0, b"a")
    reader = cluster.reader()
    heard = Assignments()
    await reader.start(heard)
    await heard.first()
    reader.seek(0, 0)
    cluster.fail_next("fetch")
    with pytest.raises(FetchFailed):
        await reader.fetch([0], max_records=5, timeout_seconds=0.01)
    assert list(await reader.fetch([0], max_records=5, timeout_seconds=0.01)) == []
    reader.seek(0, 0)
    assert len(await reader.fetch([0], max_records=5, timeout_seconds=0.01)) == 1


async def test_a_commit_retried_in_silence_commits_half_of_the_next_batch_if_the_producer_is_kept() -> None:
    cluster = FakeCluster()
    publisher = cluster.publisher(1, 0)
    await publisher.start()
    cluster.fail_next("commit", "silent")
    await publisher.begin()
    await publisher.send([result(b"one")])
    await publisher.commit()
    assert publisher.tainted
    await publisher.begin()
    await publisher.send([result(b"two"), result(b"three")])
    await publisher.abandon()
    assert [one.value for one in cluster.results] == [b"one", b"two"]


async def test_a_commit_may_have_happened_although_it_raised() -> None:
    cluster = FakeCluster()
    publisher = cluster.publisher(1, 0)
    await publisher.start()
    cluster.fail_next("commit", "after")
    await publisher.begin()
    await publisher.send([result(b"one")])
    with pytest.raises(PublishFailed):
        await publisher.commit()
    assert [one.value for one in cluster.results] == [b"one"]
