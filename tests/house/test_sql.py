"""SQL lives in .sql files, and each of them says what it is for."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from processor.postgres.connection import NEWEST_SCHEMA, OLDEST_SCHEMA
from processor.postgres.migrate import known_migrations
from tests.house.sources import named, project_files, python_files, text_of, tree_of

# A statement's first words, in capitals as we write them; prose has them in lower case, or without what follows.
_STATEMENT = re.compile(
    r"^\s*(SELECT\s+\S|INSERT\s+INTO\b|UPDATE\s+\w+\s+SET\b|DELETE\s+FROM\b|WITH\s+\w+\s+AS\b|MERGE\s+INTO\b|TRUNCATE\b"
    r"|(CREATE|ALTER|DROP)\s+(TABLE|INDEX|ROLE|DATABASE|SCHEMA|VIEW|FUNCTION|TRIGGER)\b|COPY\s+\w+|LOCK\s+TABLE\b"
    r"|(GRANT|REVOKE)\s+\w+.*\b(ON|TO|FROM)\b|EXPLAIN\b.*\bSELECT\b|NOTIFY\s+\w+|LISTEN\s+\w+)"
)

_SENTENCE = re.compile(r"-- [A-Z`].{10,}")


def test_no_statement_is_written_in_python() -> None:
    inline = [
        f"{named(path)}:{line}: {text[:60]!r}"
        for path in python_files("processor", "schemas")
        for line, text in _strings(path)
        if _STATEMENT.search(text)
    ]

    assert not inline


def test_every_sql_file_and_every_named_statement_begins_with_a_sentence() -> None:
    silent = [
        (named(path), part.splitlines()[0])
        for path in _sql_files()
        for part in _parts(text_of(path))
        if not _SENTENCE.match(part)
    ]

    assert not silent


def test_the_detector_sees_statements_and_no_prose() -> None:
    statements = (
        "SELECT 1",
        "\n  INSERT INTO a VALUES (1)",
        "UPDATE a SET b = 1",
        "WITH a AS (",
        "GRANT b TO c",
    )
    prose = ("Select the lane", "An UPDATE of", "UPDATE the row", "with a lane AS it was", "DELETE")

    assert all(_STATEMENT.search(text) for text in statements)
    assert not any(_STATEMENT.search(text) for text in prose)


def _parts(text: str) -> list[str]:
    """A file's statements, each from the line after its name; the whole file if its statements have no names."""
    first, *named_parts = re.split(r"^-- name: \w+\n", text, flags=re.MULTILINE)
    return named_parts or [first]


def _sql_files() -> list[Path]:
    return [path for path in project_files() if path.suffix == ".sql"]


def _strings(path: Path) -> list[tuple[int, str]]:
    """Every string of a module but its docstrings; of an f-string, its text before the first value."""
    tree = tree_of(path)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    ]


def test_the_program_works_with_the_schema_that_its_own_migrations_make() -> None:
    assert known_migrations()[-1].version == NEWEST_SCHEMA
    assert OLDEST_SCHEMA <= NEWEST_SCHEMA
