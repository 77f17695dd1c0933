"""What hangs: records of a transaction that its coordinator counts as ended, in a partition that never heard the end.

Readers of committed records wait there for ever, and the next transaction of the same producer that ends there takes
them with it. Asked for right after a lane's new producer has started: then none of its transactions is open, and nobody
else writes to its partitions, so whatever is not stable hangs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiokafka.client import AIOKafkaClient

from processor.kafka.fetching import first_uncommitted
from processor.kafka.last_batch import batch_name
from processor.kafka.questions import LATEST, READ_UNCOMMITTED, log_offsets


async def hanging_batches(
    client: AIOKafkaClient, topics: Mapping[str, str], layout: int, lane: int, partitions: Sequence[int]
) -> dict[tuple[str, int], int]:
    """The ``seq`` of the lane's batch that hangs, by topic (as in ``topics``) and partition. Raises KafkaError."""
    found: dict[tuple[str, int], int] = {}
    for word, topic in topics.items():
        ends = await log_offsets(client, topic, partitions, LATEST, isolation=READ_UNCOMMITTED)
        stable = await log_offsets(client, topic, partitions, LATEST)
        for partition in partitions:
            if stable[partition] < ends[partition]:
                record = await first_uncommitted(client, topic, partition, stable[partition])
                name = None if record is None else batch_name(record)
                if name is not None and name[:2] == (layout, lane):
                    found[word, partition] = name.seq
    return found
