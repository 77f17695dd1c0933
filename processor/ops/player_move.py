"""What `croupier players move` does: a player goes to another partition with everything that is kept of him."""

from __future__ import annotations

from dataclasses import dataclass

from processor.errors import WrongUsage
from processor.kafka.producing import partition_for
from processor.ops.at_rest import NotAtRest, bring_to_rest
from processor.ops.desk import NotFound, open_desk
from processor.postgres.desk import players
from processor.settings import Settings


@dataclass(frozen=True, slots=True)
class Moved:
    """Who lives where now."""

    player_id: str
    from_partition: int | None
    to_partition: int


async def move_player(
    settings: Settings, player_id: str, partition: int | None, *, actor: str, why: str
) -> Moved:
    """Move a player; None moves him where the standard partitioner puts his key. Needs the owner's connection.

    Raises `desk.NotFound`, `at_rest.NotAtRest` (workers, or events of his that are parked), `errors.WrongUsage`.
    """
    async with open_desk(settings, owner=True) as desk:
        rest = await bring_to_rest(settings, desk)
        home = partition_for(player_id.encode(), rest.layout.partitions) if partition is None else partition
        if home >= rest.layout.partitions:
            raise WrongUsage(f"--partition {home}: there are {rest.layout.partitions}, counted from 0.")
        found = await players.find(desk, player_id)
        if found is None or found.partition is None:
            raise NotFound(f"Player {player_id} is not known: nobody has opened him.")
        if found.parked:
            raise NotAtRest(
                f"{found.parked} events of {player_id} are parked in partition {found.partition}: start a worker and "
                "let them be decided (`croupier parked list`), or discard them, before he moves."
            )
        before = await players.move(desk, player_id, home, home % rest.layout.shards, actor=actor, why=why)
    return Moved(player_id, before, home)
