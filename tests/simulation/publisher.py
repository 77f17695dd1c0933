"""The transactional producer of the simulated world, as wrong as aiokafka's and as careful as our adapter.

What aiokafka does: a request whose connection is cut is sent again, silently, and the first one may still arrive, even
within the next transaction; a commit succeeds although a record was refused. What `processor/kafka/publisher.py` adds:
every acknowledgement is awaited, and a producer that saw a request fail is tainted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from processor.errors import PublishFailed
from processor.ports import CommittedOffset, OutRecord
from tests.simulation.broker import (
    TRANSACTION_TIMEOUT_SECONDS,
    Broker,
    BrokerError,
    Concurrent,
    End,
    Fenced,
    Refused,
)
from tests.simulation.network import Cut

RETRY_SECONDS = 0.05


class SimulatedPublisher:
    """`ports.Publisher` in the simulated world."""

    def __init__(self, broker: Broker, layout: int, lane: int) -> None:
        self._broker = broker
        self._network = broker.network
        self._id = (layout, lane)
        self._epoch = -1
        self._state: Literal["new", "idle", "in transaction", "over"] = "new"
        self._tainted = False

    @property
    def tainted(self) -> bool:
        return self._tainted

    async def start(self) -> None:
        self._must_be("new")
        try:
            async with asyncio.timeout(TRANSACTION_TIMEOUT_SECONDS):
                self._epoch = await self._request(lambda: self._broker.init(self._id), taints=False)
        except TimeoutError as late:
            raise self._failed("not started in time") from late
        self._state = "idle"

    async def sweep(self, places: Sequence[tuple[str, int]], offsets: Sequence[int], *, commit: bool) -> None:
        self._must_be("idle")
        end: End = "committed" if commit else "aborted"
        await self._request(lambda: self._broker.sweep(self._id, self._epoch, places, offsets, end))

    async def begin(self) -> None:
        self._must_be("idle")
        self._state = "in transaction"

    async def send(self, records: Sequence[OutRecord]) -> None:
        self._must_be("in transaction")
        by_place: dict[tuple[str, int], list[OutRecord]] = {}
        for record in records:
            by_place.setdefault((record.topic, record.partition), []).append(record)
        await self.acknowledged([self._produce(theirs) for theirs in by_place.values()])

    async def acknowledged(self, sending: list[asyncio.Future[None]]) -> None:
        """Await every acknowledgement; raise the first failure."""
        for answer in await asyncio.gather(*sending, return_exceptions=True):
            if isinstance(answer, BaseException):
                raise self._failed(f"a record was not taken: {answer!r}") from answer

    def _produce(self, records: list[OutRecord]) -> asyncio.Future[None]:
        if self._network.chance(self._broker.plan.refused):
            return asyncio.ensure_future(self._request(_refuse))
        return asyncio.ensure_future(
            self._request(lambda: self._broker.produce(self._id, self._epoch, records), again=False)
        )

    async def send_offsets(self, offsets: Mapping[int, CommittedOffset]) -> None:
        self._must_be("in transaction")
        await self._request(lambda: self._broker.add_offsets(self._id, self._epoch, offsets))

    async def commit(self) -> None:
        self._must_be("in transaction")
        network, plan = self._network, self._broker.plan
        if network.chance(plan.echo):
            # The connection is cut; the request is still on its way when its repeat is answered.
            self._tainted = True
            network.later(0.02 + network.delay() * 50, self._echo)
        await self._request(self._end)
        self._state = "idle"

    def _end(self) -> None:
        self._broker.end_transaction(self._id, self._epoch)

    def _echo(self) -> None:
        try:
            self._end()
        except BrokerError:
            return

    async def abandon(self) -> None:
        self._tainted = True
        self._state = "over"
        await asyncio.sleep(0)

    async def _request(self, operate: Callable[[], Any], *, taints: bool = True, again: bool = True) -> Any:
        """One request, sent again until it is answered; only the caller's time ends it."""
        cut_share = self._broker.plan.kafka_cut
        while True:
            try:
                return await self._network.ask("kafka", operate, cut_share)
            except Concurrent:
                await asyncio.sleep(RETRY_SECONDS)
            except Cut as cut:
                self._tainted = self._tainted or taints
                if not again:
                    raise
                await asyncio.sleep(RETRY_SECONDS)
                _ = cut
            except Fenced as fenced:
                raise self._failed("fenced by a newer producer with the same transactional id") from fenced
            except Refused:
                raise
            except BrokerError as error:
                raise self._failed(str(error)) from error

    def _must_be(self, state: str) -> None:
        if self._state != state:
            raise self._failed(f"this producer is {self._state}, not {state}")

    def _failed(self, what: str) -> PublishFailed:
        self._tainted = True
        return PublishFailed(f"{self._id}: {what}")


def _refuse() -> None:
    raise Refused("MESSAGE_TOO_LARGE")
