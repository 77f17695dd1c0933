"""docs/operations.md names every command, every metric and every reason for which a lane stops itself."""

from __future__ import annotations

import re
from pathlib import Path

from processor import errors
from processor.ops.main import COMMANDS
from processor.telemetry.metrics import MetricsObserver

DOCUMENT = Path(__file__).parents[2] / "docs" / "operations.md"

#: Kinds of doubt that store no reason of their own: the lane goes to its new owner, or was stopped before.
NOT_STORED = {"LeaseLost", "LaneStopped"}


def first_cells(pattern: str) -> set[str]:
    """The first cells of the document's table rows that look so."""
    return set(re.findall(rf"^\| `{pattern}` \|", DOCUMENT.read_text(), re.MULTILINE))


def test_every_command_is_named_and_no_other() -> None:
    assert first_cells(r"croupier ([a-z-]+)") == {command.name for command in COMMANDS}


def test_every_metric_is_named_and_no_other() -> None:
    content_type, scraped = MetricsObserver(process=False).render()
    assert content_type.startswith("text/plain")
    kinds = dict(re.findall(r"^# TYPE (croupier_\w+) (\w+)$", scraped.decode(), re.MULTILINE))
    families = {name for name in kinds if not name.endswith("_created")}
    assert first_cells(r"(croupier_\w+)") == families


def test_every_reason_for_which_a_lane_stops_is_explained() -> None:
    doubts = {kind.__name__ for kind in errors.Doubt.__subclasses__()} | {errors.Doubt.__name__}
    assert first_cells(r"([A-Z][A-Za-z]+)") == doubts - NOT_STORED


def test_the_exit_codes_of_the_tree_of_errors_are_explained() -> None:
    tree = (kind for kind in vars(errors).values() if isinstance(kind, type))
    raised = {kind.exit_code for kind in tree if issubclass(kind, errors.CroupierError)}
    explained = set(re.findall(r"^\| (\d) \|", DOCUMENT.read_text(), re.MULTILINE))
    assert explained == {str(code) for code in raised | {0}}
