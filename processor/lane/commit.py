"""Step 8, commit: from here the batch is a fact, and so is every byte that will be published for it."""

from __future__ import annotations

from processor.errors import CommitUnknown, LedgerUnavailable, LedgerWentBack
from processor.lane.patience import Patience
from processor.lane.work import Position
from processor.ports import Ledger, LedgerBatch


async def commit(transaction: LedgerBatch, ledger: Ledger, position: Position, patience: Patience) -> None:
    """Commit; where the answer was lost, the lane's row says whether it happened.

    Raises `errors.LedgerUnavailable` when it did not (do the batch again), `errors.LeaseLost`,
    `errors.LedgerWentBack` when the row shows neither this batch nor the one before.
    """
    try:
        await transaction.commit()
    except CommitUnknown as lost:
        await _ask(ledger, position, patience, lost)


async def _ask(ledger: Ledger, position: Position, patience: Patience, lost: CommitUnknown) -> None:
    async for attempt in patience.attempts(lambda: False):
        with attempt:
            row = await ledger.confirm_lane(position.layout, position.lane, position.epoch)
    seq = position.applied_seq + 1
    if row.applied_seq == seq:
        return
    if row.applied_seq == position.applied_seq:
        raise LedgerUnavailable(f"batch {seq} of lane {position.lane} was not committed: {lost}") from lost
    raise LedgerWentBack(
        f"lane {position.lane} stands at batch {row.applied_seq}, where only {position.applied_seq} or {seq} can be"
    )
