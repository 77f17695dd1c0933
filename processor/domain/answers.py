"""What a sitting over a batch says of each event: an answer to publish, a dead letter, or that it is kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from processor.domain.commands import Command
from processor.domain.decision import Code
from processor.domain.state import Outcome


@dataclass(slots=True)
class Balance:
    """A wallet after a decision, in minor units of ``currency``; ``game_minor`` is this provider's game wallet."""

    currency: str
    cash_minor: int
    bonus_minor: int
    game_minor: int
    debt_minor: int


@dataclass(slots=True)
class Answer:
    """One result to be rendered. ``moved_minor`` and ``split`` are signed from the player's side.

    ``outcome`` is what is stored under the id (of a repeat: the original's); None where no id was burnt.
    """

    command: Command
    code: Code
    sequence: int
    balance: Balance | None
    wallet_transaction_id: str | None = None
    replayed: bool = False
    retryable: bool = False
    moved_minor: int = 0
    moved_currency: str | None = None
    split: dict[str, int] = field(default_factory=dict)
    details: dict[str, object] | None = None
    conflict: str | None = None
    burnt: bool = True
    outcome: Outcome | None = None


@dataclass(slots=True)
class Refusal:
    """One event that the locked state turns into a dead letter (``KEY_MISMATCH``, ``POISON``)."""

    command: Command
    reason: str
    detail: str
    attempts: int = 1
