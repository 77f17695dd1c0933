"""Postgres in the simulated world: the ledger in memory, behind connections that take time, break and lose answers.

What a statement does is the fake ledger's (tests/fakes/ledger.py, held to the contract suite). Added here is what a
server is: a statement travels, waits for locks for a bounded time, and goes on when its client is gone; a transaction
whose client is gone is rolled back only once the server notices; a COMMIT under way is carried out all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeVar

from processor.domain.state import Books
from processor.domain.wanted import Wanted
from processor.errors import CommitUnknown, LedgerUnavailable
from processor.ports import JournalRow, LaneMove, LaneRequest, LaneRow, Written
from tests.fakes.ledger import FakeBatch, FakeLedger, FakeStore
from tests.simulation.network import WORLD, Cut, Network
from tests.simulation.plan import Plan

T = TypeVar("T")

LOCK_TIMEOUT_SECONDS = 3.0
IDLE_IN_TRANSACTION_SECONDS = 5.0


class Server:
    """One Postgres: the store, and the connections open to it."""

    def __init__(self, store: FakeStore, network: Network, plan: Plan) -> None:
        self.store = store
        self.network = network
        self.plan = plan
        self.connections: list[Connection] = []

    def lose_connections(self) -> None:
        """The server ends them all: restart, failover."""
        for connection in self.connections:
            connection.end()
        self.connections.clear()


class Connection:
    """One client's connection, with at most one transaction and one statement under way."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._network = server.network
        self._running: Statement | None = None
        self._idle_since = 0
        self.is_lost = False  # as the client sees it
        self.is_over = False  # as the server sees it
        self.transaction: FakeBatch | None = None
        server.connections.append(self)

    async def run(self, work: Callable[[], Coroutine[Any, Any, T]], *, commits: bool = False) -> T:
        """One statement. Raises `errors.LedgerUnavailable`, for COMMIT `errors.CommitUnknown`, and what it raises."""
        plan, network = self._server.plan, self._network
        if self.is_lost:
            raise LedgerUnavailable("the connection to Postgres is lost")
        try:
            if commits and network.chance(plan.commit_lost):
                await self._lose_the_answer(work)
            return await network.ask("postgres", lambda: self._execute(work), plan.postgres_cut)  # type: ignore[no-any-return]  # what the work returns
        except Cut as cut:
            self.client_goes()
            if commits:
                raise CommitUnknown(f"the answer to COMMIT was lost: {cut}") from cut
            raise LedgerUnavailable(str(cut)) from cut
        except asyncio.CancelledError:
            self.client_goes()
            raise

    async def _lose_the_answer(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """COMMIT arrives, perhaps a good while after the client has given up waiting for its answer."""
        delay = self._network.delay
        self._network.later(delay() + 2 * delay(), self._execute_unheard, work)
        await asyncio.sleep(delay())
        raise Cut("cut while COMMIT was under way")

    def _execute_unheard(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        try:
            self._execute(work).add_done_callback(lambda done: done.cancelled() or done.exception())
        except LedgerUnavailable:
            return

    def _execute(self, work: Callable[[], Coroutine[Any, Any, T]]) -> asyncio.Future[T]:
        if self.is_over:
            raise LedgerUnavailable("Postgres has ended this connection")
        self._idle_since += 1
        statement = self._running = Statement(self._network, work(), self._done)
        statement.step()
        return statement.answer

    def _done(self) -> None:
        self._running = None
        if self.transaction is not None:
            self._network.later(IDLE_IN_TRANSACTION_SECONDS, self._check_idle, self._idle_since)
        if self.is_lost:
            self.end()

    def _check_idle(self, since: int) -> None:
        if self._running is None and self.transaction is not None and since == self._idle_since:
            self.end()

    def client_goes(self) -> None:
        """The client is gone, or gave up; the server notices it a little later, and not before its statement ends."""
        if not self.is_lost:
            self.is_lost = True
            self._network.later(3 * self._network.delay(), self._notice)

    def _notice(self) -> None:
        if self._running is None:
            self.end()

    def end(self) -> None:
        """The server lets go: the statement is cancelled, the transaction rolled back."""
        self.is_over = True
        if self._running is not None:
            self._running.cancel()
            self._running = None
        if self.transaction is not None:
            self.transaction.end()
            self.transaction = None
        if self in self._server.connections:
            self._server.connections.remove(self)


class Statement:
    """A coroutine driven by the server itself; it waits for nothing but locks, and for them a bounded time."""

    def __init__(self, network: Network, work: Coroutine[Any, Any, Any], done: Callable[[], None]) -> None:
        self._network = network
        self._work = work
        self._done = done
        self._waits_for: asyncio.Future[Any] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def step(self, _: object = None) -> None:
        """Go on until it waits or ends."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._run(lambda: self._work.send(None))

    def _run(self, go_on: Callable[[], Any]) -> None:
        if self.answer.done():
            return
        self._waits_for = None
        try:
            waits_for = go_on()
        except StopIteration as end:
            result = end.value
            self._end(lambda: self.answer.set_result(result))
        except Exception as error:  # noqa: BLE001  # it is the client's to hear
            problem = error
            self._end(lambda: self.answer.set_exception(problem))
        else:
            waits_for._asyncio_future_blocking = False
            waits_for.add_done_callback(self.step, context=WORLD)
            self._waits_for = waits_for
            self._timer = self._network.later(LOCK_TIMEOUT_SECONDS, self._time_out)

    def _end(self, tell: Callable[[], None]) -> None:
        if not self.answer.done():
            tell()
        self._done()

    def _time_out(self) -> None:
        if self._waits_for is not None and not self._waits_for.done():
            self._waits_for.remove_done_callback(self.step)
            self._run(lambda: self._work.throw(LedgerUnavailable("canceling statement due to lock timeout")))

    def cancel(self) -> None:
        """Whatever it does, it does it no more."""
        waits_for = self._waits_for
        if waits_for is not None:
            waits_for.remove_done_callback(self.step)
            if self._timer is not None:
                self._timer.cancel()
            if (
                waits_for.done()
            ):  # a lock was being handed over: it is taken, so that it is given back in order
                self.step()
                if not self.answer.done():
                    self.cancel()
                return
        self._work.close()
        if not self.answer.done():
            self.answer.set_exception(
                LedgerUnavailable("terminating connection due to administrator command")
            )
            self.answer.exception()  # nobody may be there any more to hear it


class SimulatedLedger(FakeLedger):
    """`ports.Ledger` in the simulated world: every call is a statement over a connection that may break."""

    def __init__(self, server: Server, *, shards: int) -> None:
        super().__init__(server.store, shards=shards)
        self._server = server
        self._connection: Connection | None = None

    @property
    def connection(self) -> Connection:
        """The connection; opened anew after a loss."""
        if self._connection is None or self._connection.is_lost or self._connection.is_over:
            if self._connection is not None:
                self._connection.client_goes()
            self._connection = Connection(self._server)
        return self._connection

    async def take_lane(self, layout: int, lane: int, *, owner: str) -> LaneRow:
        take = super().take_lane
        return await self.connection.run(lambda: take(layout, lane, owner=owner))

    async def confirm_lane(self, layout: int, lane: int, epoch: int) -> LaneRow:
        confirm = super().confirm_lane
        return await self.connection.run(lambda: confirm(layout, lane, epoch))

    async def release_lane(self, layout: int, lane: int, epoch: int) -> None:
        release = super().release_lane
        await self.connection.run(lambda: release(layout, lane, epoch))

    async def bootstrap_lane(self, layout: int, lane: int, epoch: int, offsets: Mapping[int, int]) -> LaneRow:
        bootstrap = super().bootstrap_lane
        return await self.connection.run(lambda: bootstrap(layout, lane, epoch, offsets))

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[Any]:
        connection = self.connection
        inner = self.begin(self._server.store, self._shards)
        connection.transaction = inner
        transaction = SimulatedBatch(connection, inner)
        try:
            yield transaction
        finally:
            if connection.transaction is inner and not connection.is_lost:
                connection.transaction = None
                self._server.network.later(self._server.network.delay(), inner.end)

    begin: Callable[[FakeStore, int], FakeBatch] = FakeBatch

    async def journal_above(self, layout: int, lane: int, seq: int) -> list[JournalRow]:
        journal_above = super().journal_above
        return await self.connection.run(lambda: journal_above(layout, lane, seq))

    async def due_parked(
        self, partitions: Mapping[int, datetime], *, limit: int
    ) -> list[tuple[str, str, int]]:
        due_parked = super().due_parked
        return await self.connection.run(lambda: due_parked(partitions, limit=limit))

    async def requests(self, layout: int, lane: int, *, limit: int) -> list[LaneRequest]:
        requests = super().requests
        return await self.connection.run(lambda: requests(layout, lane, limit=limit))

    async def mark_suspect(self, layout: int, lane: int, epoch: int, partition: int, offset: int) -> None:
        mark = super().mark_suspect
        await self.connection.run(lambda: mark(layout, lane, epoch, partition, offset))

    async def stop_lane(self, layout: int, lane: int, epoch: int, reason: str) -> None:
        stop = super().stop_lane
        await self.connection.run(lambda: stop(layout, lane, epoch, reason))

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.client_goes()


class SimulatedBatch:
    """One transaction over a connection (`ports.LedgerBatch`)."""

    def __init__(self, connection: Connection, inner: FakeBatch) -> None:
        self._connection = connection
        self._inner = inner

    async def fence(self, move: LaneMove) -> None:
        await self._connection.run(lambda: self._inner.fence(move))

    async def lock(self, players: Mapping[str, int]) -> Books:
        return await self._connection.run(lambda: self._inner.lock(players))

    async def read(self, books: Books, wanted: Wanted) -> None:
        await self._connection.run(lambda: self._inner.read(books, wanted))

    async def write(self, written: Written) -> None:
        await self._connection.run(lambda: self._inner.write(written))

    async def commit(self) -> None:
        await self._connection.run(self._commit, commits=True)

    async def _commit(self) -> None:
        await self._inner.commit()
        self._connection.transaction = None
