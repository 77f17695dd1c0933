"""Requests of Kafka's protocol that aiokafka has not, or only in versions too old for us.

Three of them, each in the oldest version that carries what we need (all are in every broker since Kafka 2.8):

- ``Metadata`` 12, for the topic's id: a topic that was deleted and made again has another one;
- ``OffsetFetch`` 7, for ``require_stable``: while a transaction that holds offsets is being resolved, the broker
  says so instead of answering with the offsets before it;
- ``LeaveGroup`` 3, for ``group_instance_id``: without it a static member cannot leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from uuid import UUID

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import AbstractType as WireType
from aiokafka.protocol.types import (
    Array,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    String,
    TaggedFields,
)

_NO_TOPIC_ID = UUID(int=0)


class WireUuid(WireType):  # type: ignore[misc]  # aiokafka comes without types
    """Sixteen raw bytes."""

    @classmethod
    def encode(cls, value: UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        return UUID(bytes=data.read(16))


class MetadataAnswer(Response):  # type: ignore[misc]  # aiokafka comes without types
    """Brokers and topics, each topic with its id."""

    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", CompactString("utf-8")),
                ("topic_id", WireUuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class MetadataQuestion(RequestStruct):  # type: ignore[misc]  # aiokafka comes without types
    """Metadata, version 12."""

    API_KEY = 3
    API_VERSION = 12
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = MetadataAnswer
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(("topic_id", WireUuid), ("name", CompactString("utf-8")), ("tags", TaggedFields)),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class TopicMetadataRequest(Request[MetadataQuestion]):  # type: ignore[misc]  # aiokafka comes without types
    """What is known of these topics, ids included; never creates one."""

    API_KEY = 3

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[MetadataQuestion]) -> MetadataQuestion:
        return request_struct_class([(_NO_TOPIC_ID, topic, {}) for topic in self._topics], False, False, {})


class OffsetsAnswer(Response):  # type: ignore[misc]  # aiokafka comes without types
    """Committed offsets with their metadata, and an error for the whole."""

    API_KEY = 9
    API_VERSION = 7
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            CompactArray(
                ("topic", CompactString("utf-8")),
                (
                    "partitions",
                    CompactArray(
                        ("partition", Int32),
                        ("offset", Int64),
                        ("leader_epoch", Int32),
                        ("metadata", CompactString("utf-8")),
                        ("error_code", Int16),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("error_code", Int16),
        ("tags", TaggedFields),
    )


class OffsetsQuestion(RequestStruct):  # type: ignore[misc]  # aiokafka comes without types
    """OffsetFetch, version 7."""

    API_KEY = 9
    API_VERSION = 7
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = OffsetsAnswer
    SCHEMA = Schema(
        ("group", CompactString("utf-8")),
        (
            "topics",
            CompactArray(
                ("topic", CompactString("utf-8")), ("partitions", CompactArray(Int32)), ("tags", TaggedFields)
            ),
        ),
        ("require_stable", Boolean),
        ("tags", TaggedFields),
    )


class StableOffsetsRequest(Request[OffsetsQuestion]):  # type: ignore[misc]  # aiokafka comes without types
    """The group's committed offsets of just these partitions, none of them under an open transaction."""

    API_KEY = 9

    def __init__(self, group: str, topic: str, partitions: Sequence[int]) -> None:
        self._group = group
        self._topic = topic
        self._partitions = partitions

    def build(self, request_struct_class: type[OffsetsQuestion]) -> OffsetsQuestion:
        return request_struct_class(self._group, [(self._topic, list(self._partitions), {})], True, {})


class LeaveAnswer(Response):  # type: ignore[misc]  # aiokafka comes without types
    """Whether the members have left."""

    API_KEY = 13
    API_VERSION = 3
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        (
            "members",
            Array(
                ("member_id", String("utf-8")),
                ("group_instance_id", String("utf-8")),
                ("error_code", Int16),
            ),
        ),
    )


class LeaveQuestion(RequestStruct):  # type: ignore[misc]  # aiokafka comes without types
    """LeaveGroup, version 3."""

    API_KEY = 13
    API_VERSION = 3
    RESPONSE_TYPE = LeaveAnswer
    SCHEMA = Schema(
        ("group", String("utf-8")),
        ("members", Array(("member_id", String("utf-8")), ("group_instance_id", String("utf-8")))),
    )


class LeaveStaticallyRequest(Request[LeaveQuestion]):  # type: ignore[misc]  # aiokafka comes without types
    """A member with a static id leaves the group."""

    API_KEY = 13

    def __init__(self, group: str, member_id: str, group_instance_id: str) -> None:
        self._group = group
        self._member = (member_id, group_instance_id)

    def build(self, request_struct_class: type[LeaveQuestion]) -> LeaveQuestion:
        return request_struct_class(self._group, [self._member])
