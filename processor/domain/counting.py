"""Counting: what a decision's postings add to, and give back of, what the player's limits are measured by.

Told from the postings alone, so that every type that takes stakes or pays winnings is counted alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from processor.domain.case import Case
from processor.domain.commands import STAKE_TAKING
from processor.domain.decision import Posting
from processor.domain.periods import day_number
from processor.domain.postings import DEPOSITS, GAMING, HOUSE_ACCOUNTS, JACKPOT, TOURNAMENT
from processor.domain.state import BONUS, CASH, Account, Outcome, Player
from processor.domain.usage import DEPOSITED, STAKED, WAGERED, WON, Usage

#: The house's accounts that pay winnings (kinds game, free_round, jackpot, tournament).
WINNINGS: Final = frozenset({GAMING, JACKPOT, TOURNAMENT})

#: Types that count on the day they come, and those that give back to the day of what they refer to. What a provider
#: says was lost in play (``transfer_out``) is a loss; how much was staked for it nobody knows.
COUNTS: Final = STAKE_TAKING | {"win", "deposit", "transfer_out"}
GIVES_BACK: Final = frozenset({"rollback", "refund", "reverse_win"})


def count_usage(case: Case, postings: Iterable[Posting]) -> None:
    """Count what is booked: stakes, winnings, deposits; what is given back, on the day that it came from."""
    type_ = case.command.type
    if type_ in COUNTS:
        day = day_number(case.player.time_zone, case.moment.broker_time)
        for posting in postings:
            _count(case.player, posting, day, is_stake=type_ != "transfer_out")
    elif type_ in GIVES_BACK:
        undone = case.win if type_ == "reverse_win" else case.bet
        if undone is None:
            return
        day = day_number(case.player.time_zone, _came_at(undone, case))
        for posting in postings:
            _give_back(case.player, posting, day)


def _came_at(outcome: Outcome, case: Case) -> datetime:
    """When an event came; one that was stored without it counts as of when it was decided."""
    return outcome.broker_time or outcome.decided_at or case.moment.broker_time


def _count(player: Player, posting: Posting, day: int, *, is_stake: bool) -> None:
    debit, credit, amount_minor = posting.debit, posting.credit, posting.amount_minor
    if debit in HOUSE_ACCOUNTS and credit in HOUSE_ACCOUNTS:
        return  # the house's side of a conversion
    account, usage = _usage_of(player, posting.currency)
    if debit not in HOUSE_ACCOUNTS:
        if credit not in HOUSE_ACCOUNTS:
            return  # from one pool of the player's to another
        day = max(day, usage.day)  # a stake that waited counts where limits are watched now
        if is_stake:
            usage.count(day, WAGERED, amount_minor)
        if debit != BONUS:
            usage.count(day, STAKED, amount_minor)
    elif debit == DEPOSITS:
        usage.count(max(day, usage.day), DEPOSITED, amount_minor)
    elif debit in WINNINGS and credit != BONUS:
        usage.count(day, WON, amount_minor)
    account.changed = True


def _give_back(player: Player, posting: Posting, day: int) -> None:
    debit, credit, amount_minor = posting.debit, posting.credit, posting.amount_minor
    if debit in HOUSE_ACCOUNTS and credit in HOUSE_ACCOUNTS:
        return
    account, usage = _usage_of(player, posting.currency)
    if credit not in HOUSE_ACCOUNTS:
        usage.count(day, WAGERED, -amount_minor)
        if credit != BONUS:
            usage.count(day, STAKED, -amount_minor)
    elif credit in WINNINGS and debit != BONUS:
        usage.count(day, WON, -amount_minor)
    account.changed = True


def _usage_of(player: Player, currency: str) -> tuple[Account, Usage]:
    """The cash account of a currency, which keeps its usage."""
    account = player.account(currency, CASH)
    if account.usage is None:
        account.usage = Usage()
    return account, account.usage
