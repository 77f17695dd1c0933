"""Corrections: a win that is taken back, and the amount by which play already settled is put right."""

from __future__ import annotations

from processor.domain.case import Case
from processor.domain.correction_references import otherwise_paid_by
from processor.domain.decision import OK, Decision
from processor.domain.effects import Effect, RoundUnwon, WinReversed
from processor.domain.postings import GAMING, pay, paying_pool
from processor.domain.reversals import Reversal, told_shortfall


def reverse_win(case: Case) -> Decision:
    """Take back what a win paid, as far as it is there; its bet is open again."""
    win, reversal = case.win, case.reversal or Reversal()
    assert win is not None, "the reference guard lets only a paid win pass"
    currency, kind = win.moved_currency or "", win.kind or "game"
    effects: list[Effect] = [
        WinReversed(
            win.provider,
            case.win_key,
            case.bet_key if case.bet_mark is not None else None,
            win.moved_minor,
            kind == "game",
            otherwise_paid_by(win),
        )
    ]
    if win.round_id is not None:
        rules = case.rules
        closed_it = rules.settlement == "per_round" and rules.wins_per_bet == "one" and kind == "game"
        effects.append(
            RoundUnwon(
                win.provider, win.round_id, win.game_id, currency, 1, reversal.to_gaming(), reopened=closed_it
            )
        )
    split = reversal.split()
    told = told_shortfall(reversal, currency, case.reference)
    return Decision(OK, reversal.postings, sum(split.values()), currency, split, tuple(effects), details=told)


def adjust(case: Case) -> Decision:
    """Pay what is owed to the player after all (a debt is repaid first), or take what he got too much."""
    command, bet_ = case.command, case.bet
    currency, amount_minor = command.currency or "", command.amount_minor or 0
    if amount_minor < 0:
        reversal = case.reversal or Reversal()
        split, told = reversal.split(), told_shortfall(reversal, currency, case.reference)
        return Decision(OK, reversal.postings, sum(split.values()), currency, split, details=told)
    pool = paying_pool(bet_.split if bet_ is not None else None, case.rules)
    postings = pay(case.player, currency, GAMING, pool, amount_minor)
    return Decision(
        OK, postings, amount_minor, currency, {paid.credit: paid.amount_minor for paid in postings}
    )
