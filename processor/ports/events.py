"""Events in: records as the broker keeps them, and the worker's one consumer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol


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

    def problem(self) -> str | None:
        """Why the group will give this worker no partition now (for its readiness), None where nothing is wrong.

        Lanes that work may work on: they neither need nor ask the group's coordinator to fetch.
        """
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

    async def hanging(
        self, layout: int, lane: int, partitions: Sequence[int]
    ) -> Mapping[tuple[str, int], int]:
        """Where a transaction of this lane that is over has no end: (``results`` or ``dead-letters``, partition) to the
        ``seq`` of its batch. To be asked once a new producer of the lane has started. Raises `errors.FetchFailed`."""
        ...

    async def last_batch_published(self, layout: int, lane: int, partitions: Sequence[int]) -> int | None:
        """The highest seq in a ``wallet-batch: layout/lane/seq`` header on the results and dead-letter topics
        (read_committed, these partitions), None where there is none."""
        ...

    async def stop(self, *, leave_group: bool) -> None:
        """Close, bounded in time; a static member leaves the group only when asked to."""
        ...
