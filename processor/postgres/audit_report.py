"""What an audit says: one line per proof, with the first fault of its kind, and how far the books are proved."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

#: Called with what is being proved, how much of it is done, and of how much (None: not known).
Progress = Callable[[str, int, int | None], None]

Lane = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Proof:
    """One proof: its name, what it says, how many things it looked at, and the first fault (None: it holds)."""

    name: str
    sentence: str
    examined: int
    fault: str | None = None


@dataclass(slots=True)
class AuditReport:
    """All proofs of one audit. ``since_batch`` tells whether it started from what an earlier audit had proved."""

    incremental: bool
    batches: int
    outcomes: int
    proofs: list[Proof] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether every proof holds."""
        return all(proof.fault is None for proof in self.proofs)


@dataclass(slots=True)
class Mark:
    """How far the books are proved: per lane the last proved batch and its seal, and the sums up to there."""

    lanes: dict[Lane, tuple[int, bytes]] = field(default_factory=dict)
    house: dict[tuple[str, str, str], int] = field(default_factory=dict)
    outside_rounds: dict[tuple[str, str], int] = field(default_factory=dict)

    def arguments(self) -> tuple[list[int], list[int], list[int]]:
        """Layouts, lanes, batch numbers: the first three arguments of the audit's statements."""
        return (
            [layout for layout, _ in self.lanes],
            [lane for _, lane in self.lanes],
            [seq for seq, _ in self.lanes.values()],
        )

    def as_text(self) -> str:
        """As it is stored."""
        return json.dumps(
            {
                "lanes": [[*lane, seq, seal.hex()] for lane, (seq, seal) in self.lanes.items()],
                "house": [[*account, str(sum_minor)] for account, sum_minor in self.house.items()],
                "outside_rounds": [[*account, str(minor)] for account, minor in self.outside_rounds.items()],
            }
        )

    @classmethod
    def from_text(cls, text: str) -> Mark:
        """As it was stored."""
        document = json.loads(text)
        return cls(
            {(layout, lane): (seq, bytes.fromhex(seal)) for layout, lane, seq, seal in document["lanes"]},
            {
                (provider, currency, purpose): int(minor)
                for provider, currency, purpose, minor in document["house"]
            },
            {(provider, currency): int(minor) for provider, currency, minor in document["outside_rounds"]},
        )
