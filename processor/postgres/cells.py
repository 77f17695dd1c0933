"""Columns as joined text: how the rows of a batch travel to the statements that take them apart with ``cells()``.

The driver encodes an array by asking of each element whether it is itself an array, which costs more than everything
else a batch does here (measured: 0.7 microseconds for each of some sixty values of an event). Joining texts costs a
tenth of that. No id, code or amount may contain the two parting characters, and JSON escapes them; a value that has
one all the same is refused like any other data that cannot be stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from processor.errors import LedgerRefusedData

PARTING = "\x1d"
NOTHING = "\x1e"


def cells(column: Sequence[Any]) -> str | None:
    """One column as text; None where it has nothing but None. Raises `errors.LedgerRefusedData`."""
    nothings = 0
    try:
        joined = PARTING.join(column)
    except TypeError:
        nothings = column.count(None)
        if nothings == len(column):
            return None
        if nothings:
            joined = PARTING.join([NOTHING if value is None else str(value) for value in column])
        else:
            joined = PARTING.join(map(str, column))
    if joined.count(PARTING) != len(column) - 1 or joined.count(NOTHING) != nothings:
        raise LedgerRefusedData(
            "a value has a control character (U+001D or U+001E) that the ledger keeps for itself"
        )
    return joined


def turned(rows: Iterable[Sequence[Any]]) -> list[str | None]:
    """Rows as the columns of a statement; there is at least one row."""
    return [cells(column) for column in zip(*rows, strict=True)]


def columns_of(rows: Sequence[Sequence[Any]], count: int) -> list[str | None]:
    """As `turned`, for a statement that also runs where it has none of these rows: then all columns are None."""
    return turned(rows) if rows else [None] * count


def storable(text: str | None) -> str | None:
    """A text for people, with what Postgres would refuse (or we keep for ourselves) made visible instead."""
    if text is None or text.isprintable():
        return text
    return "".join(each if each.isprintable() or each == "\n" else repr(each)[1:-1] for each in text)
