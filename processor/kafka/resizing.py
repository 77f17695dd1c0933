"""What a change of the layout asks of Kafka: an empty group, and no old transaction that could still commit."""

from __future__ import annotations

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from processor.kafka.connection import client_options
from processor.kafka.publisher import KafkaPublisher
from processor.kafka.refusals import explained
from processor.settings import Settings


async def group_members(settings: Settings) -> list[str]:
    """Who is in the group now, as ``client@host``; empty: nobody. Raises `errors.KafkaUnreachable`."""
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        await admin.start()
        (answer,) = await admin.describe_consumer_groups([settings.group])
    except (KafkaError, OSError) as error:
        raise await explained(settings, error) from error
    finally:
        await admin.close()
    return [
        f"{member['client_id']}@{member['client_host']}"
        for group in answer.to_object()["groups"]
        for member in group["members"]
    ]


async def fence_all(settings: Settings, layout: int, lanes: int) -> None:
    """Start and end a producer with every id of a layout: a transaction begun under one can no longer commit.

    Raises `errors.PublishFailed`; calling it again is harmless.
    """
    for lane in range(lanes):
        publisher = KafkaPublisher(settings, layout=layout, lane=lane)
        try:
            await publisher.start()
        finally:
            await publisher.abandon()
