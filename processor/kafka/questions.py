"""What we ask a cluster ourselves: topics with their ids and configuration, committed offsets, offsets of a log.

An answer counts only when it is complete: a partition that is missing from it, or any error in it, is an error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.errors import KafkaError, NoError, UnknownTopicOrPartitionError, for_code
from aiokafka.protocol.admin import DescribeConfigsRequest
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.structs import TopicPartition
from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_fixed

from processor.errors import OffsetsUnknown, OffsetsUnstable, TopicMissing
from processor.kafka.wire import LeaveStaticallyRequest, StableOffsetsRequest, TopicMetadataRequest
from processor.ports import CommittedOffset, TopicFacts

_T = TypeVar("_T")

EARLIEST = -2
LATEST = -1
READ_COMMITTED = 1
READ_UNCOMMITTED = 0
_CONSUMER = -1
_TOPIC_RESOURCE = 2
_NO_OFFSET = -1
_PATIENCE_SECONDS = 5.0
_ASK_EVERY_SECONDS = 0.05
# A transaction that holds offsets of the group is not resolved yet; aiokafka has no name for this code.
_UNSTABLE_OFFSET_COMMIT = 88


class Described(NamedTuple):
    """A topic as metadata tell it: its id, its partitions, the smallest number of their replicas, the brokers."""

    topic_id: str
    partitions: int
    replicas: int
    brokers: int
    leaderless: tuple[int, ...]


async def describe_topic(client: AIOKafkaClient, topic: str) -> Described:
    """What metadata say of a topic. Raises `errors.TopicMissing`, KafkaError."""
    answer = (await client.send(client.get_random_node(), TopicMetadataRequest([topic]))).to_object()
    (described,) = answer["topics"]
    error = for_code(described["error_code"])
    if error is UnknownTopicOrPartitionError:
        raise missing(topic)
    if error is not NoError:
        raise error(topic)
    partitions = described["partitions"]
    return Described(
        str(described["topic_id"]),
        len(partitions),
        min((len(one["replicas"]) for one in partitions), default=0),
        len(answer["brokers"]),
        tuple(one["partition"] for one in partitions if one["leader"] < 0),
    )


async def topic_facts(client: AIOKafkaClient, topic: str) -> TopicFacts:
    """The topic's id, partitions and whole configuration. Raises `errors.TopicMissing`, KafkaError."""
    described = await describe_topic(client, topic)
    return TopicFacts(described.topic_id, described.partitions, await topic_configuration(client, topic))


async def topic_configuration(client: AIOKafkaClient, topic: str) -> dict[str, str]:
    """Every setting of a topic that the broker shows. Raises `errors.TopicMissing`, KafkaError."""
    answer = await client.send(
        client.get_random_node(), DescribeConfigsRequest([(_TOPIC_RESOURCE, topic, None)])
    )
    (resource,) = answer.to_object()["resources"]
    error = for_code(resource["error_code"])
    if error is UnknownTopicOrPartitionError:
        raise missing(topic)
    if error is not NoError:
        raise error(resource["error_message"])
    return {entry["config_names"]: entry["config_value"] or "" for entry in resource["config_entries"]}


def missing(topic: str) -> TopicMissing:
    """The error that says what to do about a topic that is not there."""
    return TopicMissing(
        f"The topic {topic} does not exist on this cluster (or this user may not see it). "
        "`croupier topics create` creates it."
    )


async def committed_offsets(
    client: AIOKafkaClient, group: str, topic: str, partitions: Sequence[int]
) -> dict[int, CommittedOffset | None]:
    """The group's committed offsets; None where the broker said there is none. Raises `errors.OffsetsUnknown`."""
    try:
        coordinator = await client.coordinator_lookup(CoordinationType.GROUP, group)
        answer = await client.send(
            coordinator, StableOffsetsRequest(group, topic, partitions), group=ConnectionGroup.COORDINATION
        )
    except (KafkaError, OSError) as error:
        raise OffsetsUnknown(f"The coordinator of group {group} did not answer: {error!r}.") from error
    return read_offsets_answer(answer.to_object(), topic, partitions)


