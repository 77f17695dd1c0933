"""The house rules that every module follows."""

from __future__ import annotations

import ast
import re
import tokenize
from io import StringIO
from pathlib import Path

from tests.house.sources import imported_modules, named, python_files, text_of, tree_of

MOST_LINES = 400
_ROOMS = {"aiokafka": {"kafka", "devstack"}, "asyncpg": {"postgres", "devstack"}}
_BOTH_AT_ONCE = {"processor/bootstrap.py"}
_IGNORE = re.compile(r"#\s*type:\s*ignore|#\s*noqa|#\s*pragma:\s*no cover|#\s*pyright:")
_IGNORE_WITH_REASON = re.compile(
    r"#\s*(type:\s*ignore\[[\w\-, ]+\]|noqa:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*)\s*(#|-|:|\()\s*\w.{7,}"
)


def test_the_first_line_of_every_module_says_what_it_is_for() -> None:
    silent = [named(path) for path in python_files() if not _opening_sentence(path)]

    assert not silent


def test_no_module_grows_beyond_what_one_reads_at_once() -> None:
    long = {named(path): lines for path in python_files("processor") if (lines := _lines(path)) > MOST_LINES}

    assert not long


def test_aiokafka_and_asyncpg_are_said_in_their_rooms_alone() -> None:
    strangers = [
        (named(path), driver)
        for path in python_files("processor", "schemas")
        for driver, rooms in _ROOMS.items()
        if any(module.split(".")[0] == driver for module in imported_modules(path))
        and _room(path) not in rooms
    ]

    assert not strangers


def test_only_bootstrap_knows_kafka_and_postgres_at_once() -> None:
    both = {
        named(path)
        for path in python_files("processor")
        if _room(path) not in ("ops", "devstack") and _knows(path, "kafka") and _knows(path, "postgres")
    }

    assert both <= _BOTH_AT_ONCE


def test_whoever_silences_a_checker_says_why() -> None:
    silent = [
        f"{named(path)}:{number}: {comment}"
        for path in python_files()
        for number, comment in _comments(path)
        if _IGNORE.search(comment) and not _IGNORE_WITH_REASON.search(comment)
    ]

    assert not silent


def test_no_exception_is_swallowed_without_a_word() -> None:
    swallowed = [
        f"{named(path)}:{node.lineno}"
        for path in python_files("processor", "schemas")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ExceptHandler) and _is_broad(node) and _does_nothing(node)
    ]

    assert not swallowed


def test_no_module_is_called_after_nothing() -> None:
    vague = {"utils", "util", "helpers", "helper", "misc", "common", "stuff"}

    assert not [named(path) for path in python_files("processor", "schemas") if path.stem in vague]


def test_importing_a_module_does_nothing_but_define() -> None:
    busy = [
        f"{named(path)}:{node.lineno}"
        for path in python_files("processor", "schemas")
        for node in tree_of(path).body
        if path.name != "__main__.py" and isinstance(node, (ast.For, ast.While, ast.With, ast.Await))
    ]

    assert not busy


def test_the_detectors_see_what_they_look_for() -> None:
    silenced = "x = 1  # " + "type: ignore[assignment]"

    assert _IGNORE.search(silenced)
    assert not _IGNORE_WITH_REASON.search(silenced)
    assert _IGNORE_WITH_REASON.search(silenced + "  # the stub is wrong")
    handler = ast.parse("try:\n    f()\nexcept Exception:\n    pass").body[0]
    assert isinstance(handler, ast.Try)
    assert _is_broad(handler.handlers[0])
    assert _does_nothing(handler.handlers[0])


def _opening_sentence(path: Path) -> str:
    docstring = ast.get_docstring(tree_of(path)) or ""
    starts_at_once = text_of(path).startswith(('"""', 'r"""'))
    return docstring.splitlines()[0].strip() if docstring and starts_at_once else ""


def _lines(path: Path) -> int:
    return len(text_of(path).splitlines())


def _room(path: Path) -> str:
    """The folder of `processor` that a module is in; its own name if it stands by itself."""
    return named(path).split("/")[1]


def _knows(path: Path, room: str) -> bool:
    return (
        any(module.startswith(f"processor.{room}") for module in imported_modules(path))
        and _room(path) != room
    )


def _comments(path: Path) -> list[tuple[int, str]]:
    tokens = tokenize.generate_tokens(StringIO(text_of(path)).readline)
    return [(token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT]


def _is_broad(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or (
        isinstance(handler.type, ast.Name) and handler.type.id in ("Exception", "BaseException")
    )


def _does_nothing(handler: ast.ExceptHandler) -> bool:
    return all(isinstance(node, (ast.Pass, ast.Continue)) for node in handler.body)
