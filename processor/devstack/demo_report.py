"""What a demonstration is asked to do, what it shows on the way, and what it says in the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """What to play. ``external`` is the environment that names somebody else's servers, None for our own."""

    seconds: float
    rate: float
    players: int
    seed: int
    kill: bool
    external: dict[str, str] | None = None


@dataclass(slots=True)
class Numbers:
    """What the live view shows; milliseconds are of the last few seconds."""

    sent: int = 0
    to_send: int = 0
    rate: float = 0.0
    accepted: int = 0
    rejected: int = 0
    replayed: int = 0
    dead_letters: int = 0
    parked: int = 0
    lag: int = 0
    p50_ms: float | None = None
    p99_ms: float | None = None


@dataclass(slots=True)
class DemoReport:
    """How it went. ``faults`` is empty only if everything was proved right."""

    seed: int
    players: int
    events: int = 0
    seconds: float = 0.0
    accepted: int = 0
    rejected: int = 0
    replayed: int = 0
    codes: dict[str, int] = field(default_factory=dict)
    letters: dict[str, int] = field(default_factory=dict)
    p50_ms: float | None = None
    p99_ms: float | None = None
    p99_with_kill_ms: float | None = None
    killed: int = 0
    most_parked: int = 0
    balances_compared: int = 0
    faults: list[str] = field(default_factory=list)
    logs: str | None = None

    @property
    def results(self) -> int:
        return self.accepted + self.rejected + self.replayed

    def as_document(self) -> dict[str, Any]:
        """The last line of `croupier demo --json`."""
        return {
            "events": self.events,
            "results": self.results,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "replayed": self.replayed,
            "dead_letters": sum(self.letters.values()),
            "events_per_second": round(self.events / self.seconds, 1) if self.seconds else 0.0,
            "p50_ms": _rounded(self.p50_ms),
            "p99_ms": _rounded(self.p99_ms),
            "p99_with_kill_ms": _rounded(self.p99_with_kill_ms),
            "audit": self.faults or "clean",
            "seed": self.seed,
            "players": self.players,
            "codes": self.codes,
            "dead_letters_by_reason": self.letters,
            "most_parked": self.most_parked,
            "workers_killed": self.killed,
            "balances_compared": self.balances_compared,
        }


class Screen(Protocol):
    """Where the demonstration shows itself."""

    def say(self, sentence: str) -> None:
        """A new stage, in one sentence."""
        ...

    def show(self, numbers: Numbers) -> None:
        """The numbers as they are now, a few times a second."""
        ...


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 1)
