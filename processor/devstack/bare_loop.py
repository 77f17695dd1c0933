"""The bare loop that the product is measured against: consume, publish transactionally, commit offsets; no wallet.

It is as good as aiokafka alone can do it: uvloop, whole batches (`create_batch`, `send_batch`), and one or more
transactional producers, each with partitions of its own and with its next fetch under way while it publishes. What
it sends is shaped like the product's results: as many bytes, the same headers.

It runs in a process of its own: `python -m processor.devstack.bare_loop`, its plan as JSON on standard input.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from processor.devstack.least_ledger import LeastLedger
from processor.kafka import inside_aiokafka

_FETCH_TIMEOUT_MS = 50


@dataclass(frozen=True, slots=True)
class BarePlan:
    """What one run of the bare loop does.

    ``starts`` is each partition's first offset. ``ends``, where given, is the offset before which it stops; without
    them it runs until SIGTERM. ``headers`` are copied to every record, with ``ce_id`` telling the event's place.
    With ``least_ledger_dsn`` each batch is booked in the least ledger before it is published (`least_ledger.py`).
    """

    bootstrap: str
    events_topic: str
    results_topic: str
    group: str
    producers: int
    max_records: int
    starts: Mapping[str, int]
    ends: Mapping[str, int] | None
    value_bytes: int
    headers: Sequence[tuple[str, str]]
    least_ledger_dsn: str | None = None

    def to_json(self) -> bytes:
        return orjson.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: bytes) -> BarePlan:
        fields = orjson.loads(text)
        return cls(**{**fields, "headers": [tuple(pair) for pair in fields["headers"]]})


class _Lane:
    """One transactional producer and the partitions that are its own."""

    def __init__(self, plan: BarePlan, number: int, consumer: Any) -> None:
        self._plan = plan
        self._consumer = consumer
        self._value = b"x" * plan.value_bytes
        self._headers = [(name, value.encode()) for name, value in plan.headers if name != "ce_id"]
        ours = [int(one) for one in plan.starts if int(one) % plan.producers == number]
        self._places = [TopicPartition(plan.events_topic, one) for one in ours]
        self._ends = None if plan.ends is None else {one: plan.ends[str(one)] for one in ours}
        self._next = {one: plan.starts[str(one)] for one in ours}
        self._producer = AIOKafkaProducer(
            bootstrap_servers=plan.bootstrap,
            transactional_id=f"{plan.group}.{number}",
            retry_backoff_ms=5,
            max_batch_size=512 * 1024,
        )

    async def run(self, stopping: asyncio.Event) -> None:
        await self._producer.start()
        dsn = self._plan.least_ledger_dsn
        ledger = None if dsn is None else await LeastLedger.connected(dsn)
        publishing: asyncio.Task[None] | None = None
        try:
            while self._more_to_come() and not stopping.is_set():
                fetched = await self._consumer.getmany(
                    *self._places, timeout_ms=_FETCH_TIMEOUT_MS, max_records=self._plan.max_records
                )
                if fetched and ledger is not None:
                    await ledger.apply([message for messages in fetched.values() for message in messages])
                if publishing is not None:
                    await publishing
                    publishing = None
                if fetched:
                    self._next.update({place.partition: ms[-1].offset + 1 for place, ms in fetched.items()})
                    publishing = asyncio.create_task(self._publish(fetched))
            if publishing is not None:
                await publishing
        finally:
            await self._producer.stop()
            if ledger is not None:
                await ledger.close()

    def _more_to_come(self) -> bool:
        if self._ends is None:
            return True
        return any(self._next[one] < end for one, end in self._ends.items())

    async def _publish(self, fetched: Mapping[TopicPartition, list[Any]]) -> None:
        await self._producer.begin_transaction()
        acknowledgements: list[asyncio.Future[Any]] = []
        for place, messages in fetched.items():
            acknowledgements += await self._send(place.partition, messages)
        await asyncio.gather(*acknowledgements)
        offsets = {place: messages[-1].offset + 1 for place, messages in fetched.items()}
        await self._producer.send_offsets_to_transaction(offsets, self._plan.group)
        await self._producer.commit_transaction()

    async def _send(self, partition: int, messages: list[Any]) -> list[asyncio.Future[Any]]:
        acknowledgements = []
        batch = self._producer.create_batch()
        for message in messages:
            headers = [*self._headers, ("ce_id", b"0-%d-%d" % (partition, message.offset))]
            if batch.append(key=message.key, value=self._value, timestamp=None, headers=headers) is None:
                acknowledgements.append(await self._put(batch, partition))
                batch = self._producer.create_batch()
                batch.append(key=message.key, value=self._value, timestamp=None, headers=headers)
        acknowledgements.append(await self._put(batch, partition))
        return acknowledgements

    async def _put(self, batch: Any, partition: int) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = await self._producer.send_batch(
            batch, self._plan.results_topic, partition=partition
        )
        return future


async def run(plan: BarePlan) -> None:
    """Consume and publish until the plan's ends, or until SIGTERM."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=plan.bootstrap,
        group_id=plan.group,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        fetch_max_wait_ms=20,
    )
    places = {TopicPartition(plan.events_topic, int(one)): start for one, start in plan.starts.items()}
    consumer.assign(list(places))
    await consumer.start()
    # The one thing that the product does to the client's inside: it would slow the bare loop with several producers.
    inside_aiokafka.hasten_fetches(consumer, prefetch_backoff_seconds=0.01)
    try:
        for place, start in places.items():
            consumer.seek(place, start)
        lanes = [_Lane(plan, number, consumer) for number in range(plan.producers)]
        async with asyncio.TaskGroup() as group:
            for lane in lanes:
                group.create_task(lane.run(stopping))
    finally:
        await consumer.stop()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(BarePlan.from_json(sys.stdin.buffer.read())))
