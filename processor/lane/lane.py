"""A lane: a fixed set of partitions, read in order, applied batch after batch, published exactly as rendered.

    take over or recover ─► ready ─► fetch ─► authenticate ─► decode ─► fence ─► load ─► decide ─► write ─► commit ─┐
         ▲                    ▲        1           2            3         4        5        6         7        8    │
         │                    └──────────────────── the next batch meanwhile ◄─────────────────────────────────────┤
         └── any failure of 9 or 10 ◄── clear 11 ◄── receipt 10 ◄── publish 9 ◄─────────────────────────────────────┘

At most one batch is being published and one more is applied behind it. Only the lane's own task recovers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import perf_counter

from processor.errors import Doubt, LaneStopped, LeaseLost, PublishFailed, WorldFault
from processor.lane.apply import Batches
from processor.lane.fetch import Fetched, Intake
from processor.lane.observer import Observer
from processor.lane.pace import Pace
from processor.lane.patience import Patience
from processor.lane.publish import publish
from processor.lane.recovery import Recovery
from processor.lane.steps import Step
from processor.lane.watermarks import Watermarks
from processor.lane.work import Applied, Due, Item, Position
from processor.ports import Clock, EventReader, LaneRow, Ledger, Publisher


class Lane:
    """One lane's task and what it holds. `run` returns when the lane was asked to leave; it never gives up."""

    def __init__(
        self,
        number: int,
        partitions: Sequence[int],
        *,
        reader: EventReader,
        ledger: Ledger,
        recovery: Recovery,
        batches: Batches,
        intake: Intake,
        watermarks: Watermarks,
        clock: Clock,
        observer: Observer,
        patience: Patience,
        max_batch_records: int,
        suspect_takeovers: int,
        lease_patience_seconds: float,
        idle_poll_seconds: float = 1.0,
    ) -> None:
        self.number = number
        self.partitions = tuple(partitions)
        self._reader = reader
        self._ledger = ledger
        self._recovery = recovery
        self._batches = batches
        self._intake = intake
        self._watermarks = watermarks
        self._clock = clock
        self._observer = observer
        self._patience = patience
        self._max_batch_records = max_batch_records
        self._suspect_takeovers = suspect_takeovers
        self._idle_poll_seconds = idle_poll_seconds
        self._lease_patience_seconds = lease_patience_seconds
        self._position: Position | None = None
        self._publisher: Publisher | None = None
        self._publishing: asyncio.Task[None] | None = None
        self._unpublished: Applied | None = None
        self._careful_left = 0
        self._pace = Pace()
        self._behind = False
        self._looked_around_at = -1e9
        self._leaving = False
        self._held = False
        self._resumed = asyncio.Event()
        self._resumed.set()
        self._at_rest = asyncio.Event()
        self._at_rest.set()

    # ------------------------------------------------------------------ what the lane's keeper asks of it

    def hold(self) -> None:
        """A rebalance began: apply nothing new until `resume`."""
        self._held = True
        self._resumed.clear()

    def resume(self) -> None:
        """The lane is still ours: go on from its own next offsets."""
        self._held = False
        self._resumed.set()

    def leave(self) -> None:
        """Finish what is under way and return from `run`."""
        self._leaving = True
        self._resumed.set()

    async def at_rest(self) -> None:
        """Wait until nothing of steps 4 to 10 is under way (never for a fetch)."""
        await self._at_rest.wait()
        publishing = self._publishing
        if publishing is not None:
            await asyncio.wait([publishing])

    # --------------------------------------------------------------------------------------- the lane's life

    async def run(self) -> None:
        """Take the lane over, work, recover, until asked to leave. Cancel only to abandon it without a drain."""
        try:
            while not self._leaving:
                try:
                    await self._recover()
                    while not self._leaving:
                        await self._turn()
                except LeaseLost as lost:
                    await self._lose(lost)
                except Doubt as doubt:
                    await self._stop(doubt)
                except WorldFault as fault:
                    self._observer.recovering(self.number, str(fault))
            await self._drain()
        finally:
            await self._put_down()
            self._observer.left(self.number)

    async def _recover(self) -> None:
        """The one recovery path, retried until it succeeds; a take-over where no epoch is held."""
        self._observer.ready(self.number, False, "recovering")
        await self._let_go_of_publisher()
        self._unpublished = None
        async for attempt in self._patience.attempts(lambda: self._leaving):
            with attempt:
                recovered = await self._recovery.run()
        self._publisher, self._position = recovered.publisher, recovered.position
        if recovered.row.stopped_reason is not None:
            raise LaneStopped(recovered.row.stopped_reason)
        self._look_at_suspects(recovered.row)
        self._intake.start_from(self._position.next_offsets)
        self._observer.recovered(
            self.number, self._position.epoch, recovered.republished, recovered.concluded
        )
        self._observer.ready(self.number, True)

    def _look_at_suspects(self, row: LaneRow) -> None:
        """Read single events, each marked before, where workers died without progress; condemn over which they did.

        A worker dies for any of its lanes, or for none: one death under an event's mark is no proof against it.
        """
        if row.suspects or row.suspect_takeovers >= self._suspect_takeovers:
            self._careful_left = self._max_batch_records
        for place, deaths in row.suspects.items():
            if deaths >= self._suspect_takeovers:
                self._batches.condemn(place, deaths)

    async def _turn(self) -> None:
        """One round of the loop: fetch, apply, hand over to publishing."""
        self._observer.turned(self.number)
        if self._held:
            await self._wait_for_resume()
            return
        self._raise_if_publishing_failed()
        await self._keep_pace()
        items = await self._gather()
        self._behind = len(items) >= self._max_batch_records
        if items and self._wanted():
            await self._apply_and_publish(items)
            return
        if items and self._position is not None:
            # Not applied after all, so they are read again: also where the lane is resumed before its next turn.
            self._intake.start_from(self._position.next_offsets)
        if self._publishing is not None and self._publishing.done():
            await self._publishing_done()

    async def _keep_pace(self) -> None:
        """A lane that keeps up begins its next batch when the one being published is nearly done (`pace.py`)."""
        if self._publishing is not None and not self._behind:
            seconds = self._pace.hold_seconds(self._clock.monotonic_seconds())
            if seconds > 0:
                await asyncio.wait([self._publishing], timeout=seconds)

    def _wanted(self) -> bool:
        return not (self._held or self._leaving)

    async def _wait_for_resume(self) -> None:
        self._intake.rest()
        while self._held and not self._leaving:
            self._observer.turned(self.number)
            try:
                async with asyncio.timeout(self._idle_poll_seconds):
                    await self._resumed.wait()
            except TimeoutError:
                continue
        if self._position is not None and not self._leaving:
            self._intake.start_from(self._position.next_offsets)

    async def _gather(self) -> list[Item]:
        """Steps 1 to 3, with the parked queues that are due and the operators' requests in front."""
        assert self._position is not None
        started, seq = perf_counter(), self._position.applied_seq + 1
        limit = 1 if self._careful_left else self._max_batch_records
        fetched: list[Fetched] = []
        await self._recovery.hook(Step.FETCH, "before", seq)
        async for attempt in self._patience.attempts(lambda: self._leaving or self._held):
            with attempt:
                fetched = await self._intake.fetch(max_records=limit)
        if fetched:
            self._observer.step_taken(self.number, Step.FETCH, perf_counter() - started)
            await self._recovery.hook(Step.FETCH, "after", seq)
        self._watermarks.fetched(fetched, self._reader, self.partitions)
        await self._mark(fetched)
        extra = await self._look_around()
        return [*extra, *await self._batches.open(fetched, seq)]

    async def _mark(self, fetched: Sequence[Fetched]) -> None:
        """After unclean take-overs, note each single event before anything reads its bytes."""
        if self._careful_left and fetched and self._position is not None:
            await self._ledger.mark_suspect(
                self._position.layout,
                self.number,
                self._position.epoch,
                fetched[0].partition,
                fetched[0].offset,
            )
            self._careful_left -= 1

    async def _look_around(self) -> list[Item]:
        """Parked heads that are due, and requests: asked for once a second, and when a head's time has come."""
        now = self._clock.monotonic_seconds()
        if self._held or now - self._looked_around_at < self._idle_poll_seconds or self._position is None:
            return []
        self._looked_around_at = now
        for partition, lag_records, lag_seconds in self._watermarks.lags(
            self._position.next_offsets, self._clock.now()
        ):
            self._observer.lag(self.number, partition, lag_records, lag_seconds)
        requests = await self._ledger.requests(self._position.layout, self.number, limit=100)
        due = await self._ledger.due_parked(self._watermarks.times(self.partitions), limit=100)
        return [*requests, *(Due(player, provider, partition) for player, provider, partition in due)]

    async def _apply_and_publish(self, items: list[Item]) -> None:
        """Steps 4 to 8 in place until they are a fact, then 9 and 10 in the background."""
        assert self._position is not None
        self._at_rest.clear()
        started = self._clock.monotonic_seconds()
        try:
            async for applied in self._batches.apply(items, self._position, lambda: self._leaving):
                self._pace.applied(self._clock.monotonic_seconds() - started)
                if self._unpublished is not None:
                    await self._publishing_done()
                self._start_publishing(applied)
                started = self._clock.monotonic_seconds()
        finally:
            self._at_rest.set()

    def _start_publishing(self, applied: Applied) -> None:
        assert self._publisher is not None
        self._unpublished = applied
        self._pace.publishing(self._clock.monotonic_seconds())
        self._publishing = asyncio.create_task(
            self._publish(self._publisher, applied), name=f"lane-{self.number}-publish-{applied.seq}"
        )

    async def _publish(self, publisher: Publisher, applied: Applied) -> None:
        started = perf_counter()
        await publish(
            publisher,
            layout=self._recovery.layout.number,
            seq=applied.seq,
            records=applied.records,
            next_offsets=applied.next_offsets,
            timeout_seconds=self._recovery.publish_timeout_seconds,
            hook=self._recovery.hook,
        )
        self._observer.step_taken(self.number, Step.PUBLISH, perf_counter() - started)
        self._pace.published(self._clock.monotonic_seconds())
        self._observer.published(self.number, applied.seq, len(applied.records))

    async def _publishing_done(self) -> None:
        """Wait for the batch being published; note its receipt; a tainted producer is replaced before it begins."""
        publishing, applied = self._publishing, self._unpublished
        if publishing is None or applied is None or self._position is None:
            return
        await asyncio.wait([publishing])
        self._publishing = None
        publishing.result()
        self._unpublished = None
        self._position.published_seq = applied.seq
        if self._publisher is not None and self._publisher.tainted:
            raise PublishFailed(f"a request of the producer failed while batch {applied.seq} was published")

    def _raise_if_publishing_failed(self) -> None:
        publishing = self._publishing
        if publishing is not None and publishing.done() and publishing.exception() is not None:
            self._publishing = None
            publishing.result()

    # ---------------------------------------------------------------------------------------------- endings

    async def _drain(self) -> None:
        """What is applied gets published before the lane is released."""
        try:
            await self._publishing_done()
            if self._position is not None:
                await self._ledger.release_lane(self._position.layout, self.number, self._position.epoch)
        except (WorldFault, Doubt) as problem:
            self._observer.recovering(self.number, f"left without a clean release: {problem}")

    async def _lose(self, lost: LeaseLost) -> None:
        """Another owner has the lane: let go, and try a fresh take-over later if the group still says it is ours."""
        self._observer.ready(self.number, False, str(lost))
        self._observer.fenced(self.number, str(lost))
        await self._let_go_of_publisher()
        self._forget_lease()
        await self._rest(self._lease_patience_seconds)
        while not self._leaving and not self._reader.assigned().issuperset(self.partitions):
            await self._rest(self._idle_poll_seconds)

    async def _stop(self, doubt: Doubt) -> None:
        """Stop, say why, and look now and then whether a person has resumed the lane (`croupier lanes resume`)."""
        epoch = self._recovery.epoch
        try:
            if epoch is not None and not isinstance(doubt, LaneStopped):
                await self._ledger.stop_lane(
                    self._recovery.layout.number, self.number, epoch, f"{type(doubt).__name__}: {doubt}"
                )
        except LeaseLost as lost:
            # Whoever has the lane now has moved what we looked at: there is nothing to doubt.
            await self._lose(lost)
            return
        except WorldFault as problem:
            self._observer.retrying(self.number, problem, 1)
        self._observer.ready(self.number, False, str(doubt))
        self._observer.stopped(self.number, str(doubt))
        await self._let_go_of_publisher()
        try:
            if epoch is not None:
                await self._ledger.release_lane(self._recovery.layout.number, self.number, epoch)
        except (WorldFault, Doubt) as problem:
            self._observer.retrying(self.number, problem, 1)
        self._forget_lease()
        await self._rest(self._idle_poll_seconds * 5)

    def _forget_lease(self) -> None:
        self._position = None
        self._recovery.epoch = None

    async def _rest(self, seconds: float) -> None:
        """Sleep, turning now and then, unless asked to leave."""
        until = self._clock.monotonic_seconds() + seconds
        while not self._leaving and (left := until - self._clock.monotonic_seconds()) > 0:
            self._observer.turned(self.number)
            await self._clock.sleep(min(left, self._idle_poll_seconds))

    async def _let_go_of_publisher(self) -> None:
        publishing, self._publishing = self._publishing, None
        if publishing is not None:
            await asyncio.wait([publishing])
            if not publishing.cancelled():
                publishing.exception()  # heard here, so that asyncio does not miss it
        publisher, self._publisher = self._publisher, None
        if publisher is not None:
            await publisher.abandon()

    async def _put_down(self) -> None:
        if self._publishing is not None:
            self._publishing.cancel()
        await self._let_go_of_publisher()
        await self._ledger.close()
