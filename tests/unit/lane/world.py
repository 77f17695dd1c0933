"""A lane on a Kafka and a ledger in memory: what its tests set up, order to fail, and look at."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence, Set
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from processor.domain.profiles import Profile, Reference
from processor.domain.queues import Bounds
from processor.lane.apply import Batches
from processor.lane.authenticate import Gate
from processor.lane.breaker import Breaker
from processor.lane.fetch import Intake
from processor.lane.keeper import Keeper
from processor.lane.lane import Lane
from processor.lane.observer import SilentObserver
from processor.lane.patience import Patience
from processor.lane.recovery import Recovery
from processor.lane.references import References, Row
from processor.lane.steps import Step
from processor.lane.watermarks import Watermarks
from processor.ports import EventReader, Keys, Layout, StepHook
from processor.system import RandomIdentifiers
from tests.fakes.kafka import FakeCluster
from tests.fakes.ledger import FakeLedger, FakeStore

LAYOUT = Layout(1, "wallet.events", "fake-topic-1", 4, 2, 8)
REFERENCE = Reference(1, {"acme": Profile("acme", require_session=False)}, currencies={"EUR": 2, "ETH": 18})
_PATIENCE_SECONDS = 60.0


class FastClock:
    """Time that passes by itself, and at once where somebody sleeps."""

    def __init__(self) -> None:
        self._skipped_seconds = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._skipped_seconds)

    def monotonic_seconds(self) -> float:
        return time.monotonic() + self._skipped_seconds

    def skip(self, seconds: float) -> None:
        """So much time has passed."""
        self._skipped_seconds += seconds

    async def sleep(self, seconds: float) -> None:
        self._skipped_seconds += seconds
        await asyncio.sleep(0)


class Listening(SilentObserver):
    """Remembers what a lane tells: (word, lane, text)."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, int, str]] = []

    def words(self, lane: int = 0) -> list[str]:
        return [word for word, of, _ in self.heard if of == lane]

    def retrying(self, lane: int, error: BaseException, attempt: int) -> None:
        self.heard.append(("retrying", lane, type(error).__name__))

    def recovering(self, lane: int, why: str) -> None:
        self.heard.append(("recovering", lane, why))

    def recovered(self, lane: int, epoch: int, republished: int, concluded: str) -> None:
        self.heard.append(("recovered", lane, concluded))

    def fenced(self, lane: int, why: str) -> None:
        self.heard.append(("fenced", lane, why))

    def stopped(self, lane: int, reason: str) -> None:
        self.heard.append(("stopped", lane, reason))

    def left(self, lane: int) -> None:
        self.heard.append(("left", lane, ""))

    def poison(self, lane: int, partition: int, offset: int, error: BaseException) -> None:
        self.heard.append(("poison", lane, f"{partition}/{offset}"))


class StepLog:
    """A hook that remembers every step, and can be told to wait somewhere."""

    def __init__(self) -> None:
        self.taken: list[tuple[Step, str, int]] = []
        self._gates: dict[tuple[Step, str], asyncio.Event] = {}
        self.waiting: set[tuple[Step, str]] = set()

    async def __call__(self, step: int, when: str, seq: int) -> None:
        place = (Step(step), when)
        self.taken.append((*place, seq))
        gate = self._gates.get(place)
        if gate is not None:
            self.waiting.add(place)
            await gate.wait()
            self.waiting.discard(place)

    def block(self, step: Step, when: str = "before") -> asyncio.Event:
        """Whoever comes to this place waits until the event is set."""
        gate = self._gates[step, when] = asyncio.Event()
        return gate

    async def reached(self, step: Step, when: str = "before") -> None:
        await eventually(lambda: (step, when) in self.waiting)


