"""Kafka in memory, misbehaving as aiokafka 0.14 does (docs/exactly-once.md has the list).

What it gets wrong, faithfully: a partition that was not sought is read from the committed offset, or fails; a rebalance
forgets every position; a fetch that fails loses what it had drained from other partitions; a commit succeeds although
a record of it was refused; a commit retried in silence may commit half of the next transaction; the receipt of a commit
is unknown for a moment, unless a new producer has started; an abandoned transaction stays open until a successor
starts.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from processor.errors import (
    FetchFailed,
    OffsetOutOfRange,
    OffsetsUnknown,
    OffsetsUnstable,
    PublishFailed,
    UnparsableBatch,
)
from processor.kafka.assignor import distribute, partitions_of
from processor.ports import (
    AssignmentListener,
    CommittedOffset,
    EventRecord,
    OutRecord,
    StoredRecord,
    TopicFacts,
    UnparsableRecord,
)

Step = Literal["start", "sweep", "begin", "send", "send_offsets", "commit", "fetch", "committed"]
# How a step fails: before anything happened, after it all happened, or (commit) with success told and a request
# left behind that will commit again, or with success told and no end marker anywhere.
How = Literal["before", "after", "silent", "unmarked"]

_BATCH_HEADER = "wallet-batch"


@dataclass
class Published:
    """A record on the results or dead-letter topic; ``state`` is what became of its transaction."""

    record: OutRecord
    state: Literal["open", "committed", "aborted"] = "open"


@dataclass
class Transaction:
    """What a transactional id has under way; a new producer with the id has the next epoch."""

    epoch: int = 0
    records: list[Published] = field(default_factory=list)
    offsets: dict[int, CommittedOffset] = field(default_factory=dict)


class FakeCluster:
    """Topics, group offsets and transactions of one installation, and the faults that tests order."""

    def __init__(self, *, partitions: int = 4, lanes: int = 2, topic_id: str = "fake-topic-1") -> None:
        self.partitions = partitions
        self.lanes = lanes
        self.topic_id = topic_id
        self.events: dict[int, list[StoredRecord | UnparsableRecord]] = {one: [] for one in range(partitions)}
        self.earliest: dict[int, int] = dict.fromkeys(range(partitions), 0)
        self.published: list[Published] = []
        self.receipts: dict[int, CommittedOffset] = {}
        self.transactions: dict[tuple[int, int], Transaction] = {}
        self.hanging: dict[tuple[int, int], Transaction] = {}
        self.unsettled = False
        self.members: list[FakeEventReader] = []
        self.coordinator_problem: str | None = None
        self._faults: dict[Step, deque[How]] = {}
        self._held: dict[str, Sequence[int]] = {}
        self._now = 1_700_000_000_000

    # ------------------------------------------------------------------------------------ what tests do

    def append(
        self,
        partition: int,
        value: bytes | None,
        *,
        key: bytes | None = b"p-1",
        headers: Sequence[tuple[str, bytes | None]] = (),
        timestamp: int | None = None,
    ) -> int:
        """Put an event on a partition; returns its offset."""
        offset = self.end(partition)
        self._now = timestamp if timestamp is not None else self._now + 1
        self.events[partition].append(StoredRecord(partition, offset, self._now, key, value, headers))
        return offset

    def append_unparsable(self, partition: int, *, value: bytes | None = b"?") -> int:
        """Put an event with a header key that is not UTF-8 on a partition; returns its offset."""
        offset = self.end(partition)
        self._now += 1
        problem = "the key of header 1 is not UTF-8"
        self.events[partition].append(
            UnparsableRecord(partition, offset, self._now, problem, b"\x02\x02\xff\x00", b"p-1", value)
        )
        return offset

    def delete_before(self, partition: int, offset: int) -> None:
        """Retention has passed: everything before the offset is gone."""
        self.earliest[partition] = offset

    def forget_receipts(self) -> None:
        """Offsets have expired, or a tool reset them."""
        self.receipts.clear()

    def fail_next(self, step: Step, how: How = "before", *, times: int = 1) -> None:
        """The next calls of this step fail, whoever makes them."""
        self._faults.setdefault(step, deque()).extend([how] * times)

    def end(self, partition: int) -> int:
        """The offset that the next event of a partition will have."""
        records = self.events[partition]
        return records[-1].offset + 1 if records else self.earliest[partition]

    @property
    def results(self) -> list[OutRecord]:
        """What a read_committed consumer of the results has seen, in order of sending."""
        return self._committed("results")

    @property
    def dead_letters(self) -> list[OutRecord]:
        """The same of the dead letters."""
        return self._committed("dead-letters")

    def _committed(self, topic: str) -> list[OutRecord]:
        return [
            one.record for one in self.published if one.record.topic == topic and one.state == "committed"
        ]

    def reader(self, static_id: str | None = None) -> FakeEventReader:
        """A consumer of this cluster's group."""
        return FakeEventReader(self, static_id or f"member-{id(object())}-{len(self.members)}")

    def publisher(self, layout: int, lane: int) -> FakePublisher:
        """`ports.PublisherFactory`."""
        return FakePublisher(self, layout, lane)

    # --------------------------------------------------------------------------- what the fakes ask of it

    def fault(self, step: Step) -> How | None:
        """The failure that was ordered for this step, if any; taken once."""
        ordered = self._faults.get(step)
        return ordered.popleft() if ordered else None

    async def rebalance(self) -> None:
        """Eager: everybody is revoked everything, then lanes are dealt out again; positions are gone."""
        for member in list(self.members):
            await member.lose_all()
        if not self.members:
            return
        names = sorted(member.name for member in self.members)
        self._held = dict(distribute(self._held, names, self.lanes))
        for member in self.members:
            lanes = self._held[member.name]
            member.gain(
                sorted(one for lane in lanes for one in partitions_of(lane, self.lanes, self.partitions))
            )

    def finish(self, transaction: Transaction, state: Literal["committed", "aborted"]) -> None:
        """End what a transactional id has under way; its markers also end what hangs where they are written."""
        self._end_hanging(transaction, state)
        for one in transaction.records:
            one.state = state
        if state == "committed":
            self.receipts.update(transaction.offsets)
            self.unsettled = True
        transaction.records, transaction.offsets = [], {}

    def _end_hanging(self, transaction: Transaction, state: Literal["committed", "aborted"]) -> None:
        for id_, hanging in self.hanging.items():
            if self.transactions[id_] is not transaction:
                continue
            places = {(one.record.topic, one.record.partition) for one in transaction.records}
            for one in hanging.records:
                if (one.record.topic, one.record.partition) in places and one.state == "open":
                    one.state = state
            if transaction.offsets:
                if state == "committed":
                    self.receipts.update(hanging.offsets)
                hanging.offsets = {}


