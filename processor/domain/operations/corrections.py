"""Corrections: a win that is taken back, and the amount by which play already settled is put right."""

from __future__ import annotations

from processor.domain.case import Case
from processor.domain.conversion import booked, conversion_of, wallet_currency
from processor.domain.correction_references import otherwise_paid_by
from processor.domain.decision import OK, Decision
from processor.domain.effects import Effect, RoundUnwon, WinReversed
from processor.domain.postings import GAMING, WIN_ACCOUNT, pay, paying_pool
from processor.domain.reversals import Reversal, told_shortfall


def reverse_win(case: Case) -> Decision:
    """Take back what a win paid, as far as it is there; its bet is open again."""
    win, reversal = case.win, case.reversal or Reversal()
    assert win is not None, "the reference guard lets only a paid win pass"
    currency, kind = win.moved_currency or "", win.kind or "game"
    account, wallet_minor = WIN_ACCOUNT[kind], sum(win.split.values())
    conversion = conversion_of(win, case.reference)
    effects: list[Effect] = [
        WinReversed(
            win.provider,
            case.win_key,
            case.bet_key if case.bet_mark is not None else None,
            wallet_minor,
            kind == "game",
            otherwise_paid_by(win),
        )
    ]
    split = reversal.split()
    told = told_shortfall(reversal, wallet_currency(win.details, currency) or "", case.reference)
    postings, moved_minor, from_house = reversal.postings, sum(split.values()), reversal.to_gaming()
    if conversion is not None:
        back = reversal.converted({account: wallet_minor}, {account: win.moved_minor})
        postings = booked(conversion, postings, back.items())
        from_house = back.get(GAMING, 0)
        told = (told or {}) | conversion.details(-back[account], moved_minor, case.reference)
        moved_minor = -back[account]
    if win.round_id is not None:
        rules = case.rules
        closed_it = rules.settlement == "per_round" and rules.wins_per_bet == "one" and kind == "game"
        effects.append(
            RoundUnwon(win.provider, win.round_id, win.game_id, currency, 1, from_house, reopened=closed_it)
        )
    return Decision(OK, postings, moved_minor, currency, split, tuple(effects), details=told)


def adjust(case: Case) -> Decision:
    """Pay what is owed to the player after all (a debt is repaid first), or take what he got too much."""
    command, bet_, conversion = case.command, case.bet, case.conversion
    currency, amount_minor = command.currency or "", command.amount_minor or 0
    told: dict[str, object] | None = None
    if amount_minor < 0:
        reversal = case.reversal or Reversal()
        postings, split = reversal.postings, reversal.split()
        told = told_shortfall(reversal, case.currency, case.reference)
        moved_minor = sum(split.values())
        if conversion is not None:
            back = reversal.converted({GAMING: -case.amount_minor}, {GAMING: -amount_minor})
            moved_minor = -back[GAMING]
    else:
        pool = paying_pool(bet_.split if bet_ is not None else None, case.rules)
        postings, moved_minor = pay(case.player, case.currency, GAMING, pool, case.amount_minor), amount_minor
        split = {paid.credit: paid.amount_minor for paid in postings}
    if conversion is not None:
        told = (told or {}) | conversion.details(moved_minor, sum(split.values()), case.reference)
        postings = booked(conversion, postings, ((GAMING, -moved_minor),))
    return Decision(OK, postings, moved_minor, currency, split, details=told)
