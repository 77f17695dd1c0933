"""A worker of the simulated world: the real keeper and the real lanes, with the simulated servers behind the ports."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence, Set
from contextvars import Context
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from processor.domain.profiles import Profile, Reference
from processor.domain.queues import Bounds
from processor.lane.apply import Batches
from processor.lane.breaker import Breaker
from processor.lane.fetch import Intake
from processor.lane.keeper import Keeper
from processor.lane.lane import Lane
from processor.lane.observer import Observer
from processor.lane.patience import Patience
from processor.lane.recovery import Recovery
from processor.lane.references import References, Row
from processor.lane.watermarks import Watermarks
from processor.ports import Layout, StepHook
from tests.fakes.ledger import FakeBatch
from tests.simulation.books import RecordedBatch
from tests.simulation.broker import Broker
from tests.simulation.group import SESSION_SECONDS, Group
from tests.simulation.loop import OWNER, DeterministicLoop
from tests.simulation.plan import Plan
from tests.simulation.postgres import Server, SimulatedLedger
from tests.simulation.publisher import SimulatedPublisher
from tests.simulation.reader import SimulatedReader

BEGINNING = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PUBLISH_SECONDS = 3.0
FETCH_WAIT_SECONDS = 1.0
REFERENCE = Reference(
    1, {"acme": Profile("acme", require_session=False, missing_bet_wait_seconds=5)}, currencies={"EUR": 2}
)


@dataclass(frozen=True)
class Parts:
    """What a worker is made of; a mutation puts another part in one's place."""

    lane: type[Lane] = Lane
    recovery: type[Recovery] = Recovery
    intake: type[Intake] = Intake
    batches: type[Batches] = Batches
    keeper: type[Keeper] = Keeper
    reader: type[SimulatedReader] = SimulatedReader
    publisher: type[SimulatedPublisher] = SimulatedPublisher
    transaction: type[FakeBatch] = RecordedBatch


class VirtualClock:
    """`ports.Clock` of the loop's time."""

    def __init__(self, loop: DeterministicLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        return BEGINNING + timedelta(seconds=self._loop.time())

    def monotonic_seconds(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Numbered:
    """`ports.Identifiers`: ids that tell their order."""

    def __init__(self, loop: DeterministicLoop) -> None:
        self._loop = loop

    def transaction_ids(self, at: datetime) -> Iterator[str]:
        while True:
            yield f"0199aaaa-0000-7000-8000-{self._loop.next_number():012d}"


@dataclass
class Surroundings:
    """What all workers of a world share."""

    loop: DeterministicLoop
    plan: Plan
    broker: Broker
    group: Group
    server: Server
    layout: Layout
    parts: Parts
    observer: Observer
    hook_of: Callable[[Worker], StepHook]


@dataclass
class Worker:
    """One process: started, killed, paused, told to stop."""

    name: str
    around: Surroundings
    ledgers: list[SimulatedLedger] = field(default_factory=list)
    lanes: dict[int, Lane] = field(default_factory=dict)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    is_dead: bool = False
    is_paused: bool = False
    task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """The process begins; everything in it belongs to its name."""
        context = Context()
        context.run(OWNER.set, self.name)
        self.task = self.around.loop.create_task(self._serve(), name=f"{self.name}-serve", context=context)

    async def _serve(self) -> None:
        """As `bootstrap.serve` does."""
        around = self.around
        reader = around.parts.reader(around.broker, around.group, self.name)
        keeper = around.parts.keeper(
            around.layout,
            lambda number, partitions: self._make_lane(number, partitions, reader),
            reader,
            around.observer,
            drain_timeout_seconds=10.0,
            topic_check_seconds=1e6,
        )
        try:
            await reader.start(keeper)
            await keeper.run(self.stopping)
        finally:
            await reader.stop(leave_group=True)

    def kill(self) -> None:
        """SIGKILL: nothing of it runs any more, and its connections end."""
        self.is_dead = True
        self.around.loop.freeze(self.name)
        for ledger in self.ledgers:
            if ledger._connection is not None:
                ledger._connection.client_goes()

    def pause(self) -> None:
        """SIGSTOP: its connections stay."""
        self.is_paused = True
        self.around.loop.freeze(self.name)

    def resume(self) -> None:
        """SIGCONT."""
        if self.is_paused and not self.is_dead:
            self.is_paused = False
            self.around.loop.thaw(self.name)

    @property
    def is_at_work(self) -> bool:
        """Neither dead nor asked to stop."""
        return not self.is_dead and not self.stopping.is_set()

    def _make_lane(self, number: int, partitions: Sequence[int], reader: SimulatedReader) -> Lane:
        around, parts, plan = self.around, self.around.parts, self.around.plan
        clock = VirtualClock(around.loop)
        ledger = SimulatedLedger(around.server, shards=4)
        ledger.begin = parts.transaction
        self.ledgers.append(ledger)
        patience = Patience(number, clock, around.observer, 0.1, 2.0)
        watermarks = Watermarks(clock)
        hook = around.hook_of(self)
        made = parts.lane(
            number,
            partitions,
            reader=reader,
            ledger=ledger,
            recovery=parts.recovery(
                around.layout,
                number,
                partitions,
                reader,
                lambda layout, lane: parts.publisher(around.broker, layout, lane),
                ledger,
                owner=self.name,
                publish_timeout_seconds=PUBLISH_SECONDS,
                hook=hook,
            ),
            batches=parts.batches(
                number,
                ledger,
                clock,
                Numbered(around.loop),
                References(_nothing_new, lambda _: REFERENCE, frozenset({"providers"}), current=REFERENCE),
                watermarks,
                Bounds(max_parked=50, poison_attempts=2, backoff_first_seconds=1.0),
                Breaker(in_a_row=20, share=0.5, window=200),
                patience,
                around.observer,
                hook,
                "wallet.events",
                "croupier",
                65_536,
                random.Random(around.loop.next_number()),
            ),
            intake=parts.intake(
                reader,
                max_records=plan.max_batch_records,
                max_bytes=1_000_000,
                wait_seconds=FETCH_WAIT_SECONDS,
            ),
            watermarks=watermarks,
            clock=clock,
            observer=around.observer,
            patience=patience,
            max_batch_records=plan.max_batch_records,
            suspect_takeovers=3,
            lease_patience_seconds=SESSION_SECONDS / 2,
        )
        self.lanes[number] = made
        return made


async def _nothing_new(kinds: Set[str]) -> Sequence[Row]:
    return []
