"""An in-memory ledger behind the port, with row locks, compare-and-set, and the faults that Postgres really has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from processor.domain.profiles import Reference
from processor.domain.state import BetMark, Books, Entry, Outcome, Parked, Player, Round, Session, Told
from processor.domain.wanted import Wanted
from processor.errors import (
    CommitUnknown,
    LaneRace,
    LeaseLost,
    LedgerRefusedData,
    LedgerUnavailable,
    LedgerWentBack,
)
from processor.ports import DeadLetter, JournalRow, LaneMove, LaneRequest, LaneRow, Written
from tests.fakes.copies import copied

LARGEST_MINOR = 10**38 - 1
LaneName = tuple[int, int]


@dataclass(slots=True)
class _Person:
    """One player's committed rows."""

    player: Player
    rounds: dict[tuple[str, str], Round] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    bets: dict[tuple[str, str], BetMark] = field(default_factory=dict)
    queues: dict[str, list[Parked]] = field(default_factory=dict)


class FakeStore:
    """The database itself: what is committed, who holds which lock, and which fault comes next."""

    def __init__(self) -> None:
        self.lanes: dict[LaneName, LaneRow] = {}
        self.owners: dict[LaneName, str | None] = {}
        self.taken_offsets: dict[LaneName, dict[int, int]] = {}
        self.marks: dict[LaneName, tuple[int, int]] = {}
        self.journal: dict[LaneName, dict[int, JournalRow]] = {}
        self.records: dict[tuple[int, int, int], int] = {}
        self.people: dict[str, _Person] = {}
        self.outcomes: dict[tuple[str, str], Outcome] = {}
        self.entries: list[Entry] = []
        self.house: dict[tuple[str, str, str], int] = {}
        self.dead_letters: list[DeadLetter] = []
        self.seals: dict[LaneName, list[tuple[int, bytes, bytes]]] = {}
        self.pending_requests: list[LaneRequest] = []
        self.requests_done: list[tuple[int, str]] = []
        self._locks: dict[object, asyncio.Lock] = {}
        self._parked_number = 0
        self._faults: dict[str, list[Exception]] = {}

    def fail_next(self, step: str, error: Exception) -> None:
        """The next call of ``step`` (fence, lock, read, write, commit, commit-after, take, …) raises this."""
        self._faults.setdefault(step, []).append(error)

    def trip(self, step: str) -> None:
        """Raise the fault that waits for this step."""
        waiting = self._faults.get(step)
        if waiting:
            raise waiting.pop(0)

    def lock_of(self, row: object) -> asyncio.Lock:
        """The lock of one row."""
        return self._locks.setdefault(row, asyncio.Lock())

    def next_parked_number(self) -> int:
        """An identity column."""
        self._parked_number += 1
        return self._parked_number

    def balance_minor(self, player_id: str, currency: str, pool: str = "cash") -> int:
        """What a player has, 0 where there is no account."""
        person = self.people.get(player_id)
        return 0 if person is None else person.player.balance_minor(currency, pool)


