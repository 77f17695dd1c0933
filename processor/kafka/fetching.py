"""Fetch requests of our own, outside the consumer: for the tolerant parser and for looking back from a log's end."""

from __future__ import annotations

from typing import Any, NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import NoError, OffsetOutOfRangeError, for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.structs import TopicPartition

from processor.kafka.questions import READ_COMMITTED, READ_UNCOMMITTED, leader_of, retrying
from processor.kafka.tolerant import Parsed, committed_batches, parse_batch, read_batches

_MAX_WAIT_MS = 100
_MIN_BYTES = 1
_MAX_BYTES = 1024 * 1024


class Read(NamedTuple):
    """What one look at a log gave: committed records, where to go on, and the end (the last stable offset)."""

    records: list[Parsed]
    next_offset: int
    end: int


async def read_log(client: AIOKafkaClient, topic: str, partition: int, offset: int) -> Read:
    """Committed records from ``offset`` on, about a megabyte; none where there are none yet.

    Raises KafkaError: CorruptRecordException where the bytes are damaged, OffsetOutOfRangeError.
    """
    return await retrying(client, lambda: _read_log(client, topic, partition, offset))


async def first_uncommitted(client: AIOKafkaClient, topic: str, partition: int, offset: int) -> Parsed | None:
    """The record at this offset or the next behind it, whatever has become of its transaction. Raises KafkaError."""
    log = await retrying(client, lambda: _uncommitted_log(client, topic, partition, offset))
    batches = (batch for batch in read_batches(log) if not batch.is_control)
    records = (record for batch in batches for record in parse_batch(partition, batch))
    return next((record for record in records if record.offset >= offset), None)


async def _uncommitted_log(client: AIOKafkaClient, topic: str, partition: int, offset: int) -> bytes:
    """By place: aiokafka's `to_object` cannot read an answer without aborted transactions."""
    answer = await _fetch(client, topic, partition, offset, READ_UNCOMMITTED)
    ((_, (described,)),) = answer.topics
    _, error_code, *_, log = described
    _refuse(error_code, topic, partition, offset)
    return bytes(log or b"")


async def _read_log(client: AIOKafkaClient, topic: str, partition: int, offset: int) -> Read:
    answer = (await _fetch(client, topic, partition, offset, READ_COMMITTED)).to_object()
    ((described,),) = [one["partitions"] for one in answer["topics"]]
    _refuse(described["error_code"], topic, partition, offset)
    return _read(described, partition, offset)


async def _fetch(client: AIOKafkaClient, topic: str, partition: int, offset: int, isolation: int) -> Any:
    leader = await leader_of(client, topic, partition)
    places = [(topic, [(partition, offset, _MAX_BYTES)])]
    return await client.send(leader, FetchRequest(_MAX_WAIT_MS, _MIN_BYTES, _MAX_BYTES, isolation, places))


def _refuse(error_code: int, topic: str, partition: int, offset: int) -> None:
    error = for_code(error_code)
    if error is OffsetOutOfRangeError:
        raise error({TopicPartition(topic, partition): offset})
    if error is not NoError:
        raise error(f"{topic} partition {partition}")


def _read(described: dict[str, object], partition: int, offset: int) -> Read:
    end, log, aborted = (
        described["last_stable_offset"],
        described["message_set"],
        described["aborted_transactions"],
    )
    assert isinstance(end, int)
    assert isinstance(aborted, list | None)
    given_up = [(one["producer_id"], one["first_offset"]) for one in aborted or ()]
    batches = list(read_batches(bytes(log or b"")))  # type: ignore[call-overload]  # bytes, by the protocol
    records = [
        record
        for batch in committed_batches(iter(batches), given_up)
        if batch.base_offset < end
        for record in parse_batch(partition, batch)
        if record.offset >= offset
    ]
    return Read(records, batches[-1].last_offset + 1 if batches else offset, end)


async def fetch_tolerantly(
    client: AIOKafkaClient, topic: str, partition: int, offset: int, *, max_records: int
) -> list[Parsed]:
    """At least one record from ``offset`` on, if there is one before the last stable offset. Raises KafkaError."""
    while True:
        read = await read_log(client, topic, partition, offset)
        if read.records or read.next_offset >= read.end or read.next_offset == offset:
            return read.records[:max_records]
        offset = read.next_offset
