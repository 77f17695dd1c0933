"""What is exported is what the models say, and it says the same as the door."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from schemas.codes import CODES
from schemas.dead_letters import DeadLetterHeaders
from schemas.events import ALL_TYPES
from schemas.examples import EVENT_EXAMPLES, RESULT_EXAMPLES
from schemas.export import ASYNCAPI_FILE, ROOT, drift, main, rendered, write
from schemas.json_schema import all_schemas
from schemas.plans import PLANS
from schemas.reasons import Reason, Refused
from schemas.results import RESULT_TYPE, Result
from tests.unit.schemas.door import LEFT_OUT, example, read

_SCHEMAS = all_schemas()
_DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / ASYNCAPI_FILE).read_text(encoding="utf-8"))


def _fits(schema: dict[str, Any], value: object) -> bool:
    return bool(_validator(schema["$id"]).is_valid(value))


@cache
def _validator(identifier: str) -> Draft202012Validator:
    return Draft202012Validator(_SCHEMAS[identifier.rpartition(":")[2]])


def test_the_exported_files_are_those_of_the_models() -> None:
    assert list(drift()) == []
    assert main(["--check"]) == 0


def test_a_file_that_differs_is_missing_or_is_left_over_is_noticed(tmp_path: Path) -> None:
    write(tmp_path)
    assert list(drift(tmp_path)) == []
    (tmp_path / "schemas/json/bet.json").unlink()
    (tmp_path / "schemas/json/old.json").write_text("{}")
    (tmp_path / ASYNCAPI_FILE).write_text("asyncapi: 3.0.0\n")
    assert list(drift(tmp_path)) == [
        "schemas/json/bet.json is missing",
        "docs/asyncapi.yaml differs from the models",
        "schemas/json/old.json belongs to no model",
    ]


@pytest.mark.parametrize("name", sorted(_SCHEMAS))
def test_every_schema_is_a_json_schema(name: str) -> None:
    Draft202012Validator.check_schema(_SCHEMAS[name])


@pytest.mark.parametrize("event_type", sorted(ALL_TYPES))
def test_the_example_of_each_type_fits_its_schema_and_no_other(event_type: str) -> None:
    fitting = {name for name in ALL_TYPES if _fits(_SCHEMAS[name], EVENT_EXAMPLES[event_type])}
    assert fitting == {event_type}


@pytest.mark.parametrize("name", sorted(RESULT_EXAMPLES))
def test_the_example_results_fit_their_schema(name: str) -> None:
    assert _fits(_SCHEMAS[RESULT_TYPE], RESULT_EXAMPLES[name])
    assert not _fits(_SCHEMAS[RESULT_TYPE], {**RESULT_EXAMPLES[name], "surprise": 1})


_VALUES: list[object] = [
    LEFT_OUT, None, 0, 1, 1.5, True, "", "x", "1.50", "-1.50", "all", "EUR", "acme", "cashier", "a\nb", "é", [], {},
    "2026-11-22T10:00:00Z", "2026-11-22T10:00:00", "x" * 129, "game", "day", "single_bet", "session_time", "web",
    [{"type": "bet", "transaction_id": "b", "amount": "1"}], [{"type": "win", "transaction_id": "b"}], ["x"],
]  # fmt: skip


@pytest.mark.parametrize("event_type", sorted(ALL_TYPES))
def test_schema_and_door_agree_on_every_field(event_type: str) -> None:
    """Each field of each type is given each value; schema and door must both take it or both refuse it."""
    disagreements = []
    beyond_json_schema = {"type", "player_id", "time_zone"}
    for field in PLANS[event_type].fields:
        if field in beyond_json_schema:
            continue
        for value in _VALUES:
            event = example(event_type, **{field: value})
            if _fits(_SCHEMAS[event_type], event) != _is_let_in(event):
                disagreements.append((field, value))
    assert disagreements == []


def _is_let_in(event: dict[str, Any]) -> bool:
    try:
        read(event)
    except Refused:
        return False
    return True


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, list):
        for item in part:
            yield from _references(item)
    elif isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for item in part.values():
            yield from _references(item)


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    references = set(_references(_DOCUMENT))
    assert len(references) > len(ALL_TYPES)
    for reference in references:
        part: Any = _DOCUMENT
        assert reference.startswith("#/")
        for step in reference.removeprefix("#/").split("/"):
            part = part[step]


def test_the_asyncapi_document_has_the_structure_of_version_3() -> None:
    assert _DOCUMENT["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= set(_DOCUMENT["info"])
    assert set(_DOCUMENT) <= {
        "asyncapi", "id", "info", "servers", "defaultContentType", "channels", "operations", "components",
    }  # fmt: skip
    for channel in _DOCUMENT["channels"].values():
        assert set(channel) <= {
            "address",
            "messages",
            "title",
            "summary",
            "description",
            "parameters",
            "bindings",
        }
        assert channel["messages"]
    for operation in _DOCUMENT["operations"].values():
        assert operation["action"] in {"send", "receive"}
        assert operation["channel"]["$ref"].startswith("#/channels/")
    for message in _DOCUMENT["components"]["messages"].values():
        assert {"name", "payload", "headers", "bindings"} <= set(message)
    names = [name for section in _DOCUMENT["components"].values() for name in section]
    assert all(re.fullmatch(r"[a-zA-Z0-9._-]+", name) for name in names)


def test_the_asyncapi_document_has_every_topic_and_every_message() -> None:
    channels = _DOCUMENT["channels"]
    addresses = {channel["address"] for channel in channels.values()}
    assert addresses == {"wallet.events", "wallet.results", "wallet.dead-letters"}
    assert set(channels["events"]["messages"]) == ALL_TYPES
    assert set(_DOCUMENT["components"]["messages"]) == ALL_TYPES | {"result", "deadLetter"}
    assert "POISON" in json.dumps(_DOCUMENT["components"]["schemas"]["Reason"])


def test_the_examples_of_the_asyncapi_document_fit_its_own_schemas() -> None:
    root = {"components": _DOCUMENT["components"]}
    for message in _DOCUMENT["components"]["messages"].values():
        for shown in message.get("examples", []):
            Draft202012Validator({**root, **message["payload"]}).validate(shown["payload"])


def test_no_name_of_a_python_field_leaks_into_the_schemas() -> None:
    for text in rendered().values():
        assert "_minor" not in text
        assert "from_" not in text


# ------------------------------------------------------------------------------------------ the reader's guide


def _blocks(name: str, language: str) -> list[str]:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def test_every_example_of_the_guide_is_an_event_a_result_or_the_headers_of_a_dead_letter() -> None:
    kinds = set()
    for block in _blocks("contract.md", "json"):
        shown = json.loads(block)
        if "status" in shown:
            kinds.add("result")
            Result.model_validate_json(block)
        elif "wallet-dlq-reason" in shown:
            kinds.add("headers")
            DeadLetterHeaders.model_validate(shown)
        else:
            kinds.add("event")
            read(shown)
    assert kinds == {"result", "headers", "event"}


def test_the_guide_names_every_type_field_code_and_reason() -> None:
    text = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([^`\n]+)`", text))
    fields = {name for plan in PLANS.values() for name in plan.fields}
    results = {field.alias or name for name, field in Result.model_fields.items()}
    headers = {field.alias for field in DeadLetterHeaders.model_fields.values()}
    enumerated = set(CODES) | {reason.value for reason in Reason}
    assert (ALL_TYPES | fields | results | headers | enumerated) - named == set()


def test_a_wrong_example_would_be_noticed() -> None:
    with pytest.raises(ValidationError):
        DeadLetterHeaders.model_validate({"wallet-dlq-reason": "POISON"})
