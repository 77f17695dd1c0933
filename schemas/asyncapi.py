"""The AsyncAPI 3 document of the wallet: its topics, what is sent and what comes back, from the models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from schemas.decoding import CONTRACT_VERSION
from schemas.events import EVENT_MODELS
from schemas.examples import EVENT_EXAMPLES, RESULT_EXAMPLES
from schemas.json_schema import (
    DEAD_LETTER_HEADERS,
    JsonSchema,
    dead_letter_headers_schema,
    event_schema,
    result_schema,
)
from schemas.results import RESULT_TYPE
from schemas.topics import TOPICS, TopicSpecification

Document = dict[str, Any]

_KEY: Final = {"type": "string", "description": "The player id, UTF-8."}
_KAFKA_BINDING_VERSION: Final = "0.5.0"
#: By role: the name of the channel in the document, and what goes through it.
_CHANNELS: Final = {
    "events": ("events", "What game servers, the cashier and the operator send: one event a record."),
    "results": (
        "results",
        "One result for each event that could be read and believed, for read_committed readers.",
    ),
    "dead-letters": (
        "deadLetters",
        "Events that could not be read or believed, byte for byte, with the reason.",
    ),
}
_MESSAGES_OF: Final[Mapping[str, Sequence[str]]] = {
    "events": tuple(EVENT_MODELS),
    "results": ("result",),
    "dead-letters": ("deadLetter",),
}
_SIGNING_HEADERS: Final[JsonSchema] = {
    "type": "object",
    "description": "Required where signing is on, always in production. CloudEvents headers are accepted.",
    "properties": {
        "x-key-id": {"type": "string", "description": "Which key signed."},
        "x-timestamp": {
            "type": "string",
            "pattern": "^[0-9]{1,16}$",
            "description": "When it was signed: Unix milliseconds, ASCII digits.",
        },
        "x-signature": {
            "type": "string",
            "pattern": "^[0-9a-f]{64}$",
            "description": "Lower-case hex of HMAC-SHA256 over the value's bytes, then those of x-timestamp.",
        },
    },
}
_RESULT_HEADERS: Final[JsonSchema] = {
    "type": "object",
    "properties": {
        "ce_specversion": {"const": "1.0", "type": "string"},
        "ce_id": {
            "type": "string",
            "pattern": "^[0-9]+-[0-9]+-[0-9]+$",
            "description": "layout-partition-offset",
        },
        "ce_type": {"const": RESULT_TYPE, "type": "string"},
        "ce_source": {"type": "string"},
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_subject": {"type": "string", "description": "The player id."},
        "content-type": {"const": "application/json", "type": "string"},
        "traceparent": {"type": "string", "description": "The event's, when it had one."},
        "wallet-batch": {
            "type": "string",
            "pattern": "^[0-9]+/[0-9]+/[0-9]+$",
            "description": "layout/lane/seq",
        },
        "x-key-id": {
            "type": "string",
            "description": "Where results are signed: which key of the operator's.",
        },
        "x-timestamp": _SIGNING_HEADERS["properties"]["x-timestamp"],
        "x-signature": _SIGNING_HEADERS["properties"]["x-signature"],
    },
}


def asyncapi_document() -> Document:
    """The whole document; every schema it refers to is inside it."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Croupier wallet",
            "version": f"{CONTRACT_VERSION}.0.0",
            "description": (
                "Events of game play and money go in, one result comes out for each; what cannot be read or believed "
                "is set aside with its reason. Amounts are decimal strings."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {_CHANNELS[topic.role][0]: _channel(topic) for topic in TOPICS},
        "operations": {
            "receiveEvents": _operation("receive", "events", "Events are read in order, per player."),
            "sendResults": _operation("send", "results", "In the player's order, in the event's partition."),
            "sendDeadLetters": _operation("send", "deadLetters", "Reason and origin are in the headers."),
        },
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def _channel(topic: TopicSpecification) -> Document:
    return {
        "address": topic.default_name,
        "description": _CHANNELS[topic.role][1],
        "messages": {message: _ref("messages", message) for message in _MESSAGES_OF[topic.role]},
        "bindings": {"kafka": {"topic": topic.default_name, "bindingVersion": _KAFKA_BINDING_VERSION}},
    }


def _operation(action: str, channel: str, summary: str) -> Document:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "summary": summary}


def _messages() -> Document:
    messages = {event_type: _event_message(event_type) for event_type in EVENT_MODELS}
    messages["result"] = {
        "name": RESULT_TYPE,
        "summary": "The outcome of one event.",
        "headers": _RESULT_HEADERS,
        "payload": _ref("schemas", RESULT_TYPE),
        "bindings": _bindings(),
        "examples": [{"name": name, "payload": payload} for name, payload in RESULT_EXAMPLES.items()],
    }
    messages["deadLetter"] = {
        "name": "deadLetter",
        "summary": "The original's key, value and headers, byte for byte, and these headers.",
        "contentType": "application/octet-stream",
        "headers": _ref("schemas", DEAD_LETTER_HEADERS),
        "payload": {"description": "The original bytes, whatever they are."},
        "bindings": _bindings(),
    }
    return messages


def _event_message(event_type: str) -> Document:
    return {
        "name": event_type,
        "summary": (EVENT_MODELS[event_type].__doc__ or "").partition("\n")[0],
        "headers": _ref("schemas", "signing-headers"),
        "payload": _ref("schemas", event_type),
        "bindings": _bindings(),
        "examples": [{"name": event_type, "payload": EVENT_EXAMPLES[event_type]}],
    }


def _bindings() -> Document:
    return {"kafka": {"key": _KEY, "bindingVersion": _KAFKA_BINDING_VERSION}}


def _ref(section: str, name: str) -> Document:
    return {"$ref": f"#/components/{section}/{name}"}


def _schemas() -> Document:
    """All schemas side by side, the parts of each (an action, a balance) too."""
    schemas: Document = {"signing-headers": _SIGNING_HEADERS}
    bodies = {event_type: event_schema(event_type) for event_type in EVENT_MODELS}
    bodies[RESULT_TYPE] = result_schema()
    bodies[DEAD_LETTER_HEADERS] = dead_letter_headers_schema()
    for name, body in bodies.items():
        parts = body.pop("$defs", {})
        body.pop("examples", None)
        for part_name, part in {name: body, **parts}.items():
            schemas[part_name] = _hoisted(part)
    return schemas


def _hoisted(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_hoisted(item) for item in schema]
    if isinstance(schema, dict):
        return {name: _hoisted(item) for name, item in schema.items()}
    if isinstance(schema, str) and schema.startswith("#/$defs/"):
        return schema.replace("#/$defs/", "#/components/schemas/")
    return schema
