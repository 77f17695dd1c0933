"""The circuit breaker: too much poison in a lane means that we are broken, not the events; then the lane stops.

Forged and unreadable events do not count: one hostile sender must not be able to stop the others. Nor does another
attempt of an event that was counted: on a quiet topic a few of them, tried again, would look like many.
"""

from __future__ import annotations

from collections import deque


class Breaker:
    """Counts poison in a row and by share of the last ``window`` events of one lane."""

    def __init__(self, *, in_a_row: int, share: float, window: int) -> None:
        self._limit = in_a_row
        self._share = share
        self._window = window
        self._row = 0
        self._recent: deque[tuple[int, bool]] = deque()
        self._events = 0
        self._poison = 0
        self._counted: dict[tuple[int, int], None] = {}

    def healthy(self, events: int) -> None:
        """So many events were applied without trouble."""
        if events:
            self._row = 0
            self._note(events, poison=False)

    def poison(self, place: tuple[int, int]) -> str | None:
        """The event at this place (partition, offset) is poison; the reason to stop, where it is one too many."""
        if place in self._counted:
            return None
        self._counted[place] = None
        if len(self._counted) > self._window:
            del self._counted[next(iter(self._counted))]
        self._row += 1
        self._note(1, poison=True)
        reason = self._too_many()
        if reason is not None:
            self._counted.clear()  # a lane that a person resumes counts them anew
        return reason

    def _too_many(self) -> str | None:
        if self._row >= self._limit:
            return (
                f"{self._row} events in a row could not be applied: a fault of this version or its database?"
            )
        if self._events >= self._window and self._poison / self._events > self._share:
            return f"{self._poison} of the last {self._events} events could not be applied"
        return None

    def _note(self, events: int, *, poison: bool) -> None:
        self._recent.append((events, poison))
        self._events += events
        self._poison += events if poison else 0
        while self._recent and self._events - self._recent[0][0] >= self._window:
            gone, was_poison = self._recent.popleft()
            self._events -= gone
            self._poison -= gone if was_poison else 0
