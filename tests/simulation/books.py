"""The books of the simulated world: the store in memory, which also remembers every commit for the oracle."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

from processor.errors import CommitUnknown
from processor.lane import journal
from processor.ports import LaneMove, OutRecord, Written
from tests.fakes.ledger import FakeBatch, FakeStore


@dataclass(slots=True)
class Commit:
    """One batch that became a fact."""

    layout: int
    lane: int
    seq: int
    before: dict[int, int]
    after: dict[int, int]
    published_seq: int
    payload: bytes

    def records(self) -> list[OutRecord]:
        """What is to be published of it."""
        return journal.decode(self.payload)


_TABLES = (
    "lanes",
    "owners",
    "taken_offsets",
    "marks",
    "journal",
    "people",
    "outcomes",
    "entries",
    "house",
    "dead_letters",
    "seals",
)


class RecordedStore(FakeStore):
    """A store with a memory, and with a copy of itself that lags behind."""

    def __init__(self) -> None:
        super().__init__()
        self.commits: list[Commit] = []
        self.lost: list[Commit] = []
        self.committed: Callable[[Commit], None] = lambda _: None
        self._copy: dict[str, object] = {}
        self._copied = 0
        self.timeline = 0

    def copy_to_replica(self) -> None:
        """The asynchronous replica has come so far."""
        self._copy = {table: copy.deepcopy(getattr(self, table)) for table in _TABLES}
        self._copied = len(self.commits)

    def fail_over(self) -> None:
        """The replica becomes the primary: what it had not heard of has never been."""
        self.lost, self.commits = self.commits[self._copied :], self.commits[: self._copied]
        for table, content in self._copy.items():
            setattr(self, table, content)
        self.timeline += 1


class RecordedBatch(FakeBatch):
    """A transaction of a `RecordedStore`."""

    _store: RecordedStore

    def __init__(self, store: RecordedStore, shards: int) -> None:
        super().__init__(store, shards)
        self._timeline = store.timeline

    async def commit(self) -> None:
        """What was begun on the primary that is gone goes with it."""
        if self._timeline != self._store.timeline:
            self.end()
            raise CommitUnknown("the database failed over")
        await super().commit()

    def _apply(self, move: LaneMove, written: Written) -> None:
        super()._apply(move, written)
        commit = Commit(
            move.layout,
            move.lane,
            self._store.lanes[move.layout, move.lane].applied_seq,
            dict(move.next_offsets),
            dict(move.moved_offsets),
            move.published_seq,
            written.journal,
        )
        self._store.commits.append(commit)
        self._store.committed(commit)
