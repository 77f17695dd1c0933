"""Records out: what is published, and the transactional producer that does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from processor.ports.events import CommittedOffset


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

    async def sweep(self, places: Sequence[tuple[str, int]], offsets: Sequence[int], *, commit: bool) -> None:
        """End what hangs (`EventReader.hanging`) by a transaction that holds nothing but touches it.

        ``places`` are (``results`` or ``dead-letters``, partition), ``offsets`` partitions of the events topic whose
        offsets hang; these can only be aborted. The markers may come a moment after it has returned.
        """
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
