"""The proof of the seals: the chain of every lane is walked, each link computed again from the stored columns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from processor.domain.seal import entry_line, outcome_line, seal
from processor.domain.state import Entry
from processor.postgres.audit_report import Lane, Mark, Progress, Proof
from processor.postgres.connection import Connection
from processor.postgres.read_rows import outcome_of
from processor.postgres.statements import statements

_FIRST_SEAL = bytes(32)
_PREFETCH = 2000
_OUTCOME_COLUMNS = slice(4, 29)
_ENTRY_COLUMNS = slice(29, None)

Batch = tuple[int, int, int]


async def prove_seals(
    connection: Connection, mark: Mark, since: Any, outcomes: int, progress: Progress
) -> tuple[Proof, dict[Lane, tuple[int, bytes]]]:
    """Walk the chains beyond the mark; also how far each lane's chain goes now, by its stored seals."""
    sql = statements("audit")
    ends = dict(mark.lanes)
    fault = await _moved_mark(connection, mark)
    batches = _lines_by_batch(connection.cursor(sql["sealed"], *mark.arguments(), since, prefetch=_PREFETCH))
    waiting = await anext(batches, None)
    done = 0
    async for layout, lane, seq, previous, stored, count in connection.cursor(
        sql["seals"], *mark.arguments(), prefetch=_PREFETCH
    ):
        name: Batch = (layout, lane, seq)
        while waiting is not None and waiting[0] < name:
            fault = fault or f"batch {_named(waiting[0])} has decisions but no seal"
            waiting = await anext(batches, None)
        decisions, lines = 0, list[str]()
        if waiting is not None and waiting[0] == name:
            _, decisions, lines = waiting
            waiting = await anext(batches, None)
        before_seq, before = ends.get((layout, lane), (0, _FIRST_SEAL))
        fault = fault or _broken(name, before_seq, before, previous, stored, count, decisions, lines)
        ends[(layout, lane)] = (seq, stored)
        done += decisions
        progress("seals", done, outcomes)
    if waiting is not None:
        fault = fault or f"batch {_named(waiting[0])} has decisions but no seal"
    return Proof("seals", "each seal follows from the last and from what it seals", done, fault), ends


async def _moved_mark(connection: Connection, mark: Mark) -> str | None:
    """Whether the seals up to which the books were proved are still there."""
    for (layout, lane), (seq, proved) in mark.lanes.items():
        stored = await connection.fetchval(statements("audit")["seal_of"], layout, lane, seq)
        if seq and stored != proved:
            return f"batch {_named((layout, lane, seq))} had another seal when it was proved"
    return None


def _broken(
    name: Batch,
    before_seq: int,
    before: bytes,
    previous: bytes,
    stored: bytes,
    count: int,
    decisions: int,
    lines: list[str],
) -> str | None:
    """What is wrong with one link, None where it holds."""
    if name[2] != before_seq + 1:
        return f"batch {_named(name)} follows batch {before_seq}: a seal is missing"
    if previous != before:
        return f"the seal of batch {_named(name)} does not name the seal before it"
    if decisions != count:
        return f"batch {_named(name)} sealed {count} decisions, {decisions} are stored"
    if seal(previous, lines) != stored:
        return f"the seal of batch {_named(name)} does not fit what is stored: a decision or an entry was changed"
    return None


async def _lines_by_batch(rows: Any) -> AsyncIterator[tuple[Batch, int, list[str]]]:
    """How many decisions each batch has, and its lines as they were sealed; entries stand with the first decision of
    their sequence."""
    batch: Batch | None = None
    decisions, lines, seen = 0, list[str](), set[tuple[str, int]]()
    async for first, entries in _with_entries(rows):
        name = (first[0], first[1], first[2])
        if name != batch:
            if batch is not None:
                yield batch, decisions, lines
            batch, decisions, lines, seen = name, 0, [], set()
        outcome = outcome_of(first[_OUTCOME_COLUMNS], first["player_id"])
        owner = (outcome.player_id, outcome.sequence)
        decisions += 1
        lines.append(f"{outcome.player_id}\t{outcome_line(outcome)}")
        lines += [] if owner in seen else map(entry_line, entries)
        seen.add(owner)
    if batch is not None:
        yield batch, decisions, lines


async def _with_entries(rows: Any) -> AsyncIterator[tuple[Any, list[Entry]]]:
    """Each decision's first row, with the entries of all its rows."""
    first: Any = None
    entries: list[Entry] = []
    async for row in rows:
        if first is None or row[:4] != first[:4]:
            if first is not None:
                yield first, entries
            first, entries = row, []
        if row["leg"] is not None:
            entries.append(_entry(row))
    if first is not None:
        yield first, entries


def _entry(row: Any) -> Entry:
    (leg, provider, currency, amount, debit, credit, debit_after, debit_version, credit_after,
     credit_version) = row[_ENTRY_COLUMNS]  # fmt: skip
    return Entry(
        row["player_id"],
        row["sequence"],
        leg,
        provider,
        currency,
        int(amount),
        debit,
        credit,
        None if debit_after is None else int(debit_after),
        debit_version,
        None if credit_after is None else int(credit_after),
        credit_version,
    )


def _named(batch: Batch) -> str:
    return "/".join(map(str, batch))
