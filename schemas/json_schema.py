"""JSON Schema of the contract's models, as consumers and senders are given it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from schemas.dead_letters import DeadLetterHeaders
from schemas.events import CASHIER, CASHIER_TYPES, EVENT_MODELS, OPERATOR, OPERATOR_TYPES
from schemas.examples import EVENT_EXAMPLES, RESULT_EXAMPLES
from schemas.results import RESULT_TYPE, Result

JsonSchema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
DEAD_LETTER_HEADERS: Final = "dead-letter-headers"
_NULL: Final = {"type": "null"}

_PRESENT: Final = {"not": _NULL}
_ABSENT: Final = _NULL
_PERIOD_BY_LIMIT: Final[JsonSchema] = {
    "if": {"properties": {"limit": {"enum": ["deposit", "loss", "wager"]}}},
    "then": {"required": ["period"], "properties": {"period": _PRESENT}},
    "else": {"properties": {"period": _ABSENT}},
}
_AMOUNT_OR_MINUTES: Final[JsonSchema] = {
    "if": {"properties": {"limit": {"const": "session_time"}}},
    "then": {"properties": {"amount": _ABSENT}},
    "else": {"properties": {"minutes": _ABSENT}},
}
#: What one field's value asks of others; the same rules as `schemas.field_rules`, which a test compares.
_CONDITIONS: Final[Mapping[str, list[JsonSchema]]] = {
    "win": [
        {
            "if": {"properties": {"kind": {"enum": ["game", None]}}},
            "then": {
                "required": ["game_id", "round_id"],
                "properties": {"game_id": _PRESENT, "round_id": _PRESENT},
            },
        }
    ],
    "set_limit": [_PERIOD_BY_LIMIT, _AMOUNT_OR_MINUTES],
    "confirm_limit": [_PERIOD_BY_LIMIT],
}


def event_schema(event_type: str) -> JsonSchema:
    """The schema of one event type. Limits that JSON Schema cannot say (bytes, decimals) are the door's alone."""
    schema: JsonSchema = _plain(EVENT_MODELS[event_type].model_json_schema())
    schema["examples"] = [EVENT_EXAMPLES[event_type]]
    _allow_null(schema)
    for definition in schema.get("$defs", {}).values():
        _allow_null(definition)
    if event_type in _CONDITIONS:
        schema["allOf"] = _CONDITIONS[event_type]
    schema["properties"]["provider"].update(_sender_rule(event_type))
    return schema


def result_schema() -> JsonSchema:
    """The schema of a result."""
    return {**_plain(Result.model_json_schema()), "examples": list(RESULT_EXAMPLES.values())}


def dead_letter_headers_schema() -> JsonSchema:
    """The schema of a dead letter's headers, as an object of their texts."""
    schema: JsonSchema = _plain(DeadLetterHeaders.model_json_schema())
    return schema


def all_schemas() -> Mapping[str, JsonSchema]:
    """Every schema by its name: the event types, the result, the dead letter's headers."""
    bodies = {event_type: event_schema(event_type) for event_type in EVENT_MODELS}
    bodies[RESULT_TYPE] = result_schema()
    bodies[DEAD_LETTER_HEADERS] = dead_letter_headers_schema()
    return {
        name: {"$schema": DIALECT, "$id": f"urn:croupier:v1:{name}", **body} for name, body in bodies.items()
    }


def _plain(schema: Any) -> Any:
    """Without titles made of names, and without OpenAPI's discriminator, which JSON Schema does not know."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: item for name, item in schema.items() if not _is_ornament(name, item)}
    return {name: _plain(item) for name, item in kept.items()}


def _is_ornament(name: str, item: Any) -> bool:
    return (name == "title" and isinstance(item, str)) or (name == "discriminator" and "propertyName" in item)


def _allow_null(schema: JsonSchema) -> None:
    """In an optional field null is the same as leaving it out; only `version` is what it is."""
    required = schema.get("required", ())
    for name, field in schema["properties"].items():
        if name in required or name == "version" or "anyOf" in field:
            continue
        described = {key: field.pop(key) for key in ("default", "description") if key in field}
        schema["properties"][name] = {"anyOf": [field, _NULL], **described}


def _sender_rule(event_type: str) -> JsonSchema:
    """Which senders may not, or alone may, send this type (`schemas.events.is_permitted`)."""
    if event_type in CASHIER_TYPES:
        return {"const": CASHIER}
    if event_type in OPERATOR_TYPES:
        return {"const": OPERATOR}
    return {"not": {"const": CASHIER}} if event_type == "open_session" else {}
