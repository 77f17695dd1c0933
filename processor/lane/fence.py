"""Step 4, fence: the first statement of the transaction is a compare-and-set of the lane's row.

The row's epoch, its last applied batch and every next offset must be what this lane remembers. Anything else means
another owner, or a database that went back in time. It also forgets the journal that Kafka is known to hold (step 11).
"""

from __future__ import annotations

from processor.lane.work import Item, Position
from processor.ports import LaneMove, LedgerBatch


async def fence(transaction: LedgerBatch, position: Position, items: list[Item]) -> dict[int, int]:
    """Move the lane's row by one batch; the offsets it moves to. Raises `errors.LeaseLost`, `errors.LedgerWentBack`."""
    moved = position.after(items)
    await transaction.fence(
        LaneMove(
            position.layout,
            position.lane,
            position.epoch,
            position.applied_seq,
            position.next_offsets,
            moved,
            position.published_seq,
        )
    )
    return moved
