"""The broker of the simulated world: transactions with markers that come late, time-outs, fences, committed offsets.

It extends the Kafka in memory (tests/fakes/kafka.py) by what a transaction coordinator is: it commits in two parts
(what it has decided, and, later, what readers see of it), it answers "concurrent transactions" meanwhile, it aborts
what takes too long and fences whoever began it, and a request that was long on its way is carried out all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from processor.ports import CommittedOffset, OutRecord
from tests.fakes.kafka import FakeCluster, Published, Transaction
from tests.simulation.network import Network
from tests.simulation.plan import Plan

TRANSACTION_TIMEOUT_SECONDS = 6.0

Id = tuple[int, int]
End = Literal["committed", "aborted"]


class BrokerError(Exception):
    """An error code of the broker."""


class Fenced(BrokerError):
    """A newer epoch of this transactional id exists (INVALID_PRODUCER_EPOCH, PRODUCER_FENCED)."""


class Concurrent(BrokerError):
    """The transaction before is still being completed (CONCURRENT_TRANSACTIONS): ask again."""


class Refused(BrokerError):
    """The topic does not take this record (MESSAGE_TOO_LARGE)."""


class Unstable(BrokerError):
    """Offsets of a transaction that is not resolved (UNSTABLE_OFFSET_COMMIT)."""


@dataclass
class Coordinated:
    """What the coordinator knows of a transactional id."""

    epoch: int = -1
    state: Literal["empty", "ongoing", "completing"] = "empty"
    serial: int = 0
    ended: End | None = None
    records: list[Published] = field(default_factory=list)
    swept: Sequence[tuple[str, int]] = ()
    offsets: dict[int, CommittedOffset] = field(default_factory=dict)


class Broker(FakeCluster):
    """Topics, offsets and transactions."""

    def __init__(self, network: Network, plan: Plan) -> None:
        super().__init__(partitions=plan.partitions, lanes=plan.lanes)
        self.network = network
        self.plan = plan
        self.coordinated: dict[Id, Coordinated] = {}
        #: Told of each commit of offsets at the moment it is decided, before anybody can read them.
        self.decided: Callable[[Mapping[int, CommittedOffset]], None] = lambda _: None
        self._waiting_for_events: list[asyncio.Future[None]] = []

    # ------------------------------------------------------------------------------------------- transactions

    def init(self, id_: Id) -> int:
        """A new epoch, once nothing is pending; whoever had one before is fenced."""
        found = self.coordinated.setdefault(id_, Coordinated())
        if found.state == "ongoing":
            found.epoch += 1
            self._complete(found, "aborted")
        if found.state == "completing":
            raise Concurrent
        found.epoch += 1
        found.ended = None
        return found.epoch

    def produce(self, id_: Id, epoch: int, records: Sequence[OutRecord]) -> None:
        """Append to a partition, as part of the transaction; it begins with its first record."""
        found = self._begun(id_, epoch)
        for record in records:
            one = Published(record)
            self.published.append(one)
            found.records.append(one)

    def add_offsets(self, id_: Id, epoch: int, offsets: Mapping[int, CommittedOffset]) -> None:
        """Offsets that become the group's when the transaction is committed."""
        self._begun(id_, epoch).offsets.update(offsets)

    def end_transaction(self, id_: Id, epoch: int) -> None:
        """EndTxn(commit). A repeat of one that was carried out is answered as it was."""
        found = self._current(id_, epoch)
        if found.state == "ongoing":
            self._complete(found, "committed")
        elif found.ended != "committed":
            raise BrokerError("INVALID_TXN_STATE")

    def sweep(
        self, id_: Id, epoch: int, places: Sequence[tuple[str, int]], offsets: Sequence[int], end: End
    ) -> None:
        """A transaction that touches these, and holds nothing."""
        found = self._begun(id_, epoch)
        found.swept = places
        found.offsets.update(dict.fromkeys(offsets, CommittedOffset(0, "")))
        self._complete(found, end)

    def _current(self, id_: Id, epoch: int) -> Coordinated:
        found = self.coordinated[id_]
        if found.epoch != epoch:
            raise Fenced
        return found

    def _begun(self, id_: Id, epoch: int) -> Coordinated:
        found = self._current(id_, epoch)
        if found.state == "completing":
            raise Concurrent
        if found.state == "empty":
            found.state = "ongoing"
            found.serial += 1
            self.network.later(TRANSACTION_TIMEOUT_SECONDS, self._time_out, found, found.serial)
        return found

    def _time_out(self, found: Coordinated, serial: int) -> None:
        if found.state == "ongoing" and found.serial == serial:
            found.epoch += 1
            self._complete(found, "aborted")

    def _complete(self, found: Coordinated, end: End) -> None:
        """The decision is made here; markers reach the partitions later, and the offsets' partition last.

        Or never: for once a partition had no leader, and the transaction counts as ended all the same.
        """
        found.ended = end
        if (
            end == "aborted"
            and not found.swept
            and not self.network.calm
            and self.network.chance(self.plan.unmarked)
        ):
            before = self.hanging.get(self._id_of(found), Transaction())
            self.hanging[self._id_of(found)] = Transaction(
                0, [*before.records, *found.records], {**before.offsets, **found.offsets}
            )
            found.records, found.offsets, found.state = [], {}, "empty"
            return
        found.state = "completing"
        if end == "committed" and found.offsets:
            self.decided(found.offsets)
        wait = self.network.delay() + (0 if self.network.calm else self.plan.marker_seconds)
        self.network.later(wait, self._mark, found, end)

    def _id_of(self, found: Coordinated) -> Id:
        return next(id_ for id_, one in self.coordinated.items() if one is found)

    def _mark(self, found: Coordinated, end: End) -> None:
        places = {(one.record.topic, one.record.partition) for one in found.records} | set(found.swept)
        hanging = self.hanging.get(self._id_of(found), Transaction()).records
        for one in found.records:
            one.state = end
        for one in hanging:
            if one.state == "open" and (one.record.topic, one.record.partition) in places:
                one.state = end
        self.network.later(self.network.delay(), self._mark_offsets, found, end)

    def _mark_offsets(self, found: Coordinated, end: End) -> None:
        hanging = self.hanging.get(self._id_of(found), Transaction())
        if found.offsets:
            if end == "committed":
                self.receipts.update({**hanging.offsets, **found.offsets})
            hanging.offsets = {}
        found.records, found.offsets, found.swept, found.state = [], {}, (), "empty"

    # ------------------------------------------------------------------------------------- offsets and events

    def group_offsets(self, partitions: Sequence[int]) -> dict[int, CommittedOffset | None]:
        """OffsetFetch with "require stable"; a coordinator that is moving names no partition at all."""
        if self.network.chance(self.plan.offsets_unknown):
            return {}
        unresolved = [found.offsets for found in self.coordinated.values()]
        unresolved += [found.offsets for found in self.hanging.values()]
        if any(offsets.keys() & set(partitions) for offsets in unresolved):
            raise Unstable
        return {one: self.receipts.get(one) for one in partitions}

    def take(self, partition: int, value: bytes, *, key: bytes, timestamp: int) -> int:
        """An event comes in; whoever waits for one wakes up."""
        offset = self.append(partition, value, key=key, timestamp=timestamp)
        waiting, self._waiting_for_events = self._waiting_for_events, []
        for one in waiting:
            if not one.done():
                one.set_result(None)
        return offset

    def next_event(self) -> asyncio.Future[None]:
        """Done when something comes in."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting_for_events.append(future)
        return future
