"""Rows in COPY's text form: how what is only ever inserted travels to its table, the fastest way there is.

Nothing stands for NULL, since no text that is stored is empty. No stored text has a tab or a line's end; one that
does all the same is refused like any other data that cannot be stored.
"""

from __future__ import annotations

from collections.abc import Sequence

from processor.errors import LedgerRefusedData


def copy_text(rows: Sequence[str], columns: int) -> bytes:
    """The rows, each of so many columns parted by tabs. Raises `errors.LedgerRefusedData`."""
    joined = "\n".join(rows)
    if (
        joined.count("\t") != len(rows) * (columns - 1)
        or joined.count("\n") != len(rows) - 1
        or "\r" in joined
    ):
        raise LedgerRefusedData("a value has a control character that the ledger cannot store")
    try:
        return (joined.replace("\\", "\\\\") + "\n").encode()
    except UnicodeEncodeError as error:
        raise LedgerRefusedData(f"a value is no text that the ledger can store: {error.reason}") from error