class FakePublisher:
    """`ports.Publisher` on a `FakeCluster`."""

    def __init__(self, cluster: FakeCluster, layout: int, lane: int) -> None:
        self._cluster = cluster
        self._id = (layout, lane)
        self._epoch = -1
        self._state: Literal["new", "idle", "in transaction", "over"] = "new"
        self._tainted = False
        self._stray_commit = False

    @property
    def tainted(self) -> bool:
        return self._tainted

    async def start(self) -> None:
        how = await self._pass("start", "new")
        transaction = self._cluster.transactions.setdefault(self._id, Transaction())
        transaction.epoch += 1
        self._cluster.finish(transaction, "aborted")
        self._cluster.unsettled = False
        self._epoch = transaction.epoch
        self._fail_after(how, "start")
        self._state = "idle"

    async def sweep(self, places: Sequence[tuple[str, int]], offsets: Sequence[int], *, commit: bool) -> None:
        how = await self._pass("sweep", "idle")
        self._mine()
        hanging = self._cluster.hanging.get(self._id, Transaction())
        for one in hanging.records:
            if (one.record.topic, one.record.partition) in places and one.state == "open":
                one.state = "committed" if commit else "aborted"
        hanging.offsets = {one: offset for one, offset in hanging.offsets.items() if one not in offsets}
        self._fail_after(how, "sweep")

    async def begin(self) -> None:
        self._fail_after(await self._pass("begin", "idle"), "begin")
        self._state = "in transaction"

    async def send(self, records: Sequence[OutRecord]) -> None:
        how = await self._pass("send", "in transaction")
        transaction = self._mine()
        for record in records:
            one = Published(record)
            self._cluster.published.append(one)
            transaction.records.append(one)
            if self._stray_commit:
                # The commit that was retried in silence reaches the broker now, in the same epoch.
                self._stray_commit = False
                self._cluster.finish(transaction, "committed")
        self._fail_after(how, "send")

    async def send_offsets(self, offsets: Mapping[int, CommittedOffset]) -> None:
        how = await self._pass("send_offsets", "in transaction")
        self._mine().offsets.update(offsets)
        self._fail_after(how, "send_offsets")

    async def commit(self) -> None:
        how = await self._pass("commit", "in transaction")
        if how == "unmarked":
            mine = self._mine()
            self._cluster.hanging[self._id] = Transaction(0, mine.records, mine.offsets)
            mine.records, mine.offsets = [], {}
        self._cluster.finish(self._mine(), "committed")
        self._state = "idle"
        if how == "silent":
            self._tainted = self._stray_commit = True
        self._fail_after(how, "commit")

    async def abandon(self) -> None:
        await asyncio.sleep(0)
        self._tainted = True
        self._state = "over"

    async def _pass(self, step: Step, needed: str) -> How | None:
        """One moment for others, then the checks that any step makes."""
        await asyncio.sleep(0)
        if self._state != needed:
            raise self._failure(f"{step} of a producer that is {self._state}")
        how = self._cluster.fault(step)
        if how == "before":
            raise self._failure(f"{step} was told to fail")
        return how

    def _mine(self) -> Transaction:
        transaction = self._cluster.transactions[self._id]
        if transaction.epoch != self._epoch:
            raise self._failure("fenced by a newer producer with the same transactional id")
        return transaction

    def _fail_after(self, how: How | None, step: Step) -> None:
        if how == "after":
            raise self._failure(f"{step} was told to fail after it was done")

    def _failure(self, what: str) -> PublishFailed:
        self._tainted = True
        return PublishFailed(f"{self._id}: {what}")


