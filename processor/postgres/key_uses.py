"""When senders' keys were last used, as workers saw it: ids and times, nothing of the keys themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from processor.errors import LedgerUnavailable, PostgresUnreachable
from processor.postgres.connection import opened
from processor.postgres.statements import statements


class KeyUse(NamedTuple):
    """What a worker saw of one key since it last told."""

    key_id: str
    owner: str
    last_used_at: datetime
    uses: int


async def note_key_uses(dsn: str, uses: Sequence[KeyUse]) -> None:
    """Add these uses to the table. Raises `errors.LedgerUnavailable`, `errors.NotMigrated`."""
    by_id = sorted(uses)
    columns = [list(column) for column in zip(*by_id, strict=True)]
    try:
        async with opened(dsn) as connection:
            await connection.execute(statements("key_uses")["note"], *columns)
    except PostgresUnreachable as error:
        raise LedgerUnavailable(str(error)) from error