def read_offsets_answer(
    answer: Mapping[str, object], topic: str, partitions: Sequence[int]
) -> dict[int, CommittedOffset | None]:
    """Take an OffsetFetch answer apart; anything less than an answer for every partition is none.

    Raises `errors.OffsetsUnknown`.
    """
    _refuse(answer["error_code"], f"topic {topic}")
    found: dict[int, CommittedOffset | None] = {}
    topics = answer["topics"]
    assert isinstance(topics, list)
    for described in topics:
        if described["topic"] != topic:
            continue
        for one in described["partitions"]:
            _refuse(one["error_code"], f"{topic} partition {one['partition']}")
            known = one["offset"] != _NO_OFFSET
            found[one["partition"]] = CommittedOffset(one["offset"], one["metadata"] or "") if known else None
    absent = sorted(set(partitions) - found.keys())
    if absent:
        raise OffsetsUnknown(
            f"The group coordinator said nothing of {topic} partitions {absent}; that is no answer."
        )
    return {partition: found[partition] for partition in partitions}


def _refuse(error_code: object, what: str) -> None:
    error = for_code(error_code)
    if error is not NoError:
        if error_code == _UNSTABLE_OFFSET_COMMIT:
            raise OffsetsUnstable(
                f"The group coordinator answered UNSTABLE_OFFSET_COMMIT for the offsets of {what}."
            )
        raise OffsetsUnknown(f"The group coordinator answered {error.__name__} for the offsets of {what}.")


async def leave_group(client: AIOKafkaClient, group: str, member: str, static_id: str) -> None:
    """Take a static member out of its group. Raises KafkaError."""
    coordinator = await client.coordinator_lookup(CoordinationType.GROUP, group)
    answer = await client.send(coordinator, LeaveStaticallyRequest(group, member, static_id))
    for code in (answer.error_code, *(one[2] for one in answer.members)):
        if for_code(code) is not NoError:
            raise for_code(code)(f"leaving group {group} as {static_id}")


async def log_offsets(
    client: AIOKafkaClient, topic: str, partitions: Sequence[int], at: int, *, isolation: int = READ_COMMITTED
) -> dict[int, int]:
    """Offsets of each partition's log: `EARLIEST`, `LATEST` (the last stable one) or the first at a Unix time in ms.

    With `READ_UNCOMMITTED` the latest is the end itself, behind records of transactions that are under way.

    A partition with nothing at or after the time is left out. Raises KafkaError.
    """
    return await retrying(client, lambda: _log_offsets(client, topic, partitions, at, isolation))


async def retrying(client: AIOKafkaClient, ask: Callable[[], Awaitable[_T]]) -> _T:
    """Ask again while Kafka says that a later answer may be another: leaders move. Raises the last KafkaError."""
    async for attempt in AsyncRetrying(
        retry=retry_if_exception(_may_pass),
        stop=stop_after_delay(_PATIENCE_SECONDS),
        wait=wait_fixed(_ASK_EVERY_SECONDS),
        before_sleep=lambda _: client.force_metadata_update(),
        reraise=True,
    ):
        with attempt:
            return await ask()
    raise AssertionError("tenacity either returns or raises")


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, KafkaError) and bool(error.retriable)


async def _log_offsets(
    client: AIOKafkaClient, topic: str, partitions: Sequence[int], at: int, isolation: int
) -> dict[int, int]:
    by_leader: dict[int, list[int]] = {}
    for partition in partitions:
        by_leader.setdefault(await leader_of(client, topic, partition), []).append(partition)
    found: dict[int, int] = {}
    answers = await asyncio.gather(
        *(
            client.send(
                leader,
                OffsetRequest(_CONSUMER, isolation, [(topic, [(one, at) for one in theirs])]),
            )
            for leader, theirs in by_leader.items()
        )
    )
    for answer in answers:
        for _, described in answer.topics:
            for partition, error_code, _time, offset in described:
                error = for_code(error_code)
                if error is not NoError:
                    raise error(f"{topic} partition {partition}")
                if offset >= 0:
                    found[partition] = offset
    return found


async def leader_of(client: AIOKafkaClient, topic: str, partition: int) -> int:
    """The node that leads a partition. Raises UnknownTopicOrPartitionError where none does now."""
    if client.cluster.partitions_for_topic(topic) is None:
        await client.add_topic(topic)
    leader = client.cluster.leader_for_partition(TopicPartition(topic, partition))
    if leader is None or leader == -1:
        raise UnknownTopicOrPartitionError(f"{topic} partition {partition} has no leader now")
    return int(leader)
