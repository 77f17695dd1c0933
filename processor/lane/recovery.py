"""The one recovery path, for a take-over and for every failure of steps 9 and 10; only the lane's own task runs it.

    new producer with the same id   fences whoever had it; its pending transaction is resolved when start() returns
    → the lease                     a fresh assignment bumps the epoch, a recovery only confirms it
    → the receipt and the row       read after both fences, so neither can move any more; what hangs there is swept
    → the journal above the receipt published in order, one Kafka transaction each
    → seek to the lane's own next offsets → ready

Nothing is read or decided again: a batch is published as it was rendered, or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from processor.errors import JournalBroken, OffsetsUnstable, ReceiptAhead, ReceiptUnknown, Swept
from processor.lane import journal
from processor.lane.publish import publish
from processor.lane.receipt import receipt_seq
from processor.lane.work import Position
from processor.ports import (
    EventReader,
    JournalRow,
    LaneRow,
    Layout,
    Ledger,
    OutRecord,
    Publisher,
    PublisherFactory,
    StepHook,
)

#: What hangs after so many is not ours to end: the producer's id in the log is one that Kafka has forgotten (a week of
#: silence). It comes to light with nothing of ours either; `kafka-transactions.sh` can end it.
_MOST_SWEEPS = 5


@dataclass(slots=True)
class Recovered:
    """A lane that is ready: its new producer, where it stands, and what was done to get there."""

    publisher: Publisher
    position: Position
    row: LaneRow
    republished: int
    concluded: str


@dataclass(slots=True)
class Recovery:
    """What a recovery works with; one per lane."""

    layout: Layout
    lane: int
    partitions: Sequence[int]
    reader: EventReader
    publishers: PublisherFactory
    ledger: Ledger
    owner: str
    publish_timeout_seconds: float
    hook: StepHook
    epoch: int | None = None
    _sweeps: int = 0

    async def run(self) -> Recovered:
        """Take the lane over (no ``epoch`` held) or confirm it, and bring Kafka up to the ledger.

        Raises `errors.LeaseLost`, the kinds of `errors.Doubt`, and every `errors.WorldFault`
        (try again, with a producer that is new again).
        """
        publisher = self.publishers(self.layout.number, self.lane)
        try:
            await publisher.start()
            row = await self._lease()
            said = await self._receipt(publisher, row)
            receipt, concluded = await self._conclude(row, said)
            if self._sweeps:
                concluded += ", what hung was swept away"
            self._sweeps = 0
            republished = await self._catch_up(publisher, row, receipt, restore=said != receipt)
        except BaseException:
            await publisher.abandon()
            raise
        position = Position.of(row)
        position.published_seq = row.applied_seq
        return Recovered(publisher, position, row, republished, concluded)

    async def _lease(self) -> LaneRow:
        if self.epoch is None:
            row = await self.ledger.take_lane(self.layout.number, self.lane, owner=self.owner)
            self.epoch = row.epoch
        else:
            row = await self.ledger.confirm_lane(self.layout.number, self.lane, self.epoch)
        if not row.fresh:
            return row
        earliest = await self.reader.earliest(self.partitions)
        return await self.ledger.bootstrap_lane(self.layout.number, self.lane, row.epoch, earliest)

    async def _receipt(self, publisher: Publisher, row: LaneRow) -> int | None:
        """The batch that the group's offsets vouch for, None where there are none.

        A new producer's start leaves no transaction of ours open. What is under one nevertheless hangs: Kafka notes a
        transaction as ended without its markers where a partition has no leader at that moment (4.4: "Couldn't find
        leader endpoint … likely deleted already"). The next transaction that ends there would end it, too: so what
        was not published according to the receipt is aborted, and what was is committed, before anything is published.
        Raises `errors.Swept` then, as the markers are waited for by the next producer's start; `errors.OffsetsUnknown`.
        """
        try:
            said = receipt_seq(self.layout.number, await self.reader.committed(self.partitions))
        except OffsetsUnstable:
            self._sweeps += 1
            await publisher.sweep([], self.partitions, commit=False)
            raise
        hanging = await self.reader.hanging(self.layout.number, self.lane, self.partitions)
        if hanging and self._sweeps < _MOST_SWEEPS:
            self._sweeps += 1
            await self._sweep(publisher, hanging, max(said or 0, row.published_seq))
        return said

    async def _sweep(
        self, publisher: Publisher, hanging: Mapping[tuple[str, int], int], vouched: int
    ) -> None:
        for commit in (True, False):
            places = [place for place, seq in hanging.items() if (seq <= vouched) is commit]
            if places:
                await publisher.sweep(places, [], commit=commit)
        where = ", ".join(
            f"batch {seq} at {topic} {partition}" for (topic, partition), seq in hanging.items()
        )
        raise Swept(f"Kafka had forgotten to end transactions of lane {self.lane}: {where}. They were ended.")

    async def _conclude(self, row: LaneRow, said: int | None) -> tuple[int, str]:
        """The last batch that Kafka holds, and how that was concluded.

        The group's metadata says it. Where that is lost (offsets expire after idle days, a tool resets them) the
        results themselves say it, by the ``wallet-batch`` header of the last one. A batch may have put nothing
        there: so they are whole as far as the last one known as published that did (``witness_seq``), and of the
        batches above, none that has records was published beyond what was found.
        """
        if said is not None and said > row.applied_seq:
            raise ReceiptAhead(
                f"Kafka holds the receipt of batch {said} of lane {self.lane}, the ledger ends at batch "
                f"{row.applied_seq}: the database was restored behind Kafka. Nothing was touched. "
                "See docs/exactly-once.md, 'A database behind Kafka'."
            )
        if self._sweeps:
            await self._must_be_all_gone(row, said)
        if said is not None and said >= row.published_seq:
            return said, f"receipt {said}"
        if said is None and row.published_seq == 0 and row.applied_seq == 0:
            return 0, "never published"
        found = await self.reader.last_batch_published(self.layout.number, self.lane, self.partitions)
        concluded = max(found or 0, row.published_seq)
        if concluded > row.applied_seq:
            raise ReceiptAhead(
                f"the results topic holds batch {concluded} of lane {self.lane}, the ledger ends at batch "
                f"{row.applied_seq}: the database was restored behind Kafka. Nothing was touched."
            )
        if (found or 0) < row.witness_seq and row.applied_seq > row.published_seq:
            raise ReceiptUnknown(
                f"lane {self.lane} lost its receipt, and the results that would tell which of the batches "
                f"{row.published_seq + 1} to {row.applied_seq} were published are no longer on the topic. "
                "Compare the topic with the journal (`croupier lanes show`), then say it with "
                "`croupier lanes set-receipt`: docs/exactly-once.md, 'A lost receipt'."
            )
        return concluded, f"receipt {said}, found batch {found} on the topics, published {row.published_seq}"

    async def _must_be_all_gone(self, row: LaneRow, said: int | None) -> None:
        """What was swept away is published again, and so must be nowhere. Raises `errors.ReceiptUnknown`."""
        vouched = max(said or 0, row.published_seq)
        found = await self.reader.last_batch_published(self.layout.number, self.lane, self.partitions)
        if (found or 0) > vouched:
            raise ReceiptUnknown(
                f"Kafka ended a transaction of lane {self.lane} in part: its receipt is gone, and results of batch "
                f"{found} can be read; {vouched} is vouched for. Compare the topic with the journal "
                "(`croupier lanes show`), then say it with `croupier lanes set-receipt`: docs/exactly-once.md, "
                "'A lost receipt'."
            )

    async def _catch_up(self, publisher: Publisher, row: LaneRow, receipt: int, *, restore: bool) -> int:
        rows = await self.ledger.journal_above(self.layout.number, self.lane, receipt)
        self._must_be_whole(row, receipt, rows)
        for one in rows:
            await self._publish(publisher, one.seq, journal.decode(one.payload), one.next_offsets)
        if restore and not rows and receipt:
            await self._publish(publisher, receipt, [], row.next_offsets)
        return len(rows)

    async def _publish(
        self, publisher: Publisher, seq: int, records: Sequence[OutRecord], next_offsets: Mapping[int, int]
    ) -> None:
        await publish(
            publisher,
            layout=self.layout.number,
            seq=seq,
            records=records,
            next_offsets=next_offsets,
            timeout_seconds=self.publish_timeout_seconds,
            hook=self.hook,
        )

    def _must_be_whole(self, row: LaneRow, receipt: int, rows: Sequence[JournalRow]) -> None:
        expected = list(range(receipt + 1, row.applied_seq + 1))
        if [one.seq for one in rows] != expected:
            raise JournalBroken(
                f"the journal of lane {self.lane} holds the batches {[one.seq for one in rows]}, but above the receipt "
                f"{receipt} it must hold {expected}: receipts and ledger do not belong together. Nothing was touched."
            )
