"""Usage: what a player has staked, won and paid in, of one currency, in the day, week and month he was last active in.

It is counted for everybody, so that a limit set today knows what was used before, and is kept on the row of the cash
account, which is written anyway. Nobody asks for a period that is over, so none is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from processor.domain.periods import DAY, MONTH, WEEK, start_of

#: What is counted: all stakes; those from cash and game wallets; winnings paid to these; deposits.
WAGERED: Final = 0
STAKED: Final = 1
WON: Final = 2
DEPOSITED: Final = 3

_NOTHING: Final = (0, 0, 0, 0)


def _nothing() -> list[int]:
    return [0, 0, 0, 0]


@dataclass(slots=True)
class Usage:
    """Counts in minor units: those of the last active ``day``, and of the earlier days of its week and its month."""

    day: int = 1
    today: list[int] = field(default_factory=_nothing)
    week: Sequence[int] = _NOTHING
    month: Sequence[int] = _NOTHING

    @classmethod
    def of(cls, text: str) -> Usage:
        """As `text` has written it."""
        day, *counts = map(int, text.split(" "))
        if len(counts) == 4:
            return cls(day, counts)
        return cls(day, counts[:4], counts[4:8], counts[8:])

    def text(self) -> str:
        """How it is stored: the day and its four counts, then, where there are any, those of week and month."""
        wagered, staked, won, deposited = self.today
        text = f"{self.day} {wagered} {staked} {won} {deposited}"
        if self.week is _NOTHING and self.month is _NOTHING:
            return text
        return " ".join([text, *map(str, self.week), *map(str, self.month)])

    def of_period(self, period: str, day: int) -> Sequence[int]:
        """The counts of the period that a day is in, as far as they have come; an earlier day is taken for the last."""
        if day > self.day and start_of(period, day) != start_of(period, self.day):
            return _NOTHING
        if period == DAY:
            return self.today
        earlier = self.week if period == WEEK else self.month
        return [one + other for one, other in zip(self.today, earlier, strict=True)]

    def count(self, day: int, what: int, amount_minor: int) -> None:
        """Count something on its own day; below zero nothing is counted.

        Of a day before the last one only the periods are touched that go on.
        """
        if day > self.day:
            self._begin(day)
        if day == self.day:
            self.today[what] = max(0, self.today[what] + amount_minor)
            return
        if start_of(WEEK, day) == start_of(WEEK, self.day):
            self.week = _counted(self.week, what, amount_minor)
        if start_of(MONTH, day) == start_of(MONTH, self.day):
            self.month = _counted(self.month, what, amount_minor)

    def _begin(self, day: int) -> None:
        """A new day: the last one is an earlier day of its week and month now, where these go on."""
        week, month = self.of_period(WEEK, day), self.of_period(MONTH, day)
        self.day, self.today = day, _nothing()
        self.week = week if any(week) else _NOTHING
        self.month = month if any(month) else _NOTHING


def _counted(counts: Sequence[int], what: int, amount_minor: int) -> Sequence[int]:
    changed = list(counts)
    changed[what] = max(0, changed[what] + amount_minor)
    return changed
