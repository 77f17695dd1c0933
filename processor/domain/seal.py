"""Seals: a chain of hashes over each lane's batches, so that a later change of what was decided is noticed.

What is hashed are the lines that are stored: every outcome and every entry has one text of its columns, which the
ledger writes as it is and the auditor makes again from the stored columns.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256

from processor.domain.state import CASH, Entry, Outcome


def seal(previous: bytes, sealed: Iterable[str]) -> bytes:
    """The next link: 32 bytes over the previous one and the batch's lines, in their order."""
    digest = sha256(previous)
    digest.update("\n".join(sealed).encode("utf-8", "surrogatepass"))
    return digest.digest()


def sealed_lines(
    outcomes: Sequence[Outcome], lines: Sequence[str], entries: Sequence[Entry], entry_lines: Sequence[str]
) -> list[str]:
    """Each outcome's line, with its player's id before it and its entries' lines behind it.

    ``entries`` are in the order of decision, so each outcome's are the next ones. Raises AssertionError where an
    entry belongs to no outcome.
    """
    sealed: list[str] = []
    at, count = 0, len(entries)
    for outcome, line in zip(outcomes, lines, strict=True):
        player_id, sequence = outcome.player_id, outcome.sequence
        sealed.append(f"{player_id}\t{line}")
        while at < count and entries[at].sequence == sequence and entries[at].player_id == player_id:
            sealed.append(entry_lines[at])
            at += 1
    assert at == count, "an entry belongs to no outcome of its batch"
    return sealed


def outcome_line(o: Outcome) -> str:
    """The stored columns of an outcome that are its own, parted by tabs, nothing where there is none.

    The provider and the key come first: sorting lines sorts by them. No id, code or amount has a tab or is empty.
    """
    return (
        f"{o.provider}\t{o.key}\t{o.transaction_id}\t{o.wallet_transaction_id}\t{o.sequence}\t{o.type}\t{o.code}"
        f"\t{o.currency or ''}\t{'' if o.amount_minor is None else o.amount_minor}\t{o.amount_text or ''}"
        f"\t{o.game_id or ''}\t{o.round_id or ''}\t{o.session_id or ''}\t{o.reference or ''}\t{o.kind or ''}"
        f"\t{_json(o.own) if o.own else ''}\t{o.moved_minor}\t{o.moved_currency or ''}"
        f"\t{_split(o) if o.split or o.moved_minor else ''}\t{'' if o.details is None else _json(o.details)}"
        f"\t{o.partition}\t{o.offset}"
    )


def entry_line(e: Entry) -> str:
    """The stored columns of an entry that are its own, parted by tabs, nothing where there is none."""
    return (
        f"{e.leg}\t{e.provider}\t{e.currency}\t{e.amount_minor}\t{e.debit}\t{e.credit}"
        f"\t{'' if e.debit_version is None else e.debit_balance_after_minor}"
        f"\t{'' if e.debit_version is None else e.debit_version}"
        f"\t{'' if e.credit_version is None else e.credit_balance_after_minor}"
        f"\t{'' if e.credit_version is None else e.credit_version}"
    )


def _split(outcome: Outcome) -> str:
    """JSON, or nothing where all that moved is cash."""
    split = outcome.split
    if len(split) == 1 and outcome.moved_minor and split.get(CASH) == outcome.moved_minor:
        return ""
    return _json(split)


def _json(value: object) -> str:
    """JSON in its shortest form; integers stay exact, control characters are escaped."""
    return json.dumps(value, separators=(",", ":"), default=str)