class FakeLedger:
    """One lane's connection to a `FakeStore`."""

    def __init__(self, store: FakeStore, *, lanes: int = 1, shards: int = 8) -> None:
        self._store = store
        self._lanes = lanes
        self._shards = shards
        self._reference = Reference()

    async def take_lane(self, layout: int, lane: int, *, owner: str) -> LaneRow:
        """Bump the epoch."""
        self._store.trip("take")
        name = (layout, lane)
        async with self._store.lock_of(("lane", name)):
            row = self._store.lanes.get(name) or LaneRow(layout, lane, 0, 0, 0, {}, b"\0" * 32, fresh=True)
            unclean = self._store.owners.get(name) is not None
            unmoved = self._store.taken_offsets.get(name) == row.next_offsets
            suspect = row.suspect_takeovers + 1 if unclean and unmoved else 0
            row = replace(row, epoch=row.epoch + 1, suspect_takeovers=suspect)
            marked = self._store.marks.pop(name, None)
            if unclean and marked is not None:
                row.suspects[marked] = row.suspects.get(marked, 0) + 1
            row.suspects = {
                (partition, offset): deaths
                for (partition, offset), deaths in row.suspects.items()
                if offset >= row.next_offsets.get(partition, 0)
            }
            self._store.lanes[name] = row
            self._store.owners[name] = owner
            self._store.taken_offsets[name] = dict(row.next_offsets)
            return copied(row)

    async def confirm_lane(self, layout: int, lane: int, epoch: int) -> LaneRow:
        """The row, once nobody is changing it."""
        self._store.trip("confirm")
        async with self._store.lock_of(("lane", (layout, lane))):
            return copied(self._own(layout, lane, epoch))

    async def release_lane(self, layout: int, lane: int, epoch: int) -> None:
        """A clean leave."""
        self._own(layout, lane, epoch)
        self._store.owners[(layout, lane)] = None

    async def bootstrap_lane(self, layout: int, lane: int, epoch: int, offsets: Mapping[int, int]) -> LaneRow:
        """The first offsets."""
        row = self._own(layout, lane, epoch)
        row.next_offsets, row.fresh = dict(offsets), False
        return copied(row)

    def _own(self, layout: int, lane: int, epoch: int) -> LaneRow:
        row = self._store.lanes.get((layout, lane))  # a database that went back may not have it any more
        if row is None or row.epoch != epoch:
            has = "no row" if row is None else f"epoch {row.epoch}"
            raise LeaseLost(f"lane {lane} has {has}, ours was epoch {epoch}")
        return row

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[FakeBatch]:
        """One transaction."""
        transaction = FakeBatch(self._store, self._shards)
        try:
            yield transaction
        finally:
            transaction.end()

    async def journal_above(self, layout: int, lane: int, seq: int) -> list[JournalRow]:
        """Rows above a receipt."""
        rows = self._store.journal.get((layout, lane), {})
        return [rows[one] for one in sorted(rows) if one > seq]

    async def due_parked(
        self, partitions: Mapping[int, datetime], *, limit: int
    ) -> list[tuple[str, str, int]]:
        """Heads that are due."""
        due = []
        for player_id, person in self._store.people.items():
            for provider, queue in person.queues.items():
                head = min(queue, key=lambda row: row.position, default=None)
                if head is None or head.partition not in partitions:
                    continue
                if min(head.next_attempt_at, head.expires_at) <= partitions[head.partition]:
                    due.append((player_id, provider, head.partition))
        return due[:limit]

    async def requests(self, layout: int, lane: int, *, limit: int) -> list[LaneRequest]:
        """Operators' requests for this lane."""
        row = self._store.lanes.get((layout, lane))
        theirs = {} if row is None else row.next_offsets
        return [one for one in self._store.pending_requests if one.partition in theirs][:limit]

    async def mark_suspect(self, layout: int, lane: int, epoch: int, partition: int, offset: int) -> None:
        """The event about to be read."""
        self._own(layout, lane, epoch)
        self._store.marks[layout, lane] = (partition, offset)

    async def stop_lane(self, layout: int, lane: int, epoch: int, reason: str) -> None:
        """Store the stop."""
        self._own(layout, lane, epoch).stopped_reason = reason

    async def reference(self) -> tuple[int, Reference]:
        """What it was given."""
        return self._reference.revision, self._reference

    async def close(self) -> None:
        """Nothing is open."""


