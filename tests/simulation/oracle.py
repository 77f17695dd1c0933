"""The oracle: what must hold at every commit, and what must be true of a whole world once it has settled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import orjson

from processor.lane.receipt import receipt_seq
from processor.ports import CommittedOffset, LaneRow, OutRecord
from tests.simulation.books import Commit, RecordedStore
from tests.simulation.broker import Broker
from tests.simulation.naive import NaiveWallet

Place = tuple[int, int]

LAYOUT = 1
#: What a lane may stop for, where the database really is older than what Kafka holds.
GONE_BACK = ("LedgerWentBack", "ReceiptAhead")


class Oracle:
    """Watches one world; ``problem`` is the first thing that was wrong, None while nothing is."""

    def __init__(self, broker: Broker, store: RecordedStore) -> None:
        self._broker = broker
        self._store = store
        self._receipts: Counter[int] = Counter()
        self.problem: str | None = None
        self.damaged: set[int] = set()
        broker.decided = self.offsets_decided
        store.committed = self.batch_committed

    def wrong(self, problem: str) -> None:
        """Keep the first problem."""
        self.problem = self.problem or problem

    # ------------------------------------------------------------------------------------------ at every commit

    def offsets_decided(self, offsets: Mapping[int, CommittedOffset]) -> None:
        """Kafka has decided to commit offsets: the receipt is never above the ledger and never goes back."""
        seq = receipt_seq(LAYOUT, offsets)
        lane = min(offsets) % self._broker.lanes
        row = self._row(lane)
        if seq is None:
            self.wrong(f"lane {lane} committed offsets without a receipt: {dict(offsets)}")
        elif seq > row.applied_seq:
            if any((one.lane, one.seq) == (lane, seq) for one in self._store.lost):
                self.damaged.add(lane)
            else:
                self.wrong(f"Kafka holds batch {seq} of lane {lane}, the ledger ends at {row.applied_seq}")
        elif seq < self._receipts[lane]:
            self.wrong(f"the receipt of lane {lane} went back from {self._receipts[lane]} to {seq}")
        self._receipts[lane] = max(self._receipts[lane], seq or 0)

    def batch_committed(self, commit: Commit) -> None:
        """Postgres has committed a batch: ``published_seq`` ≤ receipt, and the journal holds what is above it."""
        lane, receipt = commit.lane, self._receipts[commit.lane]
        if lane in self.damaged:
            self.wrong(f"lane {lane} decided batch {commit.seq} on a ledger that is behind Kafka ({receipt})")
        if commit.published_seq > receipt:
            self.wrong(f"lane {lane} noted {commit.published_seq} as published, the receipt is {receipt}")
        held = sorted(self._store.journal[LAYOUT, lane])
        above = [seq for seq in held if seq > receipt]
        if above != list(range(receipt + 1, commit.seq + 1)):
            self.wrong(
                f"the journal of lane {lane} holds {held}, with the receipt at {receipt} and {commit.seq} applied"
            )

    def went_back(self) -> None:
        """The database has failed over: which lanes are now behind Kafka?"""
        for lane in range(self._broker.lanes):
            if self._receipts[lane] > self._row(lane).applied_seq:
                self.damaged.add(lane)

    def resume_whole_lanes(self) -> None:
        """What a person does about a lane that noticed a ledger gone back, where Kafka holds nothing that it lacks."""
        for lane in range(self._broker.lanes):
            row = self._row(lane)
            has_noticed = (row.stopped_reason or "").startswith(GONE_BACK)
            if has_noticed and self._store.lost and lane not in self.damaged:
                row.stopped_reason = None

    # ------------------------------------------------------------------------------------------------ settling

    def is_settled(self) -> bool:
        """Whether every lane that can go on has nothing more to do, and Kafka has completed what it decided."""
        if any(one.state == "completing" for one in self._broker.coordinated.values()):
            return False
        return all(
            self._is_done(lane) for lane in range(self._broker.lanes) if lane not in self.damaged
        ) and not any(
            queue
            for person in self._store.people.values()
            if person.player.partition is None
            or person.player.partition % self._broker.lanes not in self.damaged
            for queue in person.queues.values()
        )

    def _is_done(self, lane: int) -> bool:
        row = self._row(lane)
        return (
            bool(row.next_offsets)
            and all(offset == self._broker.end(part) for part, offset in row.next_offsets.items())
            and self._receipts[lane] == row.applied_seq
        )

    def _row(self, lane: int) -> LaneRow:
        return self._store.lanes.get((LAYOUT, lane)) or LaneRow(LAYOUT, lane, 0, 0, 0, {}, b"")

    # ----------------------------------------------------------------------------------------------- in the end

    def judge(self) -> None:
        """Everything that must be true in the end."""
        answers = self._published_as_rendered()
        self._each_event_once(answers)
        self._offsets_whole()
        self._decided_well()
        self._nobody_stopped()

    def _published_as_rendered(self) -> list[OutRecord]:
        """Each partition of each topic holds the batches' records, byte for byte, in order, once."""
        facts: dict[int, dict[int, list[OutRecord]]] = {}
        for commit in self._store.commits:
            facts.setdefault(commit.lane, {})[commit.seq] = commit.records()
        for commit in self._store.lost:
            if commit.lane in self.damaged and commit.seq <= self._receipts[commit.lane]:
                facts.setdefault(commit.lane, {}).setdefault(commit.seq, commit.records())
        expected: dict[tuple[str, int], list[OutRecord]] = {}
        for batches in facts.values():
            for seq in sorted(batches):
                for record in batches[seq]:
                    expected.setdefault((record.topic, record.partition), []).append(record)
        found: dict[tuple[str, int], list[OutRecord]] = {}
        for record in [*self._broker.results, *self._broker.dead_letters]:
            found.setdefault((record.topic, record.partition), []).append(record)
        for place in sorted(expected.keys() | found.keys()):
            wanted, got = expected.get(place, []), found.get(place, [])
            if wanted != got:
                self.wrong(
                    f"{place} holds {[_named(one) for one in got]}, not {[_named(one) for one in wanted]}"
                )
        return [record for records in found.values() for record in records]

    def _each_event_once(self, answers: list[OutRecord]) -> None:
        """Each event has exactly one result or dead letter."""
        counts = Counter(source_of(record) for record in answers)
        for partition, events in self._broker.events.items():
            if partition % self._broker.lanes in self.damaged:
                continue
            for event in events:
                count = counts.pop((partition, event.offset), 0)
                if count != 1:
                    self.wrong(f"the event {partition}/{event.offset} has {count} answers")
        for place, count in counts.items():
            if place[0] % self._broker.lanes not in self.damaged:
                self.wrong(f"{count} answers to {place}, where no event is")

    def _offsets_whole(self) -> None:
        """Each lane's batches took its partitions from the beginning on, without gap or overlap."""
        at: dict[int, dict[int, int]] = {}
        for commit in self._store.commits:
            before = at.setdefault(commit.lane, dict.fromkeys(commit.before, 0))
            if commit.before != before:
                self.wrong(
                    f"batch {commit.seq} of lane {commit.lane} begins at {commit.before}, not at {before}"
                )
            at[commit.lane] = commit.after

    def _decided_well(self) -> None:
        """The naive wallet would have given the same answers; balances are what it has; queues kept the order."""
        wallet = NaiveWallet()
        order = Order()
        for commit in self._store.commits:
            answers = [(self._event(record), orjson.loads(record.value or b"")) for record in commit.records()
                       if record.topic == "results"]  # fmt: skip
            wallet.foresee([(event, body["code"]) for event, body in answers])
            for event, body in answers:
                complaint = wallet.complain(event, body)
                if complaint is not None:
                    self.wrong(f"in batch {commit.seq} of lane {commit.lane}: {complaint}")
                if not order.allows(event, body):
                    self.wrong(f"{event['transaction_id']} was decided after a later event of its player")
        for player, cash in wallet.cash.items():
            if self._store.balance_minor(player, "EUR") != cash:
                self.wrong(f"{player} has {self._store.balance_minor(player, 'EUR')}, not {cash}")
        entries = sum(_change(entry) for entry in self._store.entries)
        if entries != sum(wallet.cash.values()) or sum(self._store.house.values()) != -entries:
            self.wrong(f"the entries sum up to {entries}, the house to {sum(self._store.house.values())}")

    def _event(self, record: OutRecord) -> dict[str, Any]:
        partition, offset = source_of(record)
        event: dict[str, Any] = orjson.loads(self._broker.events[partition][offset].value or b"")
        return event

    def _nobody_stopped(self) -> None:
        for lane in range(self._broker.lanes):
            reason = self._row(lane).stopped_reason
            if reason is not None and not (lane in self.damaged and reason.startswith(GONE_BACK)):
                self.wrong(f"lane {lane} stopped: {reason}")


