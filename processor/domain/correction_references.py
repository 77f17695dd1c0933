"""Guards on references (10) and funds (13) of what takes a win back or puts settled play right."""

from __future__ import annotations

from processor.domain.case import Case
from processor.domain.conversion import convert_as, wallet_currency
from processor.domain.decision import OK, Code, Decision
from processor.domain.effects import Otherwise
from processor.domain.keys import REFERENCED
from processor.domain.postings import (
    GAMING,
    WIN_ACCOUNT,
    converted_amounts,
    converted_name,
    paying_pool,
)
from processor.domain.reversals import Paid, take_back
from processor.domain.state import CASH, DEBT, BetMark, Outcome


def reverse_win_reference(case: Case) -> Decision | None:
    """10. Only a paid win is taken back, once, and only where the provider's profile lets it."""
    case.find_win()
    win, mark, bet_mark = case.win, case.win_mark, case.bet_mark
    if win is None or (win.type == "win" and win.code != OK):
        return Decision(Code.BET_NOT_FOUND)
    if (mark is not None and mark.rolled_back) or (bet_mark is not None and bet_mark.rolled_back):
        return Decision(Code.ALREADY_ROLLED_BACK)
    if win.type != "win" or case.rules.win_reversal == "refuse":
        return Decision(Code.NOT_ROLLBACKABLE)
    return None


def adjust_reference(case: Case) -> Decision | None:
    """10. What an adjustment names, if it names anything, is play that was accepted and stands."""
    command = case.command
    if command.reference is None:
        return None
    case.find_bet()
    case.find_win()
    found = case.bet if case.bet is not None and case.bet.type in REFERENCED else case.win
    if found is None or found.type not in (*REFERENCED, "win") or found.code != OK:
        return Decision(Code.BET_NOT_FOUND)
    marks = (case.bet_mark, case.win_mark)
    if any(mark is not None and mark.rolled_back for mark in marks):
        return Decision(Code.ALREADY_ROLLED_BACK)
    if found.currency != command.currency:
        return Decision(Code.WRONG_CURRENCY)
    convert_as(case, found)
    return None


def reversal_funds(case: Case) -> Decision | None:
    """13. What is to be taken back is not there, and the provider's profile lets nothing be missing."""
    currency, paid = _to_be_taken_back(case)
    if not paid:
        return None
    balances = {pool: case.player.balance_minor(currency, pool) for pool in {one.pool for one in paid}}
    if case.command.type == "rollback" and case.bet is not None:  # the stake is given back before
        for pool, part in case.bet.stake_parts():
            balances[pool] = balances.get(pool, 0) + part
    reversal = take_back(balances, currency, paid, case.rules)
    if reversal is None:
        return Decision(Code.INSUFFICIENT_FUNDS)
    case.reversal = reversal
    return None


def _to_be_taken_back(case: Case) -> tuple[str, list[Paid]]:
    """The currency, and what was paid in it."""
    command, mark = case.command, case.bet_mark
    if command.type == "adjust":
        return case.currency, _adjusted(case)
    if command.type == "reverse_win":
        assert case.win is not None, "the reference guard lets only a paid win pass"
        return wallet_currency(case.win.details, case.win.moved_currency) or "", paid_by_win(case)
    if case.bet is None or mark is None or not mark.wins:
        return "", []
    return wallet_currency(case.bet.details, case.bet.moved_currency) or "", paid_upon(case, mark)


def paid_by_win(case: Case) -> list[Paid]:
    """What the win paid. What repaid a debt is taken from the pool that the rest went to."""
    win = case.win
    assert win is not None, "the reference guard lets only a paid win pass"
    paid_minor = sum(win.split.values())
    if not paid_minor:
        return []
    pool = next((pool for pool in win.split if pool != DEBT), paying_pool(None, case.rules))
    return [Paid(WIN_ACCOUNT[win.kind or "game"], pool, paid_minor)]


def otherwise_paid_by(win: Outcome) -> Otherwise:
    """Those parts of a paid win that did not go from the gaming account to cash, as the mark of its bet has them."""
    account = WIN_ACCOUNT[win.kind or "game"]
    parts = [(f"{account}>{pool}", part) for pool, part in win.split.items()]
    if wallet_currency(win.details, win.moved_currency) != win.moved_currency and win.moved_minor:
        parts.append((converted_name(account), win.moved_minor))
    return tuple([part for part in parts if part[0] != f"{GAMING}>{CASH}"])


def paid_upon(case: Case, mark: BetMark) -> list[Paid]:
    """What all wins of a bet paid, the largest part of the money from gaming to cash first."""
    assert case.bet is not None, "only a known bet has wins"
    kept = mark.paid_otherwise or {}
    converted = {converted_name(account) for account in converted_amounts(kept)}
    otherwise = {name: minor for name, minor in kept.items() if name not in converted}
    simple_minor = mark.won_minor - sum(otherwise.values())
    paid = [Paid(GAMING, CASH, simple_minor)] if simple_minor else []
    fallback = paying_pool(case.bet.split, case.rules)
    for name, amount_minor in sorted(otherwise.items()):
        account, _, pool = name.partition(">")
        paid.append(Paid(account, fallback if pool == DEBT else pool, amount_minor))
    return paid


def _adjusted(case: Case) -> list[Paid]:
    amount_minor = case.amount_minor
    if amount_minor >= 0:
        return []
    pool = paying_pool(case.bet.split if case.bet is not None else None, case.rules)
    return [Paid(GAMING, pool, -amount_minor)]
