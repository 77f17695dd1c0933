"""The cashier: deposits and withdrawals of cash."""

from __future__ import annotations

from processor.domain.case import Case
from processor.domain.decision import OK, Decision, Posting
from processor.domain.postings import DEPOSITS, WITHDRAWALS, pay
from processor.domain.state import CASH


def deposit(case: Case) -> Decision:
    """Money comes in; what the player owes is repaid first."""
    command = case.command
    currency, amount_minor = command.currency or "", command.amount_minor or 0
    postings = pay(case.player, currency, DEPOSITS, CASH, amount_minor)
    split = {posting.credit: posting.amount_minor for posting in postings}
    return Decision(OK, postings, amount_minor, currency, split)


def withdraw(case: Case) -> Decision:
    """Cash goes out; bonus money and game wallets cannot be withdrawn."""
    command = case.command
    currency, amount_minor = command.currency or "", command.amount_minor or 0
    if amount_minor == 0:
        return Decision(OK, moved_currency=currency)
    posting = Posting(CASH, WITHDRAWALS, currency, amount_minor)
    return Decision(OK, (posting,), -amount_minor, currency, {CASH: -amount_minor})
