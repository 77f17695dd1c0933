"""What comes back for each event, as a read_committed consumer sees it: a result or a dead letter, by place."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from schemas.dead_letters import DETAIL, OFFSET, PARTITION, REASON

if TYPE_CHECKING:
    from processor.kafka.tailing import TopicRecord
    from processor.settings import Settings


class Place(NamedTuple):
    """Where an event lies on the events topic: what results and dead letters are matched by."""

    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. A result has a ``body``, a dead letter a ``reason`` and a ``detail``.

    ``arrived_ms`` is this machine's clock, Unix milliseconds, when the consumer had it.
    """

    place: Place
    arrived_ms: float
    body: Mapping[str, Any] | None = None
    reason: str | None = None
    detail: str = ""

    def in_words(self) -> str:
        if self.body is None:
            return f"a dead letter {self.reason}: {self.detail}"
        return f"{self.body.get('code')}: {self.body.get('message')}"


def read_result(record: TopicRecord) -> Reply:
    """The reply in a record of the results topic."""
    body = orjson.loads(record.value or b"{}")
    source = body["source"]
    return Reply(Place(source["partition"], source["offset"]), time.time() * 1000, body=body)


def read_letter(record: TopicRecord) -> Reply:
    """The reply in a record of the dead-letter topic."""
    headers = {name: value or b"" for name, value in record.headers}
    place = Place(int(headers[PARTITION]), int(headers[OFFSET]))
    reason, detail = headers[REASON].decode(), headers[DETAIL].decode()
    return Reply(place, time.time() * 1000, reason=reason, detail=detail)


@asynccontextmanager
async def following(
    settings: Settings, since: datetime, hear: Callable[[Reply], None]
) -> AsyncIterator[Callable[[], None]]:
    """Call ``hear`` for every reply published since then, as long as the block lasts.

    Yields a function to call now and then: it raises what went wrong with the following, if anything did.
    """
    from processor.kafka.tailing import follow

    async def tail(topic: str, read: Callable[[TopicRecord], Reply]) -> None:
        async for record in follow(settings, topic, start=since):
            hear(read(record))

    tasks = [
        asyncio.create_task(tail(settings.results_topic, read_result), name="follow-results"),
        asyncio.create_task(tail(settings.dead_letters_topic, read_letter), name="follow-dead-letters"),
    ]

    def check() -> None:
        for task in tasks:
            if task.done():
                task.result()

    try:
        yield check
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
