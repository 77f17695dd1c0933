"""Seals: a chain of hashes over each lane's batches, so that a later change of what was decided is noticed.

Every line is made of stored columns alone (texts and integers, nothing erasable), so that an auditor writes the
same bytes again from the database.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from processor.domain.state import Entry, Outcome


def seal(previous: bytes, lines: Iterable[bytes]) -> bytes:
    """The next link: 32 bytes over the previous one and the batch's lines, in their order."""
    digest = sha256(previous)
    digest.update(b"\n".join(lines))
    return digest.digest()


def outcome_line(outcome: Outcome, entries: Iterable[Entry] = ()) -> bytes:
    """An outcome and its entries (in the order of legs) in canonical bytes.

    U+001F parts the columns, U+001E the rows: no id contains either but a stored key, which stands last.
    """
    o = outcome
    line = (
        f"{o.wallet_transaction_id}\x1f{o.provider}\x1f{o.transaction_id}\x1f{o.player_id}\x1f{o.sequence}\x1f{o.type}"
        f"\x1f{o.code}\x1f{o.currency}\x1f{o.amount_minor}\x1f{o.amount_text}\x1f{o.game_id}\x1f{o.round_id}"
        f"\x1f{o.session_id}\x1f{o.reference}\x1f{o.kind}\x1f{o.moved_minor}\x1f{o.moved_currency}\x1f{o.partition}"
        f"\x1f{o.offset}\x1f{o.key}"
    )
    for name, text in o.own:
        line += f"\x1e{name}={text}"
    for e in entries:
        line += (
            f"\x1e{e.leg}\x1f{e.debit}\x1f{e.credit}\x1f{e.currency}\x1f{e.amount_minor}"
            f"\x1f{e.debit_balance_after_minor}\x1f{e.debit_version}"
            f"\x1f{e.credit_balance_after_minor}\x1f{e.credit_version}"
        )
    return line.encode()
