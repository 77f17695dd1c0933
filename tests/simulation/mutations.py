"""One rule of docs/exactly-once.md broken on purpose at a time: each of these worlds must be found out.

The product has no switch for any of it. A mutation puts a subclass in the place of one part, or a function in the place
of one step, for as long as its worlds run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any
from unittest.mock import patch

from processor.domain.state import Books
from processor.errors import LeaseLost, PublishFailed
from processor.lane import apply, journal
from processor.lane import commit as commit_module
from processor.lane import publish as publishing
from processor.lane import write as write_module
from processor.lane.decide import Bench, Decided
from processor.lane.fetch import Intake
from processor.lane.keeper import Keeper
from processor.lane.lane import Lane
from processor.lane.patience import Patience
from processor.lane.recovery import Recovered, Recovery
from processor.lane.work import Applied, Position
from processor.ports import AssignmentListener, CommittedOffset, LaneMove, Ledger, Publisher
from tests.simulation.books import RecordedBatch
from tests.simulation.broker import Fenced, Refused
from tests.simulation.loop import OWNER
from tests.simulation.plan import Plan, plan_of
from tests.simulation.postgres import SimulatedBatch
from tests.simulation.publisher import SimulatedPublisher
from tests.simulation.reader import SimulatedReader
from tests.simulation.worker import Parts
from tests.simulation.world import Verdict, World


@dataclass(frozen=True)
class Mutation:
    """A broken rule: the parts it changes, what it patches, and the trouble that it needs to show."""

    name: str
    parts: Parts = field(default_factory=Parts)
    patched: Callable[[], AbstractContextManager[object]] = nullcontext
    stress: Callable[[Plan], Plan] = lambda plan: plan


# -------------------------------------------------------------------------------------------- the ledger's fences


class NoFence(RecordedBatch):
    """Step 4 does not look at the epoch."""

    async def fence(self, move: LaneMove) -> None:
        row = self._store.lanes[move.layout, move.lane]
        await super().fence(replace(move, epoch=row.epoch))


class NoCompare(RecordedBatch):
    """Step 4 looks at the epoch alone."""

    async def fence(self, move: LaneMove) -> None:
        row = self._store.lanes[move.layout, move.lane]
        await super().fence(replace(move, applied_seq=row.applied_seq, next_offsets=dict(row.next_offsets)))


class ReadBeforeLocking(RecordedBatch):
    """Step 5 reads first and locks then."""

    async def lock(self, players: Mapping[str, int]) -> Books:
        books = self.look(players)
        await super().lock(players)
        return books


class ClearTooEarly(RecordedBatch):
    """Step 11 deletes the journal row of the batch that is still being published."""

    async def fence(self, move: LaneMove) -> None:
        await super().fence(replace(move, published_seq=move.applied_seq))


# ---------------------------------------------------------------------------------------------------- publishing


_publish = publishing.publish


async def offsets_first(publisher: Publisher, **given: Any) -> None:
    """The receipt is committed, and then the results."""
    await _publish(publisher, **{**given, "records": []})
    await _publish(publisher, **given)


class ForgetsAFuture(SimulatedPublisher):
    """Not every acknowledgement is awaited."""

    async def acknowledged(self, sending: list[asyncio.Future[None]]) -> None:
        answers = await asyncio.gather(*sending, return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, Refused):
                raise self._failed("not taken") from answer


class KeepsItsProducer(SimulatedPublisher):
    """A producer that saw a request fail goes on."""

    @property
    def tainted(self) -> bool:
        return False


class PublishesBeforeCommit(Lane):
    """What a batch says is published before Postgres has committed it."""

    by_worker: dict[tuple[str | None, int], PublishesBeforeCommit] = {}  # noqa: RUF012  # whoever is at work now

    async def run(self) -> None:
        self.by_worker[OWNER.get(), self.number] = self
        await super().run()

    async def publish_now(self, seq: int, decided: Decided, transaction: SimulatedBatch) -> None:
        """Steps 9 and 10, before step 8."""
        move = transaction._inner._move
        assert self._publisher is not None
        assert move is not None
        await self._publishing_done()
        await _publish(
            self._publisher,
            layout=move.layout,
            seq=seq,
            records=journal.as_records(decided.shared_headers, decided.rendered),
            next_offsets=move.moved_offsets,
            timeout_seconds=self._recovery.publish_timeout_seconds,
            hook=self._recovery.hook,
        )

    async def _publish(self, publisher: Publisher, applied: Applied) -> None:
        """It is done already."""


_write, _commit = write_module.write, commit_module.commit


async def write_and_remember(transaction: SimulatedBatch, decided: Decided, bench: Bench) -> None:
    """Step 7, which keeps for `commit_late` what is to be published."""
    await _write(transaction, decided, bench)
    transaction.decided = decided  # type: ignore[attr-defined]  # the mutation's own


async def commit_late(
    transaction: SimulatedBatch, ledger: Ledger, position: Position, patience: Patience
) -> None:
    """Step 8 after 9 and 10."""
    lane = PublishesBeforeCommit.by_worker[OWNER.get(), position.lane]
    await lane.publish_now(position.applied_seq + 1, transaction.decided, transaction)  # type: ignore[attr-defined]  # as above
    await _commit(transaction, ledger, position, patience)


class FencedIsProof(Lane):
    """Whoever is fenced by Kafka takes it that the lane is another's, and goes."""

    async def _publish(self, publisher: Publisher, applied: Applied) -> None:
        try:
            await super()._publish(publisher, applied)
        except PublishFailed as failed:
            if isinstance(failed.__cause__, Fenced):
                raise LeaseLost("fenced: another worker has the lane") from failed
            raise

    async def _lose(self, lost: LeaseLost) -> None:
        if isinstance(lost.__cause__, PublishFailed):
            self.leave()
        await super()._lose(lost)