class FakeEventReader:
    """`ports.EventReader` on a `FakeCluster`."""

    def __init__(self, cluster: FakeCluster, name: str) -> None:
        self.name = name
        self._cluster = cluster
        self._listener: AssignmentListener | None = None
        self._assigned: frozenset[int] = frozenset()
        self._positions: dict[int, int] = {}
        self._rebalancing: asyncio.Task[None] | None = None

    async def start(self, listener: AssignmentListener) -> None:
        self._listener = listener
        self._cluster.members.append(self)
        self._rebalancing = asyncio.create_task(self._cluster.rebalance())

    async def fetch(
        self, partitions: Sequence[int], *, max_records: int, timeout_seconds: float
    ) -> Sequence[EventRecord]:
        self._running()
        assert partitions, "getmany without partitions means all of them"
        await asyncio.sleep(0)
        drained: list[EventRecord] = []
        how = self._cluster.fault("fetch")
        for partition in sorted(set(partitions) & self._assigned):
            drained += self._drain(partition, max_records - len(drained), drained, len(partitions) == 1)
        if how is not None:
            raise FetchFailed("The fetch was told to fail; what it had drained is lost.")
        if not drained:
            await asyncio.sleep(min(timeout_seconds, 0.001))
        return drained

    def _drain(
        self, partition: int, limit: int, drained: list[EventRecord], alone: bool
    ) -> list[EventRecord]:
        found: list[EventRecord] = []
        if limit <= 0:
            return found
        position = self._position(partition)
        for record in self._cluster.events[partition]:
            if record.offset < position or len(found) >= limit:
                continue
            if isinstance(record, UnparsableRecord):
                # aiokafka gives what it has first; the next fetch raises, and so does every one after it.
                if found or drained:
                    break
                raise UnparsableBatch(partition if alone else None, record.problem)
            found.append(record)
            self._positions[partition] = record.offset + 1
        return found

    def _position(self, partition: int) -> int:
        if partition not in self._positions:
            receipt = self._cluster.receipts.get(partition)
            if receipt is None:
                raise FetchFailed(f"Partition {partition} was not sought, and nothing is committed for it.")
            self._positions[partition] = receipt.offset
        position = self._positions[partition]
        if not self._cluster.earliest[partition] <= position <= self._cluster.end(partition):
            raise OffsetOutOfRange(f"Partition {partition} has no offset {position}.", (partition,))
        return position

    async def fetch_tolerantly(
        self, partition: int, offset: int, *, max_records: int
    ) -> Sequence[EventRecord | UnparsableRecord]:
        self._running()
        await asyncio.sleep(0)
        return [one for one in self._cluster.events[partition] if one.offset >= offset][:max_records]

    def seek(self, partition: int, offset: int) -> None:
        if partition in self._assigned:
            self._positions[partition] = offset

    def assigned(self) -> frozenset[int]:
        return self._assigned

    def problem(self) -> str | None:
        return "there is no consumer" if self._listener is None else self._cluster.coordinator_problem

    def highwater(self, partition: int) -> int | None:
        return self._cluster.end(partition) if partition in self._positions else None

    def position(self, partition: int) -> int | None:
        return self._positions.get(partition)

    async def committed(self, partitions: Sequence[int]) -> Mapping[int, CommittedOffset | None]:
        await asyncio.sleep(0)
        if self._cluster.fault("committed") is not None:
            raise OffsetsUnknown("The coordinator is moving.")
        if self._cluster.unsettled:
            self._cluster.unsettled = False
            raise OffsetsUnknown("A transaction that holds offsets is being resolved.")
        for transaction in (*self._cluster.transactions.values(), *self._cluster.hanging.values()):
            if set(transaction.offsets) & set(partitions):
                raise OffsetsUnstable("A transaction that holds offsets is open.")
        return {one: self._cluster.receipts.get(one) for one in partitions}

    async def earliest(self, partitions: Sequence[int]) -> Mapping[int, int]:
        await asyncio.sleep(0)
        return {one: self._cluster.earliest[one] for one in partitions}

    async def events_topic(self) -> TopicFacts:
        await asyncio.sleep(0)
        return TopicFacts(self._cluster.topic_id, self._cluster.partitions, {})

    async def hanging(
        self, layout: int, lane: int, partitions: Sequence[int]
    ) -> Mapping[tuple[str, int], int]:
        await asyncio.sleep(0)
        found = self._cluster.hanging.get((layout, lane), Transaction()).records
        return {
            (one.record.topic, one.record.partition): int(value.rpartition(b"/")[2])
            for one in found
            for key, value in one.record.headers
            if one.state == "open" and key == _BATCH_HEADER and value is not None
        }

    async def last_batch_published(self, layout: int, lane: int, partitions: Sequence[int]) -> int | None:
        await asyncio.sleep(0)
        prefix = f"{layout}/{lane}/".encode()
        return max(
            (
                int(value.removeprefix(prefix))
                for record in [*self._cluster.results, *self._cluster.dead_letters]
                if record.partition in partitions
                for key, value in record.headers
                if key == _BATCH_HEADER and value is not None and value.startswith(prefix)
            ),
            default=None,
        )

    async def stop(self, *, leave_group: bool) -> None:
        if self in self._cluster.members:
            self._cluster.members.remove(self)
            self._assigned, self._listener = frozenset(), None
            await self._cluster.rebalance()

    # ------------------------------------------------------------------------ what the cluster does to it

    async def lose_all(self) -> None:
        """Revoked: positions are forgotten."""
        if self._listener is not None:
            await self._listener.revoked(sorted(self._assigned))
        self._assigned, self._positions = frozenset(), {}

    def gain(self, partitions: Sequence[int]) -> None:
        """Assigned; nothing is sought yet."""
        self._assigned = frozenset(partitions)
        if self._listener is not None:
            self._listener.assigned(partitions)

    def _running(self) -> None:
        if self._listener is None:
            raise FetchFailed("The reader is not running.")
