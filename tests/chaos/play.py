"""Seeded play that goes on while trouble is made: sent at a steady rate, until it is told to end."""

from __future__ import annotations

import asyncio
from collections.abc import Set
from typing import Any, Final

from processor.devstack.traffic.event import TrafficEvent
from processor.devstack.traffic.play import Traffic
from processor.errors import CroupierError
from processor.kafka.producing import EventSender
from processor.settings import Settings

#: What is left out where a win may wait longer than a test.
ORPHANS: Final = frozenset({"win without a bet"})
_PIECE_OF_PLAY: Final = 200


class Play:
    """Events of one seed. ``sent`` finds an event again by its key and bytes; repeats are the same event."""

    def __init__(
        self, seed: int, *, players: int = 150, rate: float = 150.0, left_out: Set[str] = frozenset()
    ) -> None:
        self.sent: dict[tuple[bytes | None, bytes | None], TrafficEvent] = {}
        self._traffic = Traffic(seed, players, concurrency=12)
        self._rate = rate
        self._left_out = left_out
        self._ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self, settings: Settings) -> None:
        """Begin to send."""
        self._task = asyncio.create_task(self._send_all(settings), name="play")

    async def end(self) -> None:
        """Play to an end what is under way; returns when Kafka has it all. Raises what went wrong with sending."""
        self._ending.set()
        if self._task is not None:
            await self._task

    def abandon(self) -> None:
        """Stop where it is: the test is over, and has failed."""
        if self._task is not None:
            self._task.cancel()

    async def _send_all(self, settings: Settings) -> None:
        loop = asyncio.get_running_loop()
        async with EventSender(settings) as sender:
            due = loop.time()
            while not self._ending.is_set():
                for event in self._traffic.events(_PIECE_OF_PLAY):
                    if event.what in self._left_out:
                        continue
                    await asyncio.sleep(max(0.0, due - loop.time()))
                    due = max(due + 1 / self._rate, loop.time() - 1)
                    await self._send(sender, event)

    async def _send(self, sender: EventSender, event: TrafficEvent) -> None:
        self.sent[event.key, event.value] = event
        sending = await sender.send(event.value, key=event.key)
        sending.add_done_callback(_note)


def _note(sending: asyncio.Future[Any]) -> None:
    """A send that failed may have come through or not: what the topic holds is what counts (see oracle.py)."""
    problem = sending.exception()
    if problem is not None and not isinstance(problem, CroupierError):
        raise problem