# ------------------------------------------------------------------------------------------------------- recovery


class _TellsItsOwn:
    """A reader that has been asked for the receipt before."""

    def __init__(self, reader: Any, early: Mapping[int, CommittedOffset | None]) -> None:
        self._reader = reader
        self._early = early

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    async def committed(self, partitions: Sequence[int]) -> Mapping[int, CommittedOffset | None]:
        return self._early


class ReceiptBeforeProducer(Recovery):
    """The receipt is read before the new producer has started."""

    async def run(self) -> Recovered:
        reader = self.reader
        self.reader = _TellsItsOwn(reader, await reader.committed(self.partitions))
        try:
            return await super().run()
        finally:
            self.reader = reader


class NothingEverHangs(SimulatedReader):
    """What hangs is not looked for before the journal is published."""

    async def hanging(
        self, layout: int, lane: int, partitions: Sequence[int]
    ) -> Mapping[tuple[str, int], int]:
        return {}


class SilenceMeansNone(SimulatedReader):
    """An empty answer about offsets is believed."""

    def _answered(
        self, answer: Mapping[int, CommittedOffset | None], partitions: Sequence[int]
    ) -> Mapping[int, CommittedOffset | None]:
        return {partition: answer.get(partition) for partition in partitions}


# ------------------------------------------------------------------------------------------ fetching, rebalances


class SeeksKafkasOffset(Intake):
    """A lane goes on from the committed offset, not from its own."""

    def start_from(self, next_offsets: Mapping[int, int]) -> None:
        receipts = self._reader._broker.receipts  # type: ignore[attr-defined]  # it is a simulated one
        super().start_from(
            {one: receipts[one].offset if one in receipts else at for one, at in next_offsets.items()}
        )


class GoesOnWithoutSeeking(Intake):
    """After an exception of a fetch the next one goes on wherever the client stands."""

    def _seek_all(self, expected: dict[int, int]) -> None:
        self._expected = dict(expected)


