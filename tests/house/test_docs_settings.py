"""docs/settings.md names every setting of the program, with its default, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import SecretStr

from processor.devstack.places import CACHE_VARIABLE, DIRECTORY_VARIABLE
from processor.settings import Settings

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"
ROW = re.compile(r"^\| `(CROUPIER_[A-Z_]+)` \| (?:`([^`]*)`|(none)) \| .+ \|$", re.MULTILINE)
#: Read by the embedded stack alone; not settings of a worker.
STACK_VARIABLES = {DIRECTORY_VARIABLE, CACHE_VARIABLE}


def documented() -> dict[str, str | None]:
    """The table's variables with their defaults as written, None where it says that none is set."""
    return {name: default or None for name, default, _ in ROW.findall(DOCUMENT.read_text())}


def defaults_in_code() -> dict[str, str | None]:
    """The same of the settings' own fields."""
    return {f"CROUPIER_{name.upper()}": _text(field.default) for name, field in Settings.model_fields.items()}


def _text(default: object) -> str | None:
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    return None if default is None else str(default)


def test_every_setting_is_documented_and_nothing_else_is() -> None:
    assert set(documented()) - STACK_VARIABLES == set(defaults_in_code())


def test_the_documented_defaults_are_those_of_the_code() -> None:
    written = documented()
    assert {name: written.get(name) for name in defaults_in_code()} == defaults_in_code()


def test_no_other_variable_is_spoken_of_in_the_document() -> None:
    spoken = set(re.findall(r"CROUPIER_[A-Z_]*[A-Z]", DOCUMENT.read_text()))
    assert spoken == set(defaults_in_code()) | STACK_VARIABLES


def test_each_variable_has_one_row_only() -> None:
    names = [name for name, _, _ in ROW.findall(DOCUMENT.read_text())]
    assert sorted(names) == sorted(set(names))
