"""Acceptance cases as data: read from YAML, checked for form, and asked which event types they need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from processor.errors import WrongUsage
from schemas.events import ALL_TYPES

DEFAULT_PLAYER: Final = "p"
DEFAULT_CURRENCY: Final = "EUR"
GIVEN_KEYS: Final = frozenset(
    {"cash", "bonus", "currency", "blocked", "session", "country", "time_zone", "jurisdiction"}
)


@dataclass(frozen=True, slots=True)
class Step:
    """One record to send. ``type`` is None for raw bytes; ``fields`` are as written in the case."""

    type: str | None
    transaction_id: str
    fields: Mapping[str, Any]
    expect: Mapping[str, Any]
    raw: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Together:
    """Steps sent without waiting for one another; ``expect`` holds once all their results have come."""

    steps: Sequence[Step]
    expect: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One case. ``given`` is by player; a flat one in the file means player ``p``."""

    id: str
    title: str
    source: str
    file: str
    profile: Mapping[str, Any]
    given: Mapping[str, Mapping[str, Any]]
    steps: Sequence[Step | Together]

    def single_steps(self) -> Iterator[Step]:
        for step in self.steps:
            yield from step.steps if isinstance(step, Together) else (step,)

    def types(self) -> set[str]:
        """The contract's event types that this case needs; a type that nobody knows is not one of them."""
        needed: set[str] = set()
        for player in self.given.values():
            needed |= {"open_player", "open_session", "deposit"}
            needed |= {"grant_bonus"} if player.get("bonus") else set()
            needed |= {"block_player"} if player.get("blocked") else set()
        for step in self.single_steps():
            actions = step.fields.get("actions")
            inner = actions if isinstance(actions, list) else []
            needed |= {str(action.get("type")) for action in inner if isinstance(action, dict)}
            needed |= {step.type or ""}
        return needed & ALL_TYPES


class _PlainLoader(yaml.SafeLoader):
    """YAML without its idea of dates: a time in a case is the text that is sent."""


_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load_cases(paths: Sequence[Path]) -> list[Case]:
    """All cases of these files, in order. Raises WrongUsage naming the file and the case that is not in form."""
    cases: list[Case] = []
    for path in paths:
        try:
            listed = yaml.load(path.read_text(), _PlainLoader)  # nosec B506  # a SafeLoader
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise WrongUsage(f"{path}: cannot be read as YAML: {error}") from error
        if not isinstance(listed, list):
            raise WrongUsage(f"{path}: a case file is a list of cases, this is not")
        for number, entry in enumerate(listed, 1):
            cases.append(_case(path, number, entry))
    return cases


def _case(path: Path, number: int, entry: Any) -> Case:
    name = f"{path}: case {number}"
    if not isinstance(entry, dict) or "id" not in entry or not isinstance(entry.get("steps"), list):
        raise WrongUsage(f"{name}: a case needs at least an id and a list of steps")
    name = f"{path}: case {entry['id']}"
    try:
        return Case(
            id=str(entry["id"]),
            title=str(entry.get("title", "")),
            source=str(entry.get("source", "")),
            file=path.name,
            profile=dict(entry.get("profile") or {}),
            given=_given(entry.get("given") or {}),
            steps=[_step_or_together(step) for step in entry["steps"]],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WrongUsage(f"{name}: not in the form of a case: {error}") from error


def _given(written: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    by_player = bool(written) and all(isinstance(value, dict) for value in written.values())
    given = (
        {str(name): dict(value) for name, value in written.items()}
        if by_player
        else {DEFAULT_PLAYER: {**written}}
    )
    for name, player in given.items():
        unknown = sorted(player.keys() - GIVEN_KEYS)
        if unknown:
            raise ValueError(f"given for player {name} has unknown keys: {', '.join(unknown)}")
    return given


def _step_or_together(written: dict[str, Any]) -> Step | Together:
    if "together" not in written:
        return _step(written)
    inside, outside = written["together"], dict(written.get("expect") or {})
    if isinstance(inside, list):
        return Together([_step(step) for step in inside], outside)
    steps = [_step(inside["step"])] * int(inside["repeat"])
    return Together(steps, {**dict(inside.get("expect") or {}), **outside})


def _step(written: dict[str, Any]) -> Step:
    fields = dict(written)
    expect = dict(fields.pop("expect", None) or {})
    headers = {str(name): str(value) for name, value in dict(fields.pop("headers", None) or {}).items()}
    key = fields.pop("key", None)
    if "raw" in fields:
        return Step(None, "", {}, expect, str(fields["raw"]), headers, key)
    if not fields:
        raise ValueError("a step names a type and a transaction id, or raw bytes")
    type_ = next(iter(fields))
    transaction_id = str(fields.pop(type_))
    return Step(str(type_), transaction_id, fields, expect, None, headers, key)
