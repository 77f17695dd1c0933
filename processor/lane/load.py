"""Step 5, load: the players of the batch under lock, then, in later statements, all that its decisions need.

Reading before locking takes a stake after its rollback (measured): READ COMMITTED gives each statement a fresh
snapshot, so only what is read after the lock is certain to stay true.
"""

from __future__ import annotations

from processor.domain.commands import Command
from processor.domain.profiles import Reference
from processor.domain.state import Books, Parked
from processor.domain.wants import want, want_queues
from processor.lane.decode import Door
from processor.lane.work import REPAIR, Arrival, Item
from processor.ports import LaneRequest, LedgerBatch, StoredRecord, Wanted
from schemas.reasons import Refused


async def load(
    transaction: LedgerBatch,
    items: list[Item],
    door: Door,
    reference: Reference,
    poisonous: dict[tuple[int, int], str],
) -> Books:
    """The locked state that this batch is decided over."""
    players = _players(items)
    if not players:
        return Books()
    books = await transaction.lock(players)
    wanted = Wanted()
    for item in items:
        if isinstance(item, Arrival) and item.command is not None:
            want(item.command, reference, wanted, books.players[item.command.player_id])
        elif isinstance(item, LaneRequest) and item.kind == REPAIR:
            wanted.repairs.add((item.player_id, item.target))
    for player in books.players.values():
        if player.queues:
            for queue in player.queues.values():
                for parked in queue:
                    parked.command = _parked_command(parked, door, poisonous)
            want_queues(player, reference, wanted)
    await transaction.read(books, wanted)
    return books


def _players(items: list[Item]) -> dict[str, int]:
    players: dict[str, int] = {}
    for item in items:
        if isinstance(item, Arrival):
            if item.command is not None:
                players[item.command.player_id] = item.command.partition
        else:
            players.setdefault(item.player_id, item.partition)
    return players


def _parked_command(parked: Parked, door: Door, poisonous: dict[tuple[int, int], str]) -> Command:
    """The command of a parked event; one that the door no longer opens counts as poison, and is not lost."""
    broker_milliseconds = round(parked.broker_time.timestamp() * 1000)
    record = StoredRecord(
        parked.partition, parked.offset, broker_milliseconds, parked.key, parked.value, parked.headers
    )
    try:
        return door.command(record)
    except Refused as refused:
        poisonous[(parked.partition, parked.offset)] = refused.detail
        return Command(
            "unreadable",
            parked.provider,
            parked.transaction_id,
            parked.player_id,
            parked.partition,
            parked.offset,
            parked.broker_time,
        )
