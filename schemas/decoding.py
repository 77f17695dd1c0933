"""The door: a record's bytes become one event, or a refusal with the first reason that holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import Any, Final, cast

from pydantic import ValidationError

from schemas.events import ALL_TYPES, Event, is_permitted
from schemas.faults import first_field_fault, first_money_fault, note_claims
from schemas.field_rules import Fault, metadata_faults
from schemas.money import ALL, TooManyDecimals, minor_units
from schemas.plans import PLANS, Plan, without_nulls
from schemas.reading import read_object
from schemas.reasons import Reason, Refused

CONTRACT_VERSION: Final = 1

#: Why the signer of an event may not send this type in this provider's name; None: he may.
Objection = Callable[[str, str], str | None]


def decode(
    record_key: bytes | None,
    value: bytes | None,
    *,
    currencies: Mapping[str, int],
    known_types: Set[str] = ALL_TYPES,
    content_type: str | bytes | None = None,
    objection: Objection | None = None,
) -> Event:
    """The event that a record holds, its amounts also as whole minor units (``amount_minor`` and the like).

    ``currencies`` maps each known currency to its exponent; ``known_types`` are the types that are served;
    ``content_type`` is the record's header of that name, if any; ``objection`` says why the event's signer may not send
    a type in a provider's name (None: he may). Raises ``Refused`` and nothing else.
    """
    raw = read_object(value, content_type)
    try:
        plan = _plan_of(raw, known_types)
        return _event_of(raw, record_key, plan, currencies, objection)
    except Refused as refusal:
        note_claims(refusal, raw)
        raise


def _plan_of(raw: dict[str, Any], known_types: Set[str]) -> Plan:
    version = raw.get("version", CONTRACT_VERSION)
    if version.__class__ is not int or version != CONTRACT_VERSION:
        raise Refused(
            Reason.UNKNOWN_VERSION, f'Field "version" is not {CONTRACT_VERSION}, the only version known.'
        )
    event_type = raw.get("type")
    if event_type.__class__ is not str:
        problem = "is required and missing" if event_type is None else "is not a string"
        raise Refused(Reason.UNDECODABLE, f'Field "type" {problem}.')
    plan = PLANS.get(event_type)
    if plan is None or event_type not in known_types:
        raise Refused(Reason.UNKNOWN_TYPE, 'Field "type" names no event type that is known here.')
    return plan


def _event_of(
    raw: dict[str, Any],
    key: bytes | None,
    plan: Plan,
    currencies: Mapping[str, int],
    objection: Objection | None,
) -> Event:
    if plan.has_actions or None in raw.values():
        raw = without_nulls(raw, plan)
    try:
        event = cast(Event, plan.validator.validate_python(raw))
    except ValidationError as error:
        raise _refusal(raw, key, plan, currencies, objection, error) from None
    if event.metadata is not None:
        for fault in metadata_faults(event.metadata):
            raise _wrong_field(fault)
    if plan.rule is not None:
        for fault in plan.rule(raw):
            raise _wrong_field(fault)
    _check_sender(key, event.player_id, event.provider, plan, objection)
    _put_minor_units(event, plan, currencies)
    return event


def _check_sender(
    key: bytes | None, player_id: str, provider: str, plan: Plan, objection: Objection | None
) -> None:
    if key is None:
        raise Refused(Reason.KEY_MISMATCH, "The record has no key; it must be the player id.")
    if key != player_id.encode():
        raise Refused(Reason.KEY_MISMATCH, 'The record\'s key is not the value of field "player_id".')
    if plan.restricted and not is_permitted(provider, plan.event_type):
        raise Refused(
            Reason.NOT_PERMITTED, f"An event of type {plan.event_type} is not this sender's to send."
        )
    if objection is not None:
        check_permission(objection, provider, plan.event_type, player_id)


def check_permission(objection: Objection, provider: str, event_type: str, player_id: str) -> None:
    """Raise ``Refused(NOT_PERMITTED)`` where the signer of an event may not send it."""
    why = objection(provider, event_type)
    if why is not None:
        raise Refused(
            Reason.NOT_PERMITTED, why, provider=provider, player_id=player_id, event_type=event_type
        )


def _exponent(currency: str | None, currencies: Mapping[str, int]) -> int | None:
    if currency is None:
        return None
    exponent = currencies.get(currency)
    if exponent is None:
        raise Refused(Reason.UNKNOWN_CURRENCY, 'Field "currency" names no currency that is known here.')
    return exponent


def _put_minor_units(event: Event, plan: Plan, currencies: Mapping[str, int]) -> None:
    if not plan.has_currency:
        return
    fields = event.__dict__
    exponent = _exponent(fields["currency"], currencies)
    for name, minor_name in plan.amounts:
        fields[minor_name] = _minor(fields[name], exponent, name)
    if plan.has_actions:
        for index, action in enumerate(fields["actions"]):
            action.__dict__["amount_minor"] = _minor(action.amount, exponent, f"actions[{index}].amount")


def _minor(text: str | None, exponent: int | None, field: str) -> int | None:
    if text is None or exponent is None or text == ALL:
        return None
    try:
        return minor_units(text, exponent)
    except TooManyDecimals as error:
        raise Refused(Reason.INVALID_AMOUNT, f'Field "{field}" has {error}.') from None


def _wrong_field(fault: Fault) -> Refused:
    field, problem = fault
    return Refused(Reason.UNDECODABLE, f'Field "{field}" {problem}.')


def _refusal(
    raw: dict[str, Any],
    key: bytes | None,
    plan: Plan,
    currencies: Mapping[str, int],
    objection: Objection | None,
    error: ValidationError,
) -> Refused:
    """The first reason in the contract's order for an object that its model refused."""
    fault = first_field_fault(raw, plan, error)
    if fault is not None:
        return _wrong_field(fault)
    try:
        _check_sender(key, raw["player_id"], raw["provider"], plan, objection)
        if "currency" in raw and not isinstance(raw["currency"], str):
            return Refused(Reason.UNKNOWN_CURRENCY, 'Field "currency" is not a string.')
        _exponent(raw.get("currency"), currencies)
    except Refused as refusal:
        return refusal
    field, problem = first_money_fault(error)
    return Refused(Reason.INVALID_AMOUNT, f'Field "{field}" {problem}.')
