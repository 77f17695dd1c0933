"""What a lane needs of the world, thin: read events, publish records, keep the ledger, know the time.

Policy is not here and not behind here: recovery, taint, seeking after an exception, assignment and back-off live in
`lane/`. The adapters (`kafka/`, `postgres/`) and the fakes of the tests keep one behaviour suite (`tests/contract`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from processor.domain.profiles import Reference
from processor.domain.state import Books, Entry, Outcome
from processor.domain.wanted import Wanted as Wanted

# ---------------------------------------------------------------------------------------------- events in


class EventRecord(Protocol):
    """One record of ``wallet.events`` as the broker keeps it; ``timestamp`` is LogAppendTime in Unix milliseconds."""

    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


class StoredRecord(NamedTuple):
    """An event record that did not come from a live fetch: parked, replayed to the law, or made by a test."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class UnparsableRecord(NamedTuple):
    """A place in a partition whose bytes no parser takes apart; it ends as a dead letter by its offset."""

    partition: int
    offset: int
    timestamp: int
    problem: str
    raw_headers: bytes
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()


class CommittedOffset(NamedTuple):
    """What the group committed for one partition: the offset and the metadata beside it (the receipt)."""

    offset: int
    metadata: str


class TopicFacts(NamedTuple):
    """What the cluster says of a topic: its id (a UUID as text), its partitions, the configuration asked for."""

    topic_id: str
    partitions: int
    configuration: Mapping[str, str]


class AssignmentListener(Protocol):
    """Hears of rebalances. ``assigned`` only notes; ``revoked`` may wait, bounded by the implementer."""

    async def revoked(self, partitions: Sequence[int]) -> None: ...
    def assigned(self, partitions: Sequence[int]) -> None: ...


class EventReader(Protocol):
    """The worker's one consumer, shared by its lanes: read_committed, no auto-commit, no automatic offset reset."""

    async def start(self, listener: AssignmentListener) -> None:
        """Join the group. Raises `errors.KafkaUnreachable`."""
        ...

    async def fetch(
        self, partitions: Sequence[int], *, max_records: int, timeout_seconds: float
    ) -> Sequence[EventRecord]:
        """Records of just these partitions, in order within each. ``partitions`` is never empty.

        Raises `errors.FetchFailed` (the positions of all partitions are then in doubt: seek them all),
        `errors.UnparsableBatch`, `errors.OffsetOutOfRange`.
        """
        ...

    async def fetch_tolerantly(
        self, partition: int, offset: int, *, max_records: int
    ) -> Sequence[EventRecord | UnparsableRecord]:
        """The records from ``offset`` on through a parser that gives up on single records, not on the partition."""
        ...

    def seek(self, partition: int, offset: int) -> None:
        """Set the position of an assigned partition; a partition no longer assigned is ignored."""
        ...

    def assigned(self) -> frozenset[int]:
        """The partitions that the group has given this worker now."""
        ...

    def highwater(self, partition: int) -> int | None:
        """The last known end of a partition (from the last fetch), None before the first."""
        ...

    def position(self, partition: int) -> int | None:
        """The next offset the client will fetch (past control records), None where it has no position."""
        ...

    async def committed(self, partitions: Sequence[int]) -> Mapping[int, CommittedOffset | None]:
        """The group's committed offsets, asked for explicitly; None means: the broker said there is none.

        Raises `errors.OffsetsUnknown` when any partition is missing from the answer (an empty answer is no answer).
        """
        ...

    async def earliest(self, partitions: Sequence[int]) -> Mapping[int, int]:
        """The first offset that each partition still has."""
        ...

    async def events_topic(self) -> TopicFacts:
        """What the cluster says of the events topic now. Raises `errors.KafkaUnreachable`, `errors.TopicMissing`."""
        ...

    async def last_batch_published(self, layout: int, lane: int, partitions: Sequence[int]) -> int | None:
        """The highest seq in a ``wallet-batch: layout/lane/seq`` header on the results and dead-letter topics
        (read_committed, these partitions), None where there is none."""
        ...

    async def stop(self, *, leave_group: bool) -> None:
        """Close, bounded in time; a static member leaves the group only when asked to."""
        ...


# --------------------------------------------------------------------------------------------- records out


class OutRecord(NamedTuple):
    """One record to publish: ``topic`` is ``results`` or ``dead-letters`` (the configured name is the adapter's)."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


class Publisher(Protocol):
    """One transactional producer. After any exception, or when ``tainted``, it is abandoned and never used again."""

    @property
    def tainted(self) -> bool:
        """True once any request of this producer failed, even where its call then returned normally."""
        ...

    async def start(self) -> None:
        """Fence whoever had this transactional id; returns when its pending transaction is resolved."""
        ...

    async def begin(self) -> None: ...

    async def send(self, records: Sequence[OutRecord]) -> None:
        """Send to the given partitions and await every record's acknowledgement; raises the first failure."""
        ...

    async def send_offsets(self, offsets: Mapping[int, CommittedOffset]) -> None:
        """Add offsets (with metadata) of the events topic to the open transaction."""
        ...

    async def commit(self) -> None: ...

    async def abandon(self) -> None:
        """Let go of everything (sockets, tasks), bounded in time, committing nothing more. Never raises."""
        ...


class PublisherFactory(Protocol):
    """Makes a producer for a lane: same lane and layout, same transactional id."""

    def __call__(self, layout: int, lane: int) -> Publisher: ...


# ------------------------------------------------------------------------------------------------- ledger


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
    take-overs at unchanged offsets; ``suspect`` is the (partition, offset) marked before it was decoded.
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
    suspect: tuple[int, int] | None = None


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
    """An operator's request that the lane carries out in its next batch (``parked.retry``, ``parked.discard``).

    ``target`` is the parked row's number; its player and partition come with it.
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
    """Everything step 7 stores for one batch. ``journal`` is the compressed rendering of what will be published."""

    decided_at: datetime
    books: Books
    outcomes: list[Outcome]
    entries: list[Entry]
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
        """Lock these players (player id to the partition it came in; sorted, created if missing), then, in later
        statements, read their accounts and their queues. The player's lock guards everything that is his."""
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
        ``next_offsets`` have not moved since the take-over before adds one; any progress sets it to 0.
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
        """Note, in a transaction of its own, the single event about to be decoded after unclean take-overs."""
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


# ---------------------------------------------------------------------------------------------- the rest


class Clock(Protocol):
    """The time, so that tests and the simulation can turn it."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...

    def monotonic_seconds(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class Identifiers(Protocol):
    """Where new ids come from."""

    def transaction_ids(self, at: datetime) -> Iterator[str]:
        """Time-ordered UUIDs (version 7) without end, each above the one before."""
        ...


#: Called as (step number, "before" or "after", batch number) as a lane goes: the seam of the chaos tests.
StepHook = Callable[[int, str, int], Awaitable[None]]
