"""Parking: how long an event is kept back, when it is tried again, and when it has been tried often enough."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from processor.domain.case import STRICT
from processor.domain.commands import Command
from processor.domain.profiles import Reference
from processor.domain.state import Parked

MISSING_BET: Final = "missing_bet"
POISON: Final = "poison"
QUEUED: Final = "queued"


class Original(Protocol):
    """An event as it came: what has to be kept of it while it is parked."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept back, how often it is tried, and how the waits grow (exponential, full jitter, capped)."""

    max_parked: int = 1000
    poison_attempts: int = 5
    backoff_first_seconds: float = 1.0
    backoff_longest_seconds: float = 30.0
    poison_age_seconds: float = 3600.0

    def backoff(self, attempts: int, jitter: float) -> timedelta:
        """The wait after that many attempts; ``jitter`` is drawn from 0 to 1 by the caller."""
        doublings = min(max(attempts - 1, 0), 40)
        longest = min(self.backoff_longest_seconds, self.backoff_first_seconds * 2.0**doublings)
        return timedelta(seconds=longest * jitter)


@dataclass(slots=True)
class Parking:
    """The times of kept events, counted in broker time: ``watermarks`` tell how far each partition has been read."""

    reference: Reference
    bounds: Bounds
    watermarks: Mapping[int, datetime]
    jitter: Callable[[], float]

    def now(self, row: Parked) -> datetime:
        """The broker time up to which the row's partition has been read."""
        return self.watermarks.get(row.partition, row.broker_time)

    def is_due(self, row: Parked) -> bool:
        """Whether it is time to try this head again."""
        return min(row.next_attempt_at, row.expires_at) <= self.now(row)

    def is_too_old(self, row: Parked) -> bool:
        """Whether no bet is waited for any more: all that came in the time it could come in has been read."""
        expires_at = row.expires_at if row.reason == MISSING_BET else row.broker_time + self._wait(row)
        return expires_at <= self.now(row)

    def new_row(self, command: Command, original: Original | None, reason: str) -> Parked:
        """A row for an event that is kept back now."""
        now = self.watermarks.get(command.partition, command.broker_time)
        later = now + timedelta(seconds=self.bounds.poison_age_seconds)
        return Parked(
            command.player_id,
            command.provider,
            command.transaction_id,
            command.partition,
            command.offset,
            command.broker_time,
            None if original is None else original.key,
            None if original is None else original.value,
            () if original is None else tuple(original.headers),
            reason,
            awaits=None,
            attempts=0,
            parked_at=now,
            next_attempt_at=later,
            expires_at=later,
            command=command,
        )

    def wait_for(self, row: Parked, awaits: str) -> None:
        """Let a head wait for a bet; one that waits for it already, goes on waiting."""
        if row.reason == MISSING_BET and row.awaits == awaits:
            return
        row.reason, row.awaits, row.attempts = MISSING_BET, awaits, 0
        row.expires_at = row.broker_time + self._wait(row)
        self.count_attempt(row)

    def count_attempt(self, row: Parked) -> None:
        """One more attempt, and when the next one is due."""
        row.attempts += 1
        row.next_attempt_at = self.now(row) + self.bounds.backoff(row.attempts, self.jitter())
        if row.reason == MISSING_BET:
            row.next_attempt_at = min(row.next_attempt_at, row.expires_at)
        row.changed = True

    def count_failure(self, row: Parked, error: str) -> bool:
        """One more attempt at which the law raised; True when it was the last one."""
        if row.reason != POISON or row.attempts == 0:
            row.reason, row.awaits, row.attempts = POISON, None, 0
            row.expires_at = self.now(row) + timedelta(seconds=self.bounds.poison_age_seconds)
        row.last_error = error
        self.count_attempt(row)
        return row.attempts >= self.bounds.poison_attempts or row.expires_at <= self.now(row)

    def make_due(self, row: Parked) -> None:
        """Let a head be tried in the next batch."""
        row.next_attempt_at = min(row.next_attempt_at, self.now(row))
        row.changed = True

    def _wait(self, row: Parked) -> timedelta:
        profile = self.reference.providers.get(row.provider, STRICT)
        return timedelta(seconds=profile.missing_bet_wait_seconds)
