"""The last published batch is read from the topics past what was aborted there."""

from __future__ import annotations

from processor.kafka.last_batch import last_batch
from processor.settings import Settings
from tests.integration.kafka.conftest import PublisherFactory
from tests.integration.kafka.helpers import result


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
