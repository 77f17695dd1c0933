"""Seeded play that goes on while trouble is made: sent at a steady rate, until it is told to end."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any, Final

from processor.devstack.traffic.event import Player, Table, TrafficEvent
from processor.devstack.traffic.malformed import malformed, oversized
from processor.devstack.traffic.play import Traffic
from processor.devstack.traffic.scripts import join
from processor.errors import CroupierError
from processor.kafka.producing import EventSender
from processor.settings import Settings
from tests.chaos.forging import Signatures, forged

#: Seeds of the tests are below it; so `CROUPIER_CHAOS_SEED=2 make chaos` repeats none of those of `=1`.
_APART: Final = 1000
_PIECE_OF_PLAY: Final = 200
_SILENT_SECONDS: Final = 8.0
_TRY_AGAIN_SECONDS: Final = 0.2


def chaos_seed() -> int:
    """The seed of the whole run."""
    return int(os.environ.get("CROUPIER_CHAOS_SEED", "0"))


class Play:
    """Events of one seed. ``sent`` finds an event again by its key and bytes; repeats are the same event.

    There, ``fields`` is None, for the bytes say the same: an hour's play is millions of events.

    As a careful game server does, it sends again what Kafka did not acknowledge, with a new producer: an idempotent
    one of aiokafka does not always live through a broker's outage.
    """

    def __init__(
        self,
        seed: int,
        *,
        exactly: bool = False,
        players: int = 150,
        rate: float = 150.0,
        orphans: bool = True,
    ) -> None:
        """``exactly``: the seed is one of a plan that was made from the chaos seed already.

        ``orphans``: not where a win may wait longer than a test, and not in a long play, which they would end.
        """
        self.sent: dict[tuple[bytes | None, bytes | None], TrafficEvent] = {}
        self.seed = seed if exactly else seed + _APART * chaos_seed()
        self._traffic = Traffic(self.seed, players, concurrency=12, orphans=orphans)
        self._rate = rate
        self._ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._waiting: dict[int, TrafficEvent] = {}
        self._made = 0
        self._sent_at: dict[int, float] = {}
        self._chance = Random(self.seed)
        self._in_a_row: deque[TrafficEvent] = deque()
        self._held_partition: int | None = None
        self._held: list[TrafficEvent] = []
        self._signatures: Signatures | None = None

    def start(self, settings: Settings) -> None:
        """Begin to send; signed, where the installation asks for it."""
        self._signatures = Signatures(settings)
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

    def send_again(self, count: int) -> None:
        """Send so many of those that were sent already once more, the same bytes, as fast as they go.

        No poison: early in a play a few of them would be twenty, one after another, for which a lane stops itself.
        """
        harmless = [event for event in self.sent.values() if event.letter != "POISON"]
        self._in_a_row.extend(self._chance.choices(harmless, k=count))

    def send_bad_ones(self, count: int) -> None:
        """Send so many that must become dead letters, as fast as they go; a few are too large, a third are forged."""
        table, player = Table(self._chance, f"bad{self.seed}"), Player(f"bad{self.seed}", "EUR")
        self._in_a_row.extend(join(table, player))
        for number in range(count):
            if number % 3 == 0 and self._signatures is not None and self._signatures.asked_for:
                self._in_a_row.append(forged(table, player, self._chance))
            else:
                self._in_a_row.extend((malformed if number % 50 else oversized)(table, player))

    def hold_back(self, partition: int) -> None:
        """Keep what is for this partition, until told to let go."""
        self._held_partition = partition

    def let_go(self) -> None:
        """Send what was held back, in its order and at once."""
        self._held_partition = None

    async def _send_all(self, settings: Settings) -> None:
        events = self._events()
        while True:
            try:
                async with EventSender(settings) as sender:
                    for number, event in list(self._waiting.items()):
                        await self._send(sender, number, event)
                    await self._go_on(sender, events)
            except (CroupierError, TimeoutError):
                await asyncio.sleep(_TRY_AGAIN_SECONDS)
                continue
            if not self._waiting:
                return

    def _events(self) -> Iterator[TrafficEvent]:
        """Pieces of play, whole ones, until told to end."""
        while not self._ending.is_set():
            yield from self._traffic.events(_PIECE_OF_PLAY)

    async def _go_on(self, sender: EventSender, events: Iterator[TrafficEvent]) -> None:
        due = time.monotonic()
        for event in events:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due = max(due + 1 / self._rate, time.monotonic() - 1)
            await self._let_in(sender, event)
            while self._in_a_row:
                await self._let_in(sender, self._in_a_row.popleft())
        self.let_go()
        await self._release(sender)

    async def _let_in(self, sender: EventSender, event: TrafficEvent) -> None:
        """Send it, unless its partition is held back; what was held back before it goes first."""
        if sender.partition_of(event.key) == self._held_partition:
            self._held.append(event)
            return
        await self._release(sender)
        await self._send_new(sender, event)

    async def _release(self, sender: EventSender) -> None:
        if self._held_partition is None:
            held, self._held = self._held, []
            for event in held:
                await self._send_new(sender, event)

    async def _send_new(self, sender: EventSender, event: TrafficEvent) -> None:
        self._made += 1
        self._waiting[self._made] = event
        self.sent[event.key, event.value] = replace(event, fields=None)
        await self._send(sender, self._made, event)

    async def _send(self, sender: EventSender, number: int, event: TrafficEvent) -> None:
        """Raises TimeoutError where this producer has not answered for some event for long.

        An idempotent one of aiokafka can stop sending to one partition after a broker's restart, and go on with all
        others: so each event is watched.
        """
        now = time.monotonic()
        if now - next(iter(self._sent_at.values()), now) > _SILENT_SECONDS:
            self._sent_at.clear()
            raise TimeoutError("the producer says nothing any more")
        self._sent_at.pop(number, None)
        self._sent_at[number] = now
        headers = self._signatures.of(event) if self._signatures is not None else ()
        async with asyncio.timeout(_SILENT_SECONDS):
            sending = await sender.send(event.value, key=event.key, headers=headers)
        sending.add_done_callback(lambda done: self._note(number, done))

    def _note(self, number: int, sending: asyncio.Future[Any]) -> None:
        """What failed may have come through or not; it is sent again, and the topic tells what came (oracle.py)."""
        if not sending.cancelled() and sending.exception() is None:
            self._waiting.pop(number, None)
            self._sent_at.pop(number, None)
