"""Steps 4 to 8 for one list of items, until all of it is fact: retried in place, bisected around poison.

A fault of the world repeats the whole batch. An event that makes the law raise is named by the law itself; one whose
data Postgres refuses is found by halving the batch. Either is then parked (and, after its last attempt, dead-lettered)
by the same sitting that decides the others, so that everything else of the batch is applied.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter

from processor.domain.answers import Answer, Refusal
from processor.domain.precedence import DECIDED_TYPES
from processor.domain.queues import Bounds
from processor.domain.sitting import PoisonError
from processor.errors import LedgerRefusedData, NoSigningKey, TooMuchPoison
from processor.lane import journal
from processor.lane.authenticate import Gate, authenticate
from processor.lane.breaker import Breaker
from processor.lane.commit import commit
from processor.lane.decide import Bench, Decided, decide
from processor.lane.decode import Door
from processor.lane.fence import fence
from processor.lane.fetch import Fetched
from processor.lane.load import load
from processor.lane.observer import Observer
from processor.lane.patience import Patience
from processor.lane.references import References
from processor.lane.render import Renderer
from processor.lane.steps import Step
from processor.lane.watermarks import Watermarks
from processor.lane.work import Applied, Arrival, Item, Position
from processor.lane.write import write
from processor.ports import Clock, Identifiers, Keys, Ledger, SenderKey, StepHook

Place = tuple[int, int]


@dataclass(slots=True)
class Batches:
    """Makes facts of items for one lane."""

    lane: int
    ledger: Ledger
    clock: Clock
    identifiers: Identifiers
    references: References
    watermarks: Watermarks
    bounds: Bounds
    breaker: Breaker
    patience: Patience
    observer: Observer
    hook: StepHook
    topic: str
    group: str
    max_event_bytes: int
    jitter: random.Random
    gate: Gate | None = None
    results_keys: Keys | None = None
    _door: Door | None = None
    _door_revision: int = -1
    _condemned: dict[Place, str] = field(default_factory=dict)

    # ------------------------------------------------------------------------------------- steps 2 and 3

    async def open(self, fetched: Sequence[Fetched], seq: int) -> list[Item]:
        """Authenticate and decode what was fetched; ``seq`` is the batch that it may become."""
        arrivals = [Arrival(record) for record in fetched]
        if not arrivals:
            return []
        async with self._step(Step.AUTHENTICATE, seq):
            authenticate(arrivals, max_event_bytes=self.max_event_bytes, gate=self.gate)
            for arrival in arrivals:
                why = self._condemned.get((arrival.record.partition, arrival.record.offset))
                if why is not None:
                    arrival.reason, arrival.detail = "POISON", why
        async with self._step(Step.DECODE, seq):
            self.door().open(arrivals)
        return list(arrivals)

    def door(self) -> Door:
        """The door, with the currencies known now."""
        reference = self.references.current
        if self._door is None or self._door_revision != reference.revision:
            self._door, self._door_revision = Door(reference.currencies, DECIDED_TYPES), reference.revision
        return self._door

    def condemn(self, suspect: Place, deaths: int) -> None:
        """An event that was marked before it was read, and over which so many workers then died, is read no more."""
        self._condemned[suspect] = f"Reading this event ended the worker's process, {deaths} times."

    # ------------------------------------------------------------------------------------- steps 4 to 8

    async def apply(
        self, items: list[Item], position: Position, give_up: Callable[[], bool]
    ) -> AsyncIterator[Applied]:
        """Make facts of the items, moving ``position`` batch by batch.

        Raises the kinds of `errors.Doubt`; `errors.WorldFault` only once ``give_up`` says so.
        """
        poisonous: dict[Place, str] = {}
        waiting = [items]
        while waiting:
            part = waiting.pop()
            said: list[Answer | Refusal] = []
            try:
                applied = await self._patiently(part, position, poisonous, said, give_up)
            except PoisonError as poisoned:
                self._note(
                    poisonous, (poisoned.command.partition, poisoned.command.offset), poisoned.__cause__
                )
                waiting.append(part)
            except LedgerRefusedData as refused:
                if len(part) > 1:
                    half = len(part) // 2
                    waiting += [part[half:], part[:half]]
                else:
                    self._note(poisonous, _suspect(said, poisonous, refused), refused)
                    waiting.append(part)
            else:
                self.breaker.healthy(applied.events)
                yield applied

    def _note(self, poisonous: dict[Place, str], place: Place, cause: BaseException | None) -> None:
        """One event is poison; stop where there are too many of them."""
        problem = cause if cause is not None else ValueError("unknown")
        self.observer.poison(self.lane, place[0], place[1], problem)
        poisonous[place] = f"{type(problem).__name__}: {problem}"[:500]
        reason = self.breaker.poison(place)
        if reason is not None:
            raise TooMuchPoison(f"{reason} Last: {poisonous[place]}")

    async def _patiently(
        self,
        items: list[Item],
        position: Position,
        poisonous: dict[Place, str],
        said: list[Answer | Refusal],
        give_up: Callable[[], bool],
    ) -> Applied:
        async for attempt in self.patience.attempts(give_up):
            with attempt:
                said.clear()
                applied = await self._once(items, position, poisonous, said)
        position.applied_seq = applied.seq
        position.next_offsets = applied.next_offsets
        position.seal = applied.seal
        self.observer.applied(self.lane, applied.seq, applied.events, applied.codes, applied.reasons)
        self.observer.answered(self.lane, applied.replayed, applied.parked_change)
        return applied

    async def _once(
        self, items: list[Item], position: Position, poisonous: dict[Place, str], said: list[Answer | Refusal]
    ) -> Applied:
        """One Postgres transaction."""
        seq = position.applied_seq + 1
        bench = self._bench(items, position, seq, poisonous)
        async with self.ledger.batch() as transaction:
            async with self._step(Step.FENCE, seq), self._step(Step.CLEAR, seq):
                moved = await fence(transaction, position, items)
            async with self._step(Step.LOAD, seq):
                books = await load(transaction, items, self.door(), bench.reference, poisonous)
            async with self._step(Step.DECIDE, seq):
                decided = decide(items, books, bench, said)
            async with self._step(Step.WRITE, seq):
                await write(transaction, decided, bench)
            async with self._step(Step.COMMIT, seq):
                await commit(transaction, self.ledger, position, self.patience)
        return self._applied(decided, moved, seq, items, bench.decided_at)

    def _bench(self, items: list[Item], position: Position, seq: int, poisonous: dict[Place, str]) -> Bench:
        now = self.clock.now()
        reference = self.references.current
        return Bench(
            reference=reference,
            decided_at=now,
            identifiers=self.identifiers.transaction_ids(now),
            watermarks=self.watermarks.times(tuple(position.next_offsets)),
            bounds=self.bounds,
            poisonous=poisonous,
            jitter=self.jitter.random,
            renderer=Renderer(
                currencies=reference.currencies,
                topic=self.topic,
                group=self.group,
                layout=position.layout,
                lane=position.lane,
                seq=seq,
                at=now,
                signing_key=self._signing_key(),
            ),
            previous_seal=position.seal,
        )

    def _signing_key(self) -> SenderKey | None:
        """The operator's key of now, where results are signed. Raises `errors.NoSigningKey`: an unsigned result would
        be believed by nobody, so the batch waits until there is a key."""
        if self.results_keys is None:
            return None
        key = self.results_keys.operator_key()
        if key is None:
            raise NoSigningKey(
                "Results are to be signed, and the operator has no valid key: run `croupier keys new operator`."
            )
        return key

    @asynccontextmanager
    async def _step(self, step: Step, seq: int) -> AsyncIterator[None]:
        await self.hook(step, "before", seq)
        started = perf_counter()
        yield
        self.observer.step_taken(self.lane, step, perf_counter() - started)
        await self.hook(step, "after", seq)

    def _applied(
        self, decided: Decided, moved: dict[int, int], seq: int, items: list[Item], decided_at: datetime
    ) -> Applied:
        books = decided.books
        gone = sum(
            parked.gone and parked.number is not None
            for player in books.players.values()
            for queue in player.queues.values()
            for parked in queue
        )
        return Applied(
            seq=seq,
            records=journal.as_records(decided.shared_headers, decided.rendered),
            next_offsets=moved,
            seal=decided.seal,
            events=sum(isinstance(item, Arrival) for item in items),
            decided_at=decided_at,
            codes=decided.codes,
            reasons=decided.reasons,
            replayed=decided.replayed,
            parked_change=len(books.new_parked) - gone,
        )


def _suspect(said: list[Answer | Refusal], poisonous: dict[Place, str], refused: LedgerRefusedData) -> Place:
    """Of the few events that one item brought, the last that is not known as poison yet: the newest change."""
    for one in reversed(said):
        place = (one.command.partition, one.command.offset)
        if place not in poisonous:
            return place
    raise TooMuchPoison(
        f"Postgres refuses a batch in which no event is left to blame: {refused}"
    ) from refused
