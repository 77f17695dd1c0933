"""Which field of an event is wrong, and in which words: pydantic's complaints, sorted, without the value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schemas.events.fields import IDENTIFIER_PATTERN, PROVIDER_PATTERN
from schemas.field_rules import Fault, metadata_faults
from schemas.plans import MONEY_FIELDS, Plan
from schemas.reasons import Refused

_PROBLEMS: Final[Mapping[str, str]] = {
    "missing": "is required and missing",
    "string_type": "is not a string",
    "string_too_long": "is too long",
    "string_pattern_mismatch": "does not have the form that the contract gives it",
    "literal_error": "has a value that is none of the contract's",
    "dict_type": "is not an object",
    "list_type": "is not a list",
    "model_type": "is not an object",
    "model_attributes_type": "is not an object",
    "bool_type": "is neither true nor false",
    "int_type": "is not an integer",
    "too_short": "has too few items",
    "too_long": "has too many items",
    "union_tag_not_found": "has no type",
    "union_tag_invalid": "has a type that is neither bet nor win",
    "greater_than_equal": "is too small",
    "less_than_equal": "is too large",
}
_NOT_A_TIME: Final = "is not a time of RFC 3339 with an offset"
_NOT_AN_AMOUNT: Final = "is not an amount: it must be a decimal string such as 12.34"
_TIMES: Final = frozenset({"occurred_at", "deadline", "expires_at", "until"})


def first_field_fault(raw: Mapping[str, Any], plan: Plan, error: ValidationError) -> Fault | None:
    """The first wrong field in the contract's order; None if only amounts and currencies are wrong."""
    faults = [(_position(path, plan), path, problem) for path, problem in _model_faults(error)]
    faults += [(_position(path, plan), path, problem) for path, problem in _rule_faults(raw, plan)]
    if not faults:
        return None
    _, path, problem = min(faults, key=lambda fault: fault[0])
    return path, problem


def first_money_fault(error: ValidationError) -> Fault:
    """The first amount that does not have the contract's form. The error must be about money alone."""
    complaints = error.errors(include_url=False, include_context=False, include_input=False)
    return next((_path(item["loc"]), _NOT_AN_AMOUNT) for item in complaints if item["loc"][-1] != "currency")


def note_claims(refusal: Refused, raw: Mapping[str, Any]) -> None:
    """Note in the refusal whose event it claims to be, where a claim has the contract's form."""
    refusal.provider = _claim(raw.get("provider"), PROVIDER_PATTERN)
    refusal.player_id = _claim(raw.get("player_id"), IDENTIFIER_PATTERN)
    refusal.event_type = _claim(raw.get("type"), IDENTIFIER_PATTERN)


def _claim(text: Any, pattern: str) -> str | None:
    if isinstance(text, str) and re.search(pattern.removesuffix("$") + r"\Z", text):
        return text
    return None


def _model_faults(error: ValidationError) -> Iterator[Fault]:
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        if not _is_about_money(item):
            yield _path(item["loc"]), _problem(item)


def _rule_faults(raw: Mapping[str, Any], plan: Plan) -> Iterator[Fault]:
    yield from metadata_faults(raw.get("metadata"))
    if plan.rule is not None:
        yield from plan.rule(raw)


def _is_about_money(item: ErrorDetails) -> bool:
    """Whether a value of money was sent and is wrong; a missing one is a missing field like any other."""
    return item["loc"][-1] in MONEY_FIELDS and item["type"] != "missing"


def _problem(item: ErrorDetails) -> str:
    if item["loc"][-1] in _TIMES and item["type"] not in ("missing", "string_type"):
        return _NOT_A_TIME
    return _PROBLEMS.get(item["type"], "has a wrong value")


def _path(location: tuple[int | str, ...]) -> str:
    """`actions`, 3, `bet`, `amount` as ``actions[3].amount``; the tag of the action's kind is left out."""
    if len(location) == 1:
        return str(location[0])
    head = f"{location[0]}[{location[1]}]"
    return head if len(location) == 2 else f"{head}.{location[-1]}"


def _position(path: str, plan: Plan) -> int:
    return plan.fields.index(path.partition("[")[0])
