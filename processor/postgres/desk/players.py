"""Where players live, and moving one: only while no lane works, with the owner's rights."""

from __future__ import annotations

from typing import NamedTuple

from processor.postgres.desk.actions import note
from processor.postgres.desk.desk import Desk

_FILE = "desk_players"


class Home(NamedTuple):
    """Where a player lives (None: nobody opened him; below 0: to be learned again), and how many events of his wait."""

    partition: int | None
    parked: int


async def find(desk: Desk, player_id: str) -> Home | None:
    """Where a player lives; None where he is not known."""
    row = await desk.one(_FILE, "home", player_id)
    return None if row is None else Home(row["event_partition"], int(row["parked"]))


async def move(desk: Desk, player_id: str, partition: int, shard: int, *, actor: str, why: str) -> int | None:
    """Move a player with all that is kept of him, and note the act; where he lived before."""
    async with desk.transaction():
        row = await desk.one(_FILE, "move", player_id, partition, shard)
        assert row is not None
        before: int | None = row["before"]
        details = f"partition {before} -> {partition}"
        await note(
            desk, actor=actor, action="players.move", target=f"player/{player_id}", why=why, details=details
        )
    return before
