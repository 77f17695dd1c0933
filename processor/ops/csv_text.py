"""CSV for spreadsheets: a header line, and no text that a spreadsheet would take for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence


def csv_text(columns: Sequence[str], lines: Iterable[Mapping[str, object]]) -> str:
    """These columns of the lines, in order; what a line does not have stays empty."""
    written = io.StringIO()
    writer = csv.DictWriter(written, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for line in lines:
        writer.writerow({name: _harmless(value) for name, value in line.items()})
    return written.getvalue()


def _harmless(value: object) -> object:
    """A text that a spreadsheet would take for a formula is given an apostrophe; amounts stay as they are."""
    if isinstance(value, str) and value[:1] in ("=", "+", "@", "\t", "\r"):
        return "'" + value
    return value
