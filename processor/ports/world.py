"""The rest of the world: the time, new ids, the senders' keys, and the seam where trouble can be made on order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from typing import NamedTuple, Protocol


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


class Sender(Protocol):
    """Who signed an event, as far as what he may send goes."""

    def objection(self, provider: str, event_type: str) -> str | None:
        """Why he may not send this type in this provider's name, in one sentence; None: he may."""
        ...


class SenderKey(Sender, Protocol):
    """One key. Times are Unix milliseconds. Its secret never leaves it."""

    @property
    def key_id(self) -> str: ...
    @property
    def owner(self) -> str: ...
    @property
    def foreign(self) -> str:
        """The environment that it is for, where that is not ours; else empty."""
        ...

    @property
    def editor(self) -> Sender:
        """What stands for a dead letter that this key's owner corrected."""
        ...

    def is_valid_at(self, at_ms: int) -> bool: ...
    def sign(self, value: bytes, timestamp: bytes) -> bytes: ...
    def signed(self, value: bytes, timestamp: bytes, signature: bytes) -> bool:
        """Whether that is its signature; in constant time."""
        ...

    def replay_signature(self, letter_id: str, value: bytes) -> bytes:
        """What it signs to send a dead letter again."""
        ...

    def vouched(self, letter_id: str, value: bytes, signature: bytes) -> bool:
        """Whether that is its `replay_signature`; in constant time."""
        ...

    def used(self, at_ms: int) -> None:
        """It signed something that came at that (broker) time."""
        ...


class KeyFacts(NamedTuple):
    """What may be told of a key: never its secret. ``uses`` counts since this process began, ``last_used_ms`` is the
    broker time of the last (Unix milliseconds, 0: none)."""

    key_id: str
    owner: str
    age_seconds: float
    uses: int
    last_used_ms: int


class Keys(Protocol):
    """The keys known now; they may change between two calls."""

    def find(self, key_id: bytes) -> SenderKey | None: ...
    def operator_key(self) -> SenderKey | None:
        """The newest of the operator's own that is valid now."""
        ...


#: Called as (step number, "before" or "after", batch number) as a lane goes: the seam of the chaos tests.
StepHook = Callable[[int, str, int], Awaitable[None]]
