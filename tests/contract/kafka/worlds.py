"""The same world twice: topics, readers and publishers in memory, and on a real broker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from processor.kafka.publisher import KafkaPublisher
from processor.kafka.reader import KafkaEventReader
from processor.ports import EventReader, Publisher
from processor.settings import Settings
from tests.fakes.kafka import FakeCluster
from tests.integration.kafka.helpers import Assignments, send_events, values_of
from tests.integration.kafka.raw_produce import batch_with_bad_header_keys, produce_raw

PARTITIONS = 4
LANES = 2


class World(Protocol):
    """What the behaviour suite needs of either."""

    async def put(self, partition: int, values: Sequence[bytes]) -> None:
        """Events on a partition, in order, offsets from 0 on."""

    async def put_unparsable(self, partition: int, values: Sequence[bytes]) -> None:
        """Events whose header keys are not UTF-8."""

    async def results(self) -> list[bytes | None]:
        """Values of the committed results of partition 0."""

    async def reader(self) -> tuple[EventReader, Assignments]:
        """A reader that has been given its lanes."""

    def new_publisher(self, lane: int = 0) -> Publisher:
        """A publisher of layout 1, not started."""

    async def close(self) -> None:
        """Stop every reader and abandon every publisher."""


class _Closing:
    """Remembers what has to be closed."""

    def __init__(self) -> None:
        self.readers: list[EventReader] = []
        self.publishers: list[Publisher] = []

    async def close(self) -> None:
        for publisher in self.publishers:
            await publisher.abandon()
        for reader in self.readers:
            await reader.stop(leave_group=True)

    async def _started(self, reader: EventReader) -> tuple[EventReader, Assignments]:
        self.readers.append(reader)
        assignments = Assignments()
        await reader.start(assignments)
        await assignments.first()
        return reader, assignments


class FakeWorld(_Closing):
    """In memory."""

    def __init__(self) -> None:
        super().__init__()
        self.cluster = FakeCluster(partitions=PARTITIONS, lanes=LANES)

    async def put(self, partition: int, values: Sequence[bytes]) -> None:
        await asyncio.sleep(0)
        for value in values:
            self.cluster.append(partition, value)

    async def put_unparsable(self, partition: int, values: Sequence[bytes]) -> None:
        await asyncio.sleep(0)
        for value in values:
            self.cluster.append_unparsable(partition, value=value)

    async def results(self) -> list[bytes | None]:
        await asyncio.sleep(0)
        return [one.value for one in self.cluster.results]

    async def reader(self) -> tuple[EventReader, Assignments]:
        return await self._started(self.cluster.reader())

    def new_publisher(self, lane: int = 0) -> Publisher:
        self.publishers.append(self.cluster.publisher(1, lane))
        return self.publishers[-1]


class RealWorld(_Closing):
    """On a broker."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings

    async def put(self, partition: int, values: Sequence[bytes]) -> None:
        await send_events(self.settings, partition, values)

    async def put_unparsable(self, partition: int, values: Sequence[bytes]) -> None:
        batch = batch_with_bad_header_keys(values)
        await produce_raw(self.settings, self.settings.events_topic, partition, batch)

    async def results(self) -> list[bytes | None]:
        return await values_of(self.settings, self.settings.results_topic)

    async def reader(self) -> tuple[EventReader, Assignments]:
        return await self._started(KafkaEventReader(self.settings, lanes=LANES))

    def new_publisher(self, lane: int = 0) -> Publisher:
        self.publishers.append(KafkaPublisher(self.settings, layout=1, lane=lane))
        return self.publishers[-1]
