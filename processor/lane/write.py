"""Step 7, write: what was decided goes into the open transaction, with one journal row of all it will publish."""

from __future__ import annotations

from processor.lane import journal
from processor.lane.decide import Bench, Decided
from processor.ports import LedgerBatch, Written


async def write(transaction: LedgerBatch, decided: Decided, bench: Bench) -> None:
    """Store the batch. Raises `errors.LedgerRefusedData`, `errors.LaneRace`, `errors.LedgerUnavailable`."""
    books = decided.books
    await transaction.write(
        Written(
            decided_at=bench.decided_at,
            books=books,
            outcomes=books.new_outcomes,
            outcome_lines=decided.outcome_lines,
            entries=books.new_entries,
            entry_lines=decided.entry_lines,
            house=decided.house,
            dead_letters=decided.dead_letters,
            requests_done=decided.requests_done,
            journal=journal.encode(decided.shared_headers, decided.rendered),
            records=len(decided.rendered),
            seal=decided.seal,
            previous_seal=bench.previous_seal,
            revision=bench.reference.revision,
        )
    )