class WorksInTheListener(SimulatedReader):
    """Lanes are taken over while the group's listener runs."""

    async def _listen(self, listener: AssignmentListener, partitions: Sequence[int]) -> None:
        await super()._listen(listener, partitions)
        assert isinstance(listener, Keeper)
        await asyncio.sleep(0.1)
        while any(lane._position is None for lane, _ in listener._lanes.values()):  # noqa: ASYNC110  # as bad as it looks
            await asyncio.sleep(0.1)


# ---------------------------------------------------------------------------------------------------------- all


def _with(**figures: Any) -> Callable[[Plan], Plan]:
    """The seed's plan with these figures in it."""
    return lambda plan: replace(plan, **figures)


_ZOMBIES = _with(workers=2, pauses=2, pause_at_step=0.01, sending_seconds=30.0, events=30, failover=False)

MUTATIONS = [
    Mutation("skip the fence", Parts(transaction=NoFence), stress=_ZOMBIES),
    Mutation("skip the compare-and-set", Parts(transaction=NoCompare), stress=_with(failover=True)),
    Mutation(
        "read before locking",
        Parts(transaction=ReadBeforeLocking),
        stress=_with(sending_seconds=0.2, lanes=2, partitions=2, workers=2),
    ),
    Mutation("delete the journal row too early", Parts(transaction=ClearTooEarly)),
    Mutation(
        "offsets before results",
        patched=lambda: patch("processor.lane.lane.publish", offsets_first),
        stress=_with(kafka_cut=0.05, crash_at_step=0.01),
    ),
    Mutation("forget a future", Parts(publisher=ForgetsAFuture), stress=_with(refused=0.05)),
    Mutation("keep a producer after a time-out", Parts(publisher=KeepsItsProducer), stress=_with(echo=0.4)),
    Mutation(
        "publish before commit",
        Parts(lane=PublishesBeforeCommit),
        patched=lambda: patch.multiple(apply, write=write_and_remember, commit=commit_late),
    ),
    Mutation(
        "read the receipt before the producer has started",
        Parts(recovery=ReceiptBeforeProducer),
        stress=_with(slow=0.1, slow_seconds=4.0),
    ),
    Mutation(
        "publish beside what hangs",
        Parts(reader=NothingEverHangs),
        stress=_with(unmarked=0.8, crash_at_step=0.01, kafka_cut=0.05),
    ),
    Mutation("treat ProducerFenced as proof", Parts(lane=FencedIsProof), stress=_ZOMBIES),
    Mutation(
        "believe an empty answer about offsets",
        Parts(reader=SilenceMeansNone),
        stress=_with(
            offsets_unknown=0.5,
            max_batch_records=1,
            kafka_cut=0.1,
            sending_seconds=16.0,
            results_forgotten=True,
        ),
    ),
    Mutation(
        "seek to Kafka's offset instead of the lane's",
        Parts(intake=SeeksKafkasOffset),
        stress=_with(workers=2, leaves=2, marker_seconds=1.0),
    ),
    Mutation(
        "go on after an exception of getmany without seeking",
        Parts(intake=GoesOnWithoutSeeking),
        stress=_with(fetch_fails=0.1),
    ),
    Mutation(
        "work inside a rebalance listener",
        Parts(reader=WorksInTheListener),
        stress=_with(workers=2, leaves=2, outages=2),
    ),
]


def hunt(mutation: Mutation, seeds: Iterable[int], *, kept: bool = False) -> Verdict | None:
    """The first verdict that finds the mutation out (or, with the rule ``kept``, anything at all); None: none does."""
    parts = Parts() if kept else mutation.parts
    with nullcontext() if kept else mutation.patched():
        for seed in seeds:
            verdict = World(seed, plan=mutation.stress(plan_of(seed)), parts=parts).run()
            if verdict.problem is not None:
                return verdict
    return None
