"""Deleting a group with its committed offsets, as a tool or a person in a hurry does."""

from __future__ import annotations

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import DeleteGroupsRequest

from processor.settings import Settings


async def group_deleted(settings: Settings) -> bool:
    """Try it; False where it still has members, whose sessions must be over first. Raises KafkaError."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    try:
        coordinator = await admin.find_coordinator(settings.group)
        answer = await admin._send_request_to_node(coordinator, DeleteGroupsRequest([settings.group]))
        return all(code == 0 for _, code in answer.results)
    finally:
        await admin.close()
