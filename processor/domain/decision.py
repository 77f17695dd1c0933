"""A decision: what the law answers to one command, and everything that follows from it, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from processor.domain.commands import Command
from processor.domain.effects import Effect
from processor.domain.moment import Moment as Moment
from processor.domain.state import Outcome


class Code(StrEnum):
    """The closed list of outcomes; the names are the wire's. `FINAL` ones are stored and stay for ever."""

    OK = "OK"
    ALREADY_ROLLED_BACK = "ALREADY_ROLLED_BACK"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    SESSION_EXPIRED = "SESSION_EXPIRED"
    GAME_BLOCKED = "GAME_BLOCKED"
    PLAYER_BLOCKED = "PLAYER_BLOCKED"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    PLAYER_NOT_FOUND = "PLAYER_NOT_FOUND"
    BET_NOT_FOUND = "BET_NOT_FOUND"
    CONFLICT = "CONFLICT"
    ALREADY_SETTLED = "ALREADY_SETTLED"
    ROLLED_BACK = "ROLLED_BACK"
    ROUND_CLOSED = "ROUND_CLOSED"
    EXPIRED = "EXPIRED"
    WRONG_CURRENCY = "WRONG_CURRENCY"
    NOT_ROLLBACKABLE = "NOT_ROLLBACKABLE"
    REFUND_EXCEEDS_BET = "REFUND_EXCEEDS_BET"
    DISCREPANCY = "DISCREPANCY"


#: Looked up once: a member's look-up through its class costs more than a guard does.
OK: Final = Code.OK

#: The plain text of each code, for what is stored: writing an enum's member as text is slow.
CODE_TEXT: Final[Mapping[Code, str]] = {code: code.value for code in Code}


@dataclass(slots=True)
class Posting:
    """One movement to be booked: names of both sides (``cash``, ``game:acme``, ``house:gaming`` …), minor units.

    ``cleared`` says that it was converted: its house's side is booked on the clearing account, and further postings
    take the event's own amount from there to the house's account that is named here (or bring it).
    """

    debit: str
    credit: str
    currency: str
    amount_minor: int
    cleared: bool = False


@dataclass(slots=True)
class Action:
    """What becomes of one action of a batch. ``known`` is its stored outcome where it was decided before; a new one is
    stored under ``key`` where ``burns_id``."""

    command: Command
    key: str
    code: Code
    moved_minor: int = 0
    split: Mapping[str, int] = field(default_factory=dict)
    known: Outcome | None = None
    burns_id: bool = False
    details: dict[str, object] | None = None


@dataclass(slots=True)
class Decision:
    """The answer to one command.

    ``burns_id`` is False where nothing is stored (a win whose bet may yet come, a conflict); ``retryable`` tells
    the sender that the same event later could have another outcome. ``awaits`` (a stored key) asks for the
    command to be parked until that key is known. ``effects`` are applied by `books.py`, in order. ``known`` is the
    stored outcome of an id seen before: the answer repeats it, or, where ``conflict`` names a field, denies it.
    ``actions`` are a batch's, in the event's order.
    """

    code: Code
    postings: tuple[Posting, ...] = ()
    moved_minor: int = 0
    moved_currency: str | None = None
    split: dict[str, int] = field(default_factory=dict)
    effects: tuple[Effect, ...] = ()
    burns_id: bool = True
    retryable: bool = False
    awaits: str | None = None
    details: dict[str, object] | None = None
    conflict: str | None = None
    known: Outcome | None = None
    actions: tuple[Action, ...] = ()
