"""The ledger: lanes, their batches, what is stored and what waits, as one lane sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from processor.domain.profiles import Reference
from processor.domain.state import Books, Entry, Outcome
from processor.domain.wanted import Wanted


@dataclass(slots=True)
class Layout:
    """How the input is cut into lanes; stored, never guessed."""

    number: int
    topic: str
    topic_id: str
    partitions: int
    lanes: int
    shards: int


@dataclass(slots=True)
class LaneRow:
    """One lane's row: who holds it and how far it has come.

    ``next_offsets`` is per partition; ``seal`` is the last seal's digest; ``suspect_takeovers`` counts unclean
    take-overs at unchanged offsets; ``suspects`` are events, by (partition, offset), that were marked and not
    applied yet when their worker died, and how often that was so.
    ``witness_seq`` is the last of the published batches that put a record on the topics (0: none did).
    """

    layout: int
    lane: int
    epoch: int
    applied_seq: int
    published_seq: int
    next_offsets: dict[int, int]
    seal: bytes
    stopped_reason: str | None = None
    fresh: bool = False
    suspect_takeovers: int = 0
    suspects: dict[tuple[int, int], int] = field(default_factory=dict)
    witness_seq: int = 0


@dataclass(slots=True)
class LaneMove:
    """The compare-and-set of step 4: what the lane remembers, and where this batch moves it."""

    layout: int
    lane: int
    epoch: int
    applied_seq: int
    next_offsets: dict[int, int]
    moved_offsets: dict[int, int]
    published_seq: int


@dataclass(slots=True)
class DeadLetter:
    """One dead letter: the work list's row. The record for the topic is in the journal."""

    letter_id: str
    reason: str
    detail: str
    attempts: int
    partition: int
    offset: int
    broker_time: datetime
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    provider: str | None
    player_id: str | None
    transaction_id: str | None
    replay_count: int = 0
    replay_of: str | None = None


@dataclass(slots=True)
class LaneRequest:
    """An operator's request that the lane carries out in its next batch (``parked.retry``, ``parked.discard``,
    ``results.repair``).

    ``target`` is the parked row's number, or the player's sequence of a decision; player and partition come with it.
    """

    number: int
    kind: str
    target: int
    player_id: str
    partition: int
    actor: str
    why: str


@dataclass(slots=True)
class Written:
    """Everything step 7 stores for one batch. ``journal`` is the compressed rendering of what will be published.

    ``outcome_lines`` and ``entry_lines`` are the texts of their columns (`domain.seal`), one for each, in order.
    """

    decided_at: datetime
    books: Books
    outcomes: list[Outcome]
    outcome_lines: list[str]
    entries: list[Entry]
    entry_lines: list[str]
    house: Mapping[
        tuple[str, str, str], int
    ]  # (provider, currency, purpose) to the signed change in minor units
    dead_letters: list[DeadLetter]
    requests_done: list[tuple[int, str]]  # (number, what came of it)
    journal: bytes
    records: int
    seal: bytes
    previous_seal: bytes
    revision: int


class JournalRow(NamedTuple):
    """One batch that Postgres holds and Kafka may not hold yet."""

    seq: int
    payload: bytes
    next_offsets: dict[int, int]


class LedgerBatch(Protocol):
    """One Postgres transaction, steps 4 to 8, in this order."""

    async def fence(self, move: LaneMove) -> None:
        """The first statement: compare-and-set of the lane's row; deletes journal rows up to ``published_seq``.

        Raises `errors.LeaseLost` (another epoch) or `errors.LedgerWentBack` (our epoch, other figures).
        """
        ...

    async def lock(self, players: Mapping[str, int]) -> Books:
        """Read these players (player id to the partition it came in) with their accounts and queues, under lock.

        A player who lives in that partition is guarded by the lane's row, which `fence` holds. All others are locked
        (sorted, created if missing) and read in statements that come after.
        """
        ...

    async def read(self, books: Books, wanted: Wanted) -> None:
        """Read into ``books`` what a decision needs; only ever after `lock`, in statements of its own."""
        ...

    async def write(self, written: Written) -> None:
        """Store all of a batch, set-based, keys sorted."""
        ...

    async def commit(self) -> None:
        """Make it a fact. Raises `errors.CommitUnknown` where the answer was lost: read the lane's row then."""
        ...


class Ledger(Protocol):
    """One lane's owned connection to the ledger. Raises `errors.LedgerUnavailable` for every fault of the world,
    `errors.LedgerRefusedData` (SQLSTATE class 22) where an event's data is what Postgres will not take,
    `errors.LaneRace` where another lane stored the same id first (roll back, load again)."""

    async def take_lane(self, layout: int, lane: int, *, owner: str) -> LaneRow:
        """Bump the epoch: from now on whoever had the lane is fenced. ``fresh`` when it has never run."""
        ...

    async def confirm_lane(self, layout: int, lane: int, epoch: int) -> LaneRow:
        """The lane's row if the epoch is still ours; waits (row lock) for a transaction of ours still under way on a
        lost connection, so that the answer is final. Raises `errors.LeaseLost`."""
        ...

    async def release_lane(self, layout: int, lane: int, epoch: int) -> None:
        """Say that we left in good order (owner cleared), so that the next take-over counts as clean.

        `take_lane` counts ``suspect_takeovers``: a take-over of a lane that was not released and whose
        ``next_offsets`` have not moved since the take-over before adds one; any progress sets it to 0. Where it left an
        event marked (`mark_suspect`), one more of ``suspects`` is counted.
        """
        ...

    async def bootstrap_lane(self, layout: int, lane: int, epoch: int, offsets: Mapping[int, int]) -> LaneRow:
        """Set the first offsets of a lane that has never run. Raises `errors.LeaseLost`."""
        ...

    def batch(self) -> AbstractAsyncContextManager[LedgerBatch]:
        """Begin a transaction; leaving the block without `commit` rolls it back."""
        ...

    async def journal_above(self, layout: int, lane: int, seq: int) -> list[JournalRow]:
        """The batches above a receipt, in order."""
        ...

    async def due_parked(
        self, partitions: Mapping[int, datetime], *, limit: int
    ) -> list[tuple[str, str, int]]:
        """(player, provider, partition) of queues whose head is due at the partition's time, oldest first."""
        ...

    async def requests(self, layout: int, lane: int, *, limit: int) -> list[LaneRequest]:
        """Operators' requests not yet carried out whose target lies in this lane's partitions."""
        ...

    async def mark_suspect(self, layout: int, lane: int, epoch: int, partition: int, offset: int) -> None:
        """Note, in a transaction of its own, the single event about to be decoded after unclean take-overs; the batch
        that applies it takes the note away."""
        ...

    async def stop_lane(self, layout: int, lane: int, epoch: int, reason: str) -> None:
        """Store that the lane stopped itself and why; `croupier lanes resume` clears it."""
        ...

    async def reference(self) -> tuple[int, Reference]:
        """The current revision of the reference data, and the data."""
        ...

    async def close(self) -> None: ...


class LayoutStore(Protocol):
    """Where the layout lives."""

    async def current(self) -> Layout | None: ...

    async def create_first(self, layout: Layout) -> Layout:
        """Store the first layout and its lanes; whoever comes second gets the first one's."""
        ...
