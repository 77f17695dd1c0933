"""The three topics on a real cluster: made as the contract says, and refused when they are not."""

from __future__ import annotations

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

from processor.devstack.free_ports import free_ports
from processor.errors import KafkaUnreachable, TopicDiffers, TopicMissing
from processor.kafka.connection import connected_client
from processor.kafka.questions import Described, describe_topic, topic_configuration
from processor.kafka.topics import (
    check_topics,
    configuration_faults,
    create_topics,
    require_kafka,
    shape_faults,
    topic_names,
)
from processor.settings import Settings
from schemas.topics import TOPICS
from tests.installations import Topics, unique
from tests.integration.kafka.helpers import settings_for


@pytest.fixture
def elsewhere(topics: Topics) -> Settings:
    """Settings that name three topics which nobody has made."""
    tag = unique("made")
    return settings_for(
        topics,
        events_topic=f"{tag}.events",
        results_topic=f"{tag}.results",
        dead_letters_topic=f"{tag}.letters",
    )


async def until_there(settings: Settings) -> None:
    """A topic made a moment ago is not known at once."""
    async with connected_client(settings) as client:
        for name in topic_names(settings).values():
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(TopicMissing), stop=stop_after_delay(30), wait=wait_fixed(0.05)
            ):
                with attempt:
                    await describe_topic(client, name)


async def test_missing_topics_are_made_as_the_worker_needs_them(elsewhere: Settings) -> None:
    names = [elsewhere.events_topic, elsewhere.results_topic, elsewhere.dead_letters_topic]
    assert await create_topics(elsewhere) == names
    await check_topics(elsewhere, 4)
    assert await create_topics(elsewhere) == []
    async with connected_client(elsewhere) as client:
        results = await topic_configuration(client, elsewhere.results_topic)
        letters = await topic_configuration(client, elsewhere.dead_letters_topic)
    assert results["retention.ms"] == letters["retention.ms"] == str(30 * 86_400_000)
    assert int(letters["max.message.bytes"]) == 1_048_588 + 65_536


async def test_a_missing_topic_is_named(elsewhere: Settings) -> None:
    with pytest.raises(TopicMissing, match=elsewhere.events_topic):
        await check_topics(elsewhere, 4)


async def test_another_number_of_partitions_is_refused_with_what_to_do(elsewhere: Settings) -> None:
    await create_topics(elsewhere)
    with pytest.raises(TopicDiffers, match=r"has 4 partitions, the lanes are laid out for 8.*resize"):
        await check_topics(elsewhere, 8)


async def test_everything_that_is_wrong_is_told_at_once_with_the_commands(elsewhere: Settings) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=elsewhere.kafka_bootstrap)
    await admin.start()
    await admin.create_topics(
        [
            NewTopic(elsewhere.events_topic, 4, 1),
            NewTopic(elsewhere.results_topic, 4, 1, topic_configs={"retention.ms": "86400000"}),
            NewTopic(elsewhere.dead_letters_topic, 3, 1, topic_configs={"cleanup.policy": "compact"}),
        ]
    )
    await admin.close()
    await until_there(elsewhere)
    with pytest.raises(TopicDiffers) as refusal:
        await check_topics(elsewhere, 4)
    told = str(refusal.value)
    for words in (
        f"{elsewhere.events_topic} has message.timestamp.type=CreateTime, it must be LogAppendTime",
        f"--topic {elsewhere.events_topic} --add-config compression.type=uncompressed",
        f"{elsewhere.results_topic} has retention.ms=86400000, it must be more than 8 days",
        f"{elsewhere.dead_letters_topic} has 3 partitions",
        f"{elsewhere.dead_letters_topic} has cleanup.policy=compact",
        f"--topic {elsewhere.dead_letters_topic} --add-config max.message.bytes=1114124",
    ):
        assert words in told
    assert f"{elsewhere.results_topic} has 4" not in told


async def test_more_replicas_than_brokers_are_refused(elsewhere: Settings) -> None:
    with pytest.raises(TopicDiffers, match="CROUPIER_REPLICATION_FACTOR"):
        await create_topics(elsewhere.model_copy(update={"replication_factor": 3}))


async def test_no_broker_is_told_as_such(elsewhere: Settings) -> None:
    (port,) = free_ports(1)
    gone = elsewhere.model_copy(update={"kafka_bootstrap": f"127.0.0.1:{port}"})
    for ask in (require_kafka(gone), create_topics(gone), check_topics(gone, 4)):
        with pytest.raises(KafkaUnreachable, match=str(port)):
            await ask
    await require_kafka(elsewhere)


def test_on_three_brokers_three_replicas_are_needed_and_two_in_sync() -> None:
    described = Described("id", 4, 1, 3, ())
    (fault,) = shape_faults("results", described, 4, (3, 2))
    assert "1 replicas of a partition, 3 are needed on 3 brokers" in fault
    (fault,) = configuration_faults("results", TOPICS[1], {"cleanup.policy": "delete"}, 2)
    assert "min.insync.replicas=1, it must be 2 or more" in fault
