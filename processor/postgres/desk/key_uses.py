"""When each key was last used, for `croupier keys list`."""

from __future__ import annotations

from datetime import datetime

from processor.postgres.desk.desk import Desk


async def last_uses(desk: Desk) -> dict[str, datetime]:
    """By key id; a key that nobody has used is not there."""
    return {row["key_id"]: row["last_used_at"] for row in await desk.fetch("key_uses", "last")}
