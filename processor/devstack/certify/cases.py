"""Acceptance cases as data: read from YAML, and checked for form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from processor.errors import WrongUsage

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
class GivenRate:
    """What one unit of ``source`` is in ``target``, as of so many hours ago. In a file: ``USD/EUR: "0.92"``."""

    source: str
    target: str
    rate: str
    hours_old: float = 0.0


@dataclass(frozen=True, slots=True)
class Case:
    """One case. ``given`` is by player; a flat one in the file means player ``p``.

    ``rates`` are the installation's while it is played, for all players: so no two cases may give one pair two rates.
    """

    id: str
    title: str
    source: str
    file: str
    profile: Mapping[str, Any]
    given: Mapping[str, Mapping[str, Any]]
    steps: Sequence[Step | Together]
    rates: Sequence[GivenRate] = ()

    def single_steps(self) -> Iterator[Step]:
        for step in self.steps:
            yield from step.steps if isinstance(step, Together) else (step,)


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
    _refuse_two_rates(cases)
    return cases


def _refuse_two_rates(cases: Sequence[Case]) -> None:
    seen: dict[tuple[str, str], tuple[Case, GivenRate]] = {}
    for case in cases:
        for one in case.rates:
            before, known = seen.setdefault((one.source, one.target), (case, one))
            if known != one:
                raise WrongUsage(
                    f"{case.file}: case {case.id}: gives {one.source}/{one.target} another rate than case {before.id} "
                    "does; all cases are played at the same time"
                )


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
            rates=[_rate(str(pair), written) for pair, written in dict(entry.get("rates") or {}).items()],
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


def _rate(pair: str, written: str | Mapping[str, Any]) -> GivenRate:
    source, _, target = pair.partition("/")
    if isinstance(written, str):
        return GivenRate(source, target, written)
    return GivenRate(source, target, str(written["rate"]), float(written.get("hours_old", 0)))


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
