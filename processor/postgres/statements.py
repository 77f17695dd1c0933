"""Statements by name: reads ``sql/*.sql``, where each has its name and a sentence that says what it is for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


class UndescribedStatement(Exception):
    """A statement without a sentence beneath its name."""


@cache
def statements(file: str) -> Mapping[str, str]:
    """The statements of ``sql/{file}.sql``, by name, without their trailing semicolons.

    Raises `UndescribedStatement` where the line after a name is not a comment with a sentence.
    """
    text = resources.files("processor.postgres").joinpath(f"sql/{file}.sql").read_text("utf-8")
    _, *parts = _NAME.split(text)
    found = dict(zip(parts[::2], (part.strip().rstrip(";") for part in parts[1::2]), strict=True))
    for name, statement in found.items():
        if not statement.startswith("-- "):
            raise UndescribedStatement(f"{file}.sql: say in a comment what the statement {name} is for")
    return MappingProxyType(found)
