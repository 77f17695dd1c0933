"""Queues: the events of one player and provider that are kept back, in their order, and when the head is tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from processor.domain.commands import Command
from processor.domain.keys import answers_wait
from processor.domain.profiles import Profile
from processor.domain.state import Books, Parked, Player

MISSING_BET = "missing_bet"
POISON = "poison"
QUEUED = "queued"


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
class Queue:
    """What stands in one queue now, first come first; released rows have left it (but stay marked in the books)."""

    player: Player
    provider: str
    rows: list[Parked] = field(default_factory=list)

    @classmethod
    def of(cls, player: Player, provider: str) -> Queue:
        """The queue as the ledger has read it."""
        stored = (row for row in player.queues.get(provider, ()) if not row.gone)
        return cls(player, provider, sorted(stored, key=lambda row: row.position))

    def append(self, row: Parked, books: Books) -> None:
        """Put a new row last."""
        row.position = self.rows[-1].position + 1 if self.rows else 0
        self.rows.append(row)
        self._keep(row, books)

    def put_first(self, row: Parked, books: Books) -> None:
        """Put a new row before all others."""
        row.position = self.rows[0].position - 1 if self.rows else 0
        self.rows.insert(0, row)
        self._keep(row, books)

    def bring_forward(self, row: Parked) -> None:
        """Let a row overtake all others: the head waits for it."""
        self.rows = [row, *(other for other in self.rows if other is not row)]
        row.position = self.rows[1].position - 1
        row.changed = True

    def remove(self, row: Parked, books: Books) -> None:
        """Take a row out: it has got its answer."""
        self.rows = [other for other in self.rows if other is not row]
        row.gone = True
        if row.number is None:  # parked and released within one batch: nothing of it is stored
            books.new_parked[:] = [other for other in books.new_parked if other is not row]
            kept = self.player.queues[self.provider]
            kept[:] = [other for other in kept if other is not row]

    def awaited(self, awaits: str, profile: Profile | None) -> Parked | None:
        """The row behind the head that the head waits for, if it is here."""
        for row in self.rows[1:]:
            if row.reason != POISON and answers_wait(command_of(row), awaits, profile):
                return row
        return None

    def named(self, transaction_id: str) -> Parked | None:
        """The first row with that transaction id."""
        return next((row for row in self.rows if row.transaction_id == transaction_id), None)

    def numbered(self, number: int) -> Parked | None:
        """The stored row with that number."""
        return next((row for row in self.rows if row.number == number), None)

    def _keep(self, row: Parked, books: Books) -> None:
        self.player.queues.setdefault(self.provider, []).append(row)
        books.new_parked.append(row)


def command_of(row: Parked) -> Command:
    """The command of a kept event; whoever loads the queues decodes them before the sitting begins."""
    if row.command is None:
        raise ValueError(f"the parked event {row.transaction_id!r} of {row.player_id!r} was not decoded")
    return row.command


def start_waiting(
    row: Parked, awaits: str, wait: timedelta, now: datetime, bounds: Bounds, jitter: Callable[[], float]
) -> None:
    """Let a head wait for a bet; one that already does, stays as it is."""
    if row.reason == MISSING_BET and row.awaits == awaits:
        return
    row.reason, row.awaits, row.attempts = MISSING_BET, awaits, 1
    row.expires_at = row.broker_time + wait
    row.next_attempt_at = min(now + bounds.backoff(1, jitter()), row.expires_at)
    row.changed = True