class World:
    """One installation in memory: four partitions, two lanes, a ledger, and lanes made as a worker makes them."""

    def __init__(self) -> None:
        self.cluster = FakeCluster(partitions=LAYOUT.partitions, lanes=LAYOUT.lanes)
        self.store = FakeStore()
        self.clock = FastClock()
        self.observer = Listening()
        self.steps = StepLog()
        self.breaker = Breaker(in_a_row=20, share=0.5, window=200)
        self.poison_attempts = 2
        self.gate: Gate | None = None
        self.results_keys: Keys | None = None

    def send(self, partition: int, *events: Mapping[str, Any]) -> None:
        """Put events on a partition, keyed by their players."""
        for event in events:
            self.cluster.append(
                partition,
                orjson.dumps(event),
                key=str(event["player_id"]).encode(),
                timestamp=int(self.clock.now().timestamp() * 1000),
            )

    def results(self) -> list[dict[str, Any]]:
        """The bodies of all committed results, in order of sending."""
        return [orjson.loads(one.value or b"") for one in self.cluster.results]

    def answered(self) -> list[str]:
        """The transaction ids of all committed results, in order of sending."""
        return [body["transaction_id"] for body in self.results()]

    def ledger(self) -> FakeLedger:
        return FakeLedger(self.store)

    def recovery(self, lane: int, reader: EventReader, hook: StepHook | None = None) -> Recovery:
        return Recovery(
            LAYOUT,
            lane,
            partitions_of(lane),
            reader,
            self.cluster.publisher,
            self.ledger(),
            owner="me",
            publish_timeout_seconds=60.0,  # a slow machine is no time-out
            hook=hook or self.steps,
        )

    def patience(self, lane: int) -> Patience:
        return Patience(lane, self.clock, self.observer, 0.1, 5.0)

    def batches(self, lane: int, watermarks: Watermarks | None = None) -> Batches:
        async def read(_: Set[str]) -> list[Row]:
            return []

        references = References(read, lambda _: REFERENCE, frozenset({"providers"}), current=REFERENCE)
        return Batches(
            lane,
            self.ledger(),
            self.clock,
            RandomIdentifiers(),
            references,
            watermarks or Watermarks(self.clock),
            Bounds(max_parked=100, poison_attempts=self.poison_attempts, backoff_first_seconds=1.0),
            self.breaker,
            self.patience(lane),
            self.observer,
            self.steps,
            LAYOUT.topic,
            "group",
            65_536,
            random.Random(1),
            gate=self.gate,
            results_keys=self.results_keys,
        )

    def lane(self, number: int, reader: EventReader, partitions: Sequence[int] | None = None) -> Lane:
        watermarks = Watermarks(self.clock)
        return Lane(
            number,
            partitions or partitions_of(number),
            reader=reader,
            ledger=self.ledger(),
            recovery=self.recovery(number, reader),
            batches=self.batches(number, watermarks),
            intake=Intake(reader, max_records=250, max_bytes=1_000_000, wait_seconds=0.001),
            watermarks=watermarks,
            clock=self.clock,
            observer=self.observer,
            patience=self.patience(number),
            max_batch_records=250,
            suspect_takeovers=3,
            lease_patience_seconds=3.0,
        )

    @asynccontextmanager
    async def working(
        self, *, reader: EventReader | None = None, topic_check_seconds: float = 30.0
    ) -> AsyncIterator[Keeper]:
        """A whole worker within the block: reader, keeper, lanes; drained at the end."""
        reader = reader or self.cluster.reader()
        keeper = Keeper(
            LAYOUT,
            lambda number, partitions: self.lane(number, reader, partitions),
            reader,
            self.observer,
            drain_timeout_seconds=5.0,
            topic_check_seconds=topic_check_seconds,
        )
        stopping = asyncio.Event()
        await reader.start(keeper)
        serving = asyncio.create_task(keeper.run(stopping))
        try:
            yield keeper
        finally:
            stopping.set()
            await serving
            await reader.stop(leave_group=True)

    @asynccontextmanager
    async def one_lane(self) -> AsyncIterator[Lane]:
        """Lane 0 alone, at work within the block, asked to leave at its end."""
        reader = await self.joined()
        lane = self.lane(0, reader)
        running = asyncio.create_task(lane.run())
        try:
            yield lane
        finally:
            lane.leave()
            await asyncio.wait_for(running, _PATIENCE_SECONDS)

    async def joined(self, reader: EventReader | None = None) -> EventReader:
        """A reader that has been given its partitions."""
        reader = reader or self.cluster.reader()
        await reader.start(_Nobody())
        await eventually(lambda: bool(reader.assigned()))
        return reader


class _Nobody:
    """A listener that does nothing."""

    async def revoked(self, partitions: Sequence[int]) -> None: ...

    def assigned(self, partitions: Sequence[int]) -> None: ...


def partitions_of(lane: int) -> list[int]:
    return [one for one in range(LAYOUT.partitions) if one % LAYOUT.lanes == lane]


async def eventually(holds: Callable[[], bool], what: str = "it") -> None:
    """Wait until it holds; a never becomes a failure."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < until, f"{what} never came"
        await asyncio.sleep(0.001)


async def for_a_while(turns: int = 60) -> None:
    """Let everybody run for so many turns of the loop."""
    for _ in range(turns):
        await asyncio.sleep(0.001)


def open_player(player: str, currency: str = "EUR") -> dict[str, Any]:
    return _event("open_player", f"open-{player}", player, provider="operator", currency=currency)


def deposit(player: str, named: str, amount: str, currency: str = "EUR") -> dict[str, Any]:
    return _event("deposit", named, player, provider="cashier", currency=currency, amount=amount)


def bet(player: str, named: str, amount: str = "1.00") -> dict[str, Any]:
    return _event("bet", named, player, currency="EUR", amount=amount, game_id="g", round_id=f"r-{named}")


def _event(type_: str, named: str, player: str, *, provider: str = "acme", **more: Any) -> dict[str, Any]:
    return {
        "type": type_,
        "provider": provider,
        "transaction_id": named,
        "player_id": player,
        "occurred_at": "2026-11-22T10:00:00Z",
        **more,
    }
