"""What the door knows of each event type, worked out once from its model: validator, money, rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, get_args

from pydantic import BaseModel
from pydantic_core import SchemaValidator

from schemas.events import CASHIER_TYPES, EVENT_MODELS, OPERATOR_TYPES, Batch, BetAction, Event, WinAction
from schemas.events.base import MinorUnits, WireModel
from schemas.events.fields import AMOUNT_MARK, CURRENCY_MARK
from schemas.field_rules import RULES, Rule


@dataclass(frozen=True, slots=True)
class Plan:
    """How events of one type are read. ``amounts`` are (wire name, attribute of the minor units) pairs."""

    event_type: str
    validator: SchemaValidator
    fields: tuple[str, ...]
    optional: frozenset[str]
    amounts: tuple[tuple[str, str], ...]
    has_currency: bool
    has_actions: bool
    restricted: bool
    rule: Rule | None


def _marks(annotation: Any) -> Iterator[str]:
    for part in get_args(annotation):
        if isinstance(part, str):
            yield part
        else:
            yield from _marks(part)


def money_fields(model: type[BaseModel]) -> Mapping[str, str]:
    """The model's own fields of money: wire name to ``"amount"`` or ``"currency"``."""
    found = {}
    for name, field in model.model_fields.items():
        marks = {*(item for item in field.metadata if isinstance(item, str)), *_marks(field.annotation)}
        for mark in marks & {AMOUNT_MARK, CURRENCY_MARK}:
            found[name] = mark
    return found


def _minor_names(model: type[WireModel]) -> Mapping[str, str]:
    attributes = (vars(part) for part in reversed(model.__mro__))
    return {
        item.wire_name: name
        for namespace in attributes
        for name, item in namespace.items()
        if isinstance(item, MinorUnits)
    }


def _plan(event_type: str, model: type[Event]) -> Plan:
    money = money_fields(model)
    minor = _minor_names(model)
    return Plan(
        event_type=event_type,
        validator=model.__pydantic_validator__,  # type: ignore[arg-type]  # its plugin wrapper has the same methods
        fields=tuple(model.model_fields),
        optional=frozenset(name for name, field in model.model_fields.items() if not field.is_required()),
        amounts=tuple((name, minor[name]) for name, mark in money.items() if mark == AMOUNT_MARK),
        has_currency=CURRENCY_MARK in money.values(),
        has_actions=model is Batch,
        restricted=event_type in CASHIER_TYPES
        or event_type in OPERATOR_TYPES
        or event_type == "open_session",
        rule=RULES.get(event_type),
    )


PLANS: Final[Mapping[str, Plan]] = MappingProxyType(
    {name: _plan(name, model) for name, model in EVENT_MODELS.items()}
)

_ALL_MODELS: Final[tuple[type[BaseModel], ...]] = (*EVENT_MODELS.values(), BetAction, WinAction)

#: Every field of money of any event or action; a wrong one has a reason of its own.
MONEY_FIELDS: Final = frozenset(name for model in _ALL_MODELS for name in money_fields(model))

_OPTIONAL_IN_ACTION: Final = frozenset(
    name
    for model in (BetAction, WinAction)
    for name, field in model.model_fields.items()
    if not field.is_required()
)


def without_nulls(raw: dict[str, Any], plan: Plan) -> dict[str, Any]:
    """In an optional field null is the same as leaving it out; in a required one it stays and is wrong."""
    kept = _drop_nulls(raw, plan.optional)
    actions = kept.get("actions")
    if plan.has_actions and isinstance(actions, list):
        kept["actions"] = [
            _drop_nulls(action, _OPTIONAL_IN_ACTION) if isinstance(action, dict) else action
            for action in actions
        ]
    return kept


def _drop_nulls(raw: dict[str, Any], optional: frozenset[str]) -> dict[str, Any]:
    return {name: item for name, item in raw.items() if item is not None or name not in optional}