class Order:
    """Events of a player and provider are decided as they come, but for a win that waits and what waits behind it.

    Of what waits, a bet that is rolled back is decided with its rollback (as a conflict where its id is another's).
    """

    def __init__(self) -> None:
        self._newest: dict[str, int] = {}
        self._late_wins: dict[str, int] = {}

    def allows(self, event: dict[str, Any], answer: Mapping[str, Any]) -> bool:
        """Whether this event's turn may be now."""
        if event["type"] == "bet" and answer["code"] in ("ROLLED_BACK", "CONFLICT"):
            return True
        source = answer["source"]
        offset, name = source["offset"], f"{event['player_id']} {event['provider']} {source['partition']}"
        is_late = offset < self._newest.get(name, -1)
        self._newest[name] = max(self._newest.get(name, -1), offset)
        if is_late and event["type"] == "win":
            self._late_wins[name] = min(offset, self._late_wins.get(name, offset))
            return True
        return not is_late or self._late_wins.get(name, offset) < offset


def source_of(record: OutRecord) -> Place:
    """The event that a result or dead letter answers."""
    if record.topic == "results":
        source = orjson.loads(record.value or b"")["source"]
        return source["partition"], source["offset"]
    headers = dict(record.headers)
    return int(headers["wallet-dlq-partition"] or b""), int(headers["wallet-dlq-offset"] or b"")


def _named(record: OutRecord) -> str:
    batch = (dict(record.headers).get("wallet-batch") or b"").decode()
    return f"{source_of(record)} of {batch}"


def _change(entry: Any) -> int:
    """What an entry gave to players."""
    given = 0 if entry.credit.startswith("house:") else entry.amount_minor
    taken = 0 if entry.debit.startswith("house:") else entry.amount_minor
    return int(given - taken)