class FakeBatch:
    """One transaction: what it locks it holds to its end, what it writes shows only after `commit`."""

    def __init__(self, store: FakeStore, shards: int) -> None:
        self._store = store
        self._shards = shards
        self._held: dict[object, asyncio.Lock] = {}
        self._move: LaneMove | None = None
        self._written: Written | None = None

    def end(self) -> None:
        """Commit or roll back: the locks go."""
        while self._held:
            self._held.popitem()[1].release()

    async def _hold(self, row: object) -> None:
        if row not in self._held:
            lock = self._store.lock_of(row)
            await lock.acquire()
            self._held[row] = lock

    async def fence(self, move: LaneMove) -> None:
        """The compare-and-set."""
        self._store.trip("fence")
        await self._hold(("lane", (move.layout, move.lane)))
        row = self._store.lanes.get((move.layout, move.lane))
        if row is None or row.epoch != move.epoch:
            has = "no row" if row is None else f"epoch {row.epoch}"
            raise LeaseLost(f"lane {move.lane} has {has}, ours was epoch {move.epoch}")
        if (row.applied_seq, row.next_offsets) != (move.applied_seq, move.next_offsets):
            raise LedgerWentBack(
                f"lane {move.lane} stands at batch {row.applied_seq}, not {move.applied_seq}"
            )
        self._move = move

    async def lock(self, players: Mapping[str, int]) -> Books:
        """Lock whom the lane's row does not guard (docs/adr/0006), then read accounts and queues."""
        self._store.trip("lock")
        for player_id in sorted(players):
            person = self._store.people.get(player_id)
            if person is None or person.player.partition != players[player_id]:
                await self._hold(("player", player_id))
        return self.look(players)

    def look(self, players: Mapping[str, int]) -> Books:
        """The players as they are now."""
        books = Books()
        for player_id, partition in players.items():
            person = self._store.people.get(player_id)
            if person is None:
                player = Player(player_id, len(self._store.people) + 1, partition % self._shards)
                self._store.people[player_id] = person = _Person(player)
            player = copied(person.player)
            player.queues = copied(person.queues)
            books.players[player_id] = player
        return books

    async def read(self, books: Books, wanted: Wanted) -> None:
        """The rest, as it is committed now."""
        self._store.trip("read")
        for name in wanted.keys:
            found = self._store.outcomes.get(name)
            if found is not None:
                books.outcomes[name] = copied(found)
        bets = wanted.bets | self._bets_of(wanted)
        for player_id, player in books.players.items():
            person = self._store.people[player_id]
            player.bets.update(
                (name, copied(mark)) for name, mark in person.bets.items() if (player_id, *name) in bets
            )
            player.rounds.update(
                (name, copied(one))
                for name, one in person.rounds.items()
                if (player_id, *name) in wanted.rounds
            )
            for session_id, session in person.sessions.items():
                named = (player_id, session_id) in wanted.sessions | wanted.whole_sessions
                is_open = session.closed_at is None and session.replaced_at is None
                if named or (is_open and player_id in wanted.with_channels):
                    player.sessions[session_id] = copied(session)
        for player_id, sequence in wanted.repairs:
            decided = [
                one
                for one in self._store.outcomes.values()
                if (one.player_id, one.sequence) == (player_id, sequence)
            ]
            if decided:
                pools = self._pools_after(player_id, sequence)
                books.repairs[player_id, sequence] = Told(copied(decided[0]), "?/?/?", pools, len(decided))
        for player_id, provider, key in wanted.rounds_of:
            bet = self._store.outcomes.get((provider, key))
            if bet is not None and bet.player_id == player_id and bet.round_id is not None:
                one = self._store.people[player_id].rounds.get((provider, bet.round_id))
                if one is not None:
                    books.players[player_id].rounds.setdefault((provider, bet.round_id), copied(one))

    def _pools_after(self, player_id: str, sequence: int) -> dict[tuple[str, str], int]:
        pools: dict[tuple[str, str], int] = {}
        for entry in self._store.entries:
            if entry.player_id == player_id and entry.sequence <= sequence:
                for pool, after in (
                    (entry.debit, entry.debit_balance_after_minor),
                    (entry.credit, entry.credit_balance_after_minor),
                ):
                    if after is not None:
                        pools[entry.currency, pool] = after
        return pools

    def _bets_of(self, wanted: Wanted) -> set[tuple[str, str, str]]:
        found = set()
        for player_id, provider, key, suffix in wanted.bets_of:
            named = self._store.outcomes.get((provider, key))
            if named is not None and named.player_id == player_id and named.reference is not None:
                found.add((player_id, provider, f"{named.reference}{suffix}"))
        return found

    async def write(self, written: Written) -> None:
        """Check what Postgres would check, and hold the rows that it would have locked by writing them."""
        self._store.trip("write")
        for player_id, player in sorted(written.books.players.items()):
            if _is_written(player):
                await self._hold(("player", player_id))
        for outcome in sorted(written.outcomes, key=lambda one: (one.provider, one.key)):
            await self._hold(("outcome", outcome.provider, outcome.key))
            if (outcome.provider, outcome.key) in self._store.outcomes:
                raise LaneRace(f"{outcome.provider} {outcome.transaction_id} was stored by another lane")
        for player in written.books.players.values():
            for account in player.accounts.values():
                if abs(account.balance_minor) > LARGEST_MINOR:
                    raise LedgerRefusedData("numeric field overflow (22003)")
        self._written = written

    async def commit(self) -> None:
        """Make it a fact; ``commit-after`` faults lose the answer, not the commit."""
        try:
            self._store.trip("commit")
        except CommitUnknown:
            self.end()  # the server notices that the connection is gone, and rolls back
            raise
        assert self._move is not None
        assert self._written is not None
        self._apply(self._move, copied(self._written))
        self.end()
        self._store.trip("commit-after")

    def _apply(self, move: LaneMove, written: Written) -> None:
        store, name = self._store, (move.layout, move.lane)
        row = store.lanes[name]
        row.applied_seq, row.next_offsets, row.seal = (
            move.applied_seq + 1,
            dict(move.moved_offsets),
            written.seal,
        )
        row.published_seq = move.published_seq
        store.marks.pop(name, None)
        journal = store.journal.setdefault(name, {})
        for seq in [one for one in journal if one <= move.published_seq]:
            del journal[seq]
            if store.records.get((*name, seq), 0):
                row.witness_seq = max(row.witness_seq, seq)
        store.records[(*name, row.applied_seq)] = written.records
        journal[row.applied_seq] = JournalRow(row.applied_seq, written.journal, dict(move.moved_offsets))
        store.seals.setdefault(name, []).append((row.applied_seq, written.previous_seal, written.seal))
        store.outcomes.update({(one.provider, one.key): one for one in written.outcomes})
        store.entries += written.entries
        for account, change in written.house.items():
            store.house[account] = store.house.get(account, 0) + change
        store.dead_letters += written.dead_letters
        done = {number for number, _ in written.requests_done}
        store.requests_done += written.requests_done
        store.pending_requests = [one for one in store.pending_requests if one.number not in done]
        for player in written.books.players.values():
            if _is_written(player):
                self._keep(player)

    def _keep(self, player: Player) -> None:
        person = self._store.people[player.player_id]
        rows: list[Round | Session | BetMark] = [
            *player.rounds.values(),
            *player.sessions.values(),
            *player.bets.values(),
        ]
        for one in rows:
            one.stored, one.changed = True, False
        for account in player.accounts.values():
            account.number, account.changed = account.number or 1, False
        person.rounds.update(player.rounds)
        person.sessions.update(player.sessions)
        person.bets.update(player.bets)
        for provider, queue in player.queues.items():
            kept = [parked for parked in queue if not parked.gone]
            for parked in kept:
                parked.number = parked.number or self._store.next_parked_number()
                parked.changed, parked.command = False, None
            person.queues[provider] = sorted(kept, key=lambda row: row.position)
        player.rounds, player.sessions, player.bets, player.queues = {}, {}, {}, {}
        player.changed = False
        person.player = player


def _is_written(player: Player) -> bool:
    """Whether a batch writes this player; whom it only looked at it leaves alone."""
    rows = [parked for queue in player.queues.values() for parked in queue]
    return player.changed or any(parked.number is None or parked.changed or parked.gone for parked in rows)


def lost_answer() -> CommitUnknown:
    """The connection went while COMMIT was under way."""
    return CommitUnknown("the connection was lost while COMMIT was under way")


def gone() -> LedgerUnavailable:
    """Postgres is away."""
    return LedgerUnavailable("Postgres is away")
