"""Whoever sent the traffic and listens to the answers: what has come back, how fast, and what has not."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from processor.devstack.replies import Place, Reply
from processor.devstack.traffic.event import TrafficEvent

#: Events that wait by design, for a bet or between attempts: their time says nothing about speed.
_WAITS_BY_DESIGN = frozenset(
    {"win before its bet", "bet behind a waiting win", "win without a bet", "a deposit that overflows"}
)
_RECENT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Timing:
    """One event's way: broker time when it was kept, and when its answer was in a consumer's hands."""

    sent_ms: float
    arrived_ms: float

    @property
    def latency_ms(self) -> float:
        return self.arrived_ms - self.sent_ms


@dataclass(slots=True)
class Audience:
    """Counts by what came back. ``doubled`` are places with more than one answer, which there must not be."""

    codes: Counter[str] = field(default_factory=Counter)
    letters: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    rejected: int = 0
    replayed: int = 0
    sent: int = 0
    doubled: list[Place] = field(default_factory=list)
    wrong_letters: list[str] = field(default_factory=list)
    timings: list[Timing] = field(default_factory=list)
    last_answer_at: float = field(default_factory=time.monotonic)
    _asked: dict[Place, tuple[float, TrafficEvent]] = field(default_factory=dict)
    _early: dict[Place, Reply] = field(default_factory=dict)
    _answered: set[Place] = field(default_factory=set)
    _recent: deque[tuple[float, float]] = field(default_factory=deque)

    @property
    def answered(self) -> int:
        return len(self._answered)

    @property
    def outstanding(self) -> int:
        """Events sent and not answered yet."""
        return self.sent - len(self._answered)

    def ask(self, place: Place, sent_ms: float, event: TrafficEvent) -> None:
        """An event was kept by the broker at this place."""
        self.sent += 1
        self._asked[place] = (sent_ms, event)
        early = self._early.pop(place, None)
        if early is not None:
            self._take(early)

    def hear(self, reply: Reply) -> None:
        """An answer arrived; it can be here before the broker's word where the event is."""
        if reply.place in self._asked:
            self._take(reply)
        elif reply.place in self._early:
            self.doubled.append(reply.place)
        else:
            self._early[reply.place] = reply

    def unanswered(self) -> list[tuple[Place, TrafficEvent]]:
        return [(place, event) for place, (_, event) in self._asked.items() if place not in self._answered]

    def recent_latencies(self) -> list[float]:
        """Milliseconds, of the answers of the last few seconds."""
        while self._recent and self._recent[0][0] < time.monotonic() - _RECENT_SECONDS:
            self._recent.popleft()
        return [latency for _, latency in self._recent]

    def _take(self, reply: Reply) -> None:
        sent_ms, event = self._asked[reply.place]
        if reply.place in self._answered:
            self.doubled.append(reply.place)
            return
        self._answered.add(reply.place)
        self.last_answer_at = time.monotonic()
        self._count(reply, event)
        if event.what not in _WAITS_BY_DESIGN:
            timing = Timing(sent_ms, reply.arrived_ms)
            self.timings.append(timing)
            self._recent.append((self.last_answer_at, timing.latency_ms))

    def _count(self, reply: Reply, event: TrafficEvent) -> None:
        if reply.reason != event.letter:
            expected = f"a dead letter {event.letter}" if event.letter else "a result"
            self.wrong_letters.append(f"{event.what}: expected {expected}, got {reply.in_words()}")
        if reply.body is None:
            self.letters[reply.reason or ""] += 1
        elif reply.body["replayed"]:
            self.replayed += 1
        else:
            self.codes[reply.body["code"]] += 1
            self.accepted += reply.body["status"] == "accepted"
            self.rejected += reply.body["status"] == "rejected"


def percentile(latencies: Sequence[float], share: float) -> float | None:
    """The value below which this share of the values lies; None of none."""
    if not latencies:
        return None
    ordered = sorted(latencies)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
