"""Sends records and keeps what comes back for each of them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from processor.devstack.certify.cast import Message
from processor.devstack.replies import Place, Reply, following

if TYPE_CHECKING:
    from processor.kafka.producing import EventSender
    from processor.settings import Settings

#: How far the clocks of this machine and of the worker may be apart: results carry the worker's time.
_CLOCK_SKEW = timedelta(minutes=1)


class Mailbox:
    """The one sender and the one pair of followers that all cases of a run share."""

    def __init__(self, sender: EventSender, check: Callable[[], None]) -> None:
        self._sender = sender
        self._check = check
        self._replies: dict[Place, list[Reply]] = defaultdict(list)
        self._waiting: dict[Place, asyncio.Event] = {}
        self._sent = 0
        self._milestones: list[tuple[int, asyncio.Event]] = []

    def milestone(self, events: int) -> asyncio.Event:
        """Set once this many more events have been sent."""
        reached = asyncio.Event()
        self._milestones.append((self._sent + events, reached))
        return reached

    def hear(self, reply: Reply) -> None:
        """Take in one reply, whoever's it is."""
        self._replies[reply.place].append(reply)
        if reply.place in self._waiting:
            self._waiting[reply.place].set()

    async def send(self, messages: Sequence[Message]) -> list[Place]:
        """Send records in this order; gives their places on the events topic."""
        futures = [
            await self._sender.send(message.value, key=message.key, headers=message.headers)
            for message in messages
        ]
        self._sent += len(messages)
        for events, reached in self._milestones:
            if self._sent >= events:
                reached.set()
        return [Place(sent.partition, sent.offset) for sent in await asyncio.gather(*futures)]

    async def replies(self, place: Place, timeout_seconds: float) -> list[Reply]:
        """The replies to the event at this place, once there is one; none if the time passes first."""
        if not self._replies[place]:
            arrived = self._waiting.setdefault(place, asyncio.Event())
            try:
                async with asyncio.timeout(timeout_seconds):
                    await arrived.wait()
            except TimeoutError:
                self._check()
        return self.replies_so_far(place)

    def replies_so_far(self, place: Place) -> list[Reply]:
        return list(self._replies[place])


@asynccontextmanager
async def open_mailbox(settings: Settings) -> AsyncIterator[Mailbox]:
    """A mailbox on this installation. Raises KafkaUnreachable."""
    from processor.kafka.producing import EventSender

    boxes: list[Mailbox] = []
    since = datetime.now(UTC) - _CLOCK_SKEW
    async with (
        EventSender(settings) as sender,
        following(settings, since, lambda reply: boxes[0].hear(reply)) as check,
    ):
        boxes.append(Mailbox(sender, check))
        yield boxes[0]
