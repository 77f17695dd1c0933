"""What a certification says of each case, and all that it sent for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from processor.devstack.certify.cases import Case, Step
from processor.devstack.replies import Place

#: Why a case is not to be played, as people read it; None where it is.
Obstacle = Callable[[Case], str | None]


class Verdict(StrEnum):
    """What a run says of a case; the values are what people read."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_PLAYED = "not played"


@dataclass(slots=True)
class Report:
    """One case's verdict, with a reason for anything but a pass.

    ``places`` are all events that were sent, copies too; ``copies`` counts those.
    """

    case: Case
    verdict: Verdict
    reasons: list[str] = field(default_factory=list)
    seconds: float = 0.0
    places: dict[Place, Step] = field(default_factory=dict)
    copies: int = 0


class CaseFailed(Exception):
    """A step went otherwise than expected; the arguments are sentences."""


def demand(what: str, differences: Sequence[str]) -> None:
    """Raise CaseFailed if there are differences, each sentence begun with what it is about."""
    if differences:
        raise CaseFailed(*(f"{what}: {sentence}" for sentence in differences))


def name_of(step: Step) -> str:
    """A step as people call it."""
    return f"{step.type} {step.transaction_id}" if step.type else "raw bytes"
