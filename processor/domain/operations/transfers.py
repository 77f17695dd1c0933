"""Transfers: cash moves to the player's game wallet at a provider, and back; open bets stay where they are."""

from __future__ import annotations

from processor.domain.case import Case
from processor.domain.decision import OK, Decision, Posting
from processor.domain.postings import GAMING
from processor.domain.state import CASH, game_pool
from processor.domain.transfers import amount_out_minor, reported_details, reported_difference_minor


def transfer_in(case: Case) -> Decision:
    """Cash into the game wallet, where it can be staked at this provider and nowhere else."""
    command = case.command
    return _moved(case, CASH, game_pool(command.provider), -(command.amount_minor or 0), ())


def transfer_out(case: Case) -> Decision:
    """Money of the game wallet back to cash.

    Where the provider's figure is the truth, the difference is booked before it as what was won or lost in play.
    """
    command = case.command
    pool, difference_minor = game_pool(command.provider), reported_difference_minor(case)
    settlement: tuple[Posting, ...] = ()
    if difference_minor > 0:
        settlement = (Posting(GAMING, pool, command.currency or "", difference_minor),)
    elif difference_minor < 0:
        settlement = (Posting(pool, GAMING, command.currency or "", -difference_minor),)
    decision = _moved(case, pool, CASH, amount_out_minor(case), settlement)
    decision.details = reported_details(case)
    return decision


def _moved(case: Case, debit: str, credit: str, moved_minor: int, before: tuple[Posting, ...]) -> Decision:
    """The amount is told as the change of cash, the split as that of each pool."""
    currency = case.command.currency or ""
    postings = before
    if moved_minor:
        postings = (*before, Posting(debit, credit, currency, abs(moved_minor)))
    split: dict[str, int] = {}
    for posting in postings:
        for pool, change in ((posting.debit, -posting.amount_minor), (posting.credit, posting.amount_minor)):
            if pool in (debit, credit):
                split[pool] = split.get(pool, 0) + change
    return Decision(OK, postings, moved_minor, currency, split)
