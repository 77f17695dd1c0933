"""Queues: the events of one player and provider that are kept back, in their order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from processor.domain.commands import Command
from processor.domain.keys import answers_wait
from processor.domain.parking import POISON
from processor.domain.parking import Bounds as Bounds
from processor.domain.profiles import Profile
from processor.domain.state import Books, Parked, Player


@dataclass(slots=True)
class Queue:
    """What stands in one queue now, first come first; released rows have left it (stored ones stay marked in the
    books, so that the ledger takes them out too)."""

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
        _take_out(self.rows, row)
        row.position = self.rows[0].position - 1
        row.changed = True
        self.rows.insert(0, row)

    def remove(self, row: Parked, books: Books) -> None:
        """Take a row out: it has got its answer."""
        _take_out(self.rows, row)
        row.gone = True
        self.player.changed = True
        if row.number is None:  # parked and released within one batch: nothing of it is stored
            _take_out(books.new_parked, row)
            _take_out(self.player.queues[self.provider], row)

    def awaited(self, awaits: str, profile: Profile | None) -> Parked | None:
        """The row behind the head that the head waits for, if it is here and can be decided."""
        return self._first(
            lambda row: (
                row is not self.rows[0]
                and row.reason != POISON
                and answers_wait(command_of(row), awaits, profile)
            )
        )

    def named(self, transaction_id: str) -> Parked | None:
        """The first row with that transaction id."""
        return self._first(lambda row: row.transaction_id == transaction_id)

    def numbered(self, number: int) -> Parked | None:
        """The stored row with that number."""
        return self._first(lambda row: row.number == number)

    def _first(self, fits: Callable[[Parked], bool]) -> Parked | None:
        return next((row for row in self.rows if fits(row)), None)

    def _keep(self, row: Parked, books: Books) -> None:
        self.player.queues.setdefault(self.provider, []).append(row)
        books.new_parked.append(row)
        self.player.changed = True


def command_of(row: Parked) -> Command:
    """The command of a kept event; whoever loads the queues decodes them before the sitting begins."""
    if row.command is None:
        raise ValueError(f"the parked event {row.transaction_id!r} of {row.player_id!r} was not decoded")
    return row.command


def _take_out(rows: list[Parked], row: Parked) -> None:
    """Remove this very row (rows that look the same are other events)."""
    for at, other in enumerate(rows):
        if other is row:
            del rows[at]
            return
