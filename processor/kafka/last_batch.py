"""Which batch of a lane was the last to reach the topics: read backwards from their ends, in growing steps.

For the day when the receipt is gone (offsets expire after seven idle days; a tool reset them). Every result and dead
letter says in ``wallet-batch: layout/lane/seq`` which batch it is of. A partition belongs to one lane, and a lane's
batches reach it in order: so its last record with that header answers for the partition.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from aiokafka.client import AIOKafkaClient

from processor.kafka.connection import connected_client
from processor.kafka.fetching import read_log
from processor.kafka.questions import EARLIEST, LATEST, log_offsets
from processor.kafka.tolerant import Parsed
from processor.ports import StoredRecord
from processor.settings import Settings

BATCH_HEADER = "wallet-batch"
_FIRST_STEP = 64
_STEP_GROWTH = 4


class BatchName(NamedTuple):
    """The three numbers of the header."""

    layout: int
    lane: int
    seq: int


def batch_name(record: Parsed) -> BatchName | None:
    """The batch that a record says it is of; None where it says nothing that can be read."""
    if not isinstance(record, StoredRecord):
        return None
    for key, value in record.headers:
        if key == BATCH_HEADER and value is not None:
            numbers = value.split(b"/")
            if len(numbers) == 3 and all(number.isdigit() for number in numbers):
                return BatchName(*(int(number) for number in numbers))
    return None


async def last_batch(
    settings: Settings, topics: Sequence[str], layout: int, lane: int, partitions: Sequence[int]
) -> int | None:
    """The highest ``seq`` of this lane on these partitions of these topics, None where there is none.

    Raises `errors.KafkaUnreachable`, `errors.AccessDenied`.
    """
    async with connected_client(settings) as client:
        found = await asyncio.gather(
            *(_last_of_topic(client, topic, layout, lane, partitions) for topic in topics)
        )
    return max((seq for seq in found if seq is not None), default=None)


async def _last_of_topic(
    client: AIOKafkaClient, topic: str, layout: int, lane: int, partitions: Sequence[int]
) -> int | None:
    starts = await log_offsets(client, topic, partitions, EARLIEST)
    ends = await log_offsets(client, topic, partitions, LATEST)
    last: int | None = None
    for partition in partitions:
        name = await _last_name(client, topic, partition, starts[partition], ends[partition], layout, lane)
        if name is not None and name[:2] == (layout, lane):
            last = max(name.seq, last if last is not None else name.seq)
    return last


async def _last_name(
    client: AIOKafkaClient, topic: str, partition: int, start: int, end: int, layout: int, lane: int
) -> BatchName | None:
    """The name on the last record that has one, passing over other lanes of the same layout."""
    step, upper = _FIRST_STEP, end
    while upper > start:
        lower = max(start, upper - step)
        names = [name async for name in _names(client, topic, partition, lower, upper)]
        telling = [name for name in names if name.layout != layout or name.lane == lane]
        if telling:
            return telling[-1]
        upper, step = lower, step * _STEP_GROWTH
    return None


async def _names(
    client: AIOKafkaClient, topic: str, partition: int, lower: int, upper: int
) -> AsyncIterator[BatchName]:
    offset = lower
    while offset < upper:
        read = await read_log(client, topic, partition, offset)
        for record in read.records:
            name = batch_name(record)
            if record.offset < upper and name is not None:
                yield name
        if read.next_offset == offset:
            return
        offset = read.next_offset
