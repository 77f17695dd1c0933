"""The forms in which what was found can be written."""

from __future__ import annotations

from enum import StrEnum


class Format(StrEnum):
    """How a list is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
