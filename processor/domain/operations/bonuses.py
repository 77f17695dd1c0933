"""Bonuses: granted from promotion, taken back when they expire, turned into cash once they are wagered."""

from __future__ import annotations

from processor.domain.case import Case
from processor.domain.decision import OK, Decision, Posting
from processor.domain.effects import Effect
from processor.domain.money import parse_minor
from processor.domain.player_effects import BonusEnded, BonusGranted
from processor.domain.postings import PROMOTION
from processor.domain.state import BONUS, CASH, Bonus


def grant_bonus(case: Case) -> Decision:
    """Bonus money from promotion, with what must be staked before it is the player's own."""
    command = case.command
    currency, amount_minor = command.currency or "", command.amount_minor or 0
    requirement = command.own_field("wagering_requirement")
    granted = Bonus(
        command.own_field("bonus_id") or "",
        currency,
        case.player.sequence + 1,
        0 if requirement is None else parse_minor(requirement, case.reference.currencies[currency]),
    )
    postings = (Posting(PROMOTION, BONUS, currency, amount_minor),) if amount_minor else ()
    split = {BONUS: amount_minor} if amount_minor else {}
    return Decision(OK, postings, amount_minor, currency, split, (BonusGranted(granted),))


def expire_bonus(case: Case) -> Decision:
    """Bonus money back to promotion, at most what is left; nothing counts for this bonus any more."""
    command = case.command
    currency = command.currency or ""
    taken_minor = min(command.amount_minor or 0, case.player.balance_minor(currency, BONUS))
    ended: tuple[Effect, ...] = (BonusEnded(command.own_field("bonus_id") or "", currency),)
    if not taken_minor:
        return Decision(OK, moved_currency=currency, effects=ended)
    postings = (Posting(BONUS, PROMOTION, currency, taken_minor),)
    return Decision(OK, postings, -taken_minor, currency, {BONUS: -taken_minor}, ended)


def release_bonus(case: Case) -> Decision:
    """Bonus money becomes cash. The player has no more and no less: the amount told is what became cash."""
    command = case.command
    currency, amount_minor = command.currency or "", command.amount_minor or 0
    left_minor = case.player.balance_minor(currency, BONUS) - amount_minor
    ended: tuple[Effect, ...] = ()
    if not left_minor:
        ended = (BonusEnded(command.own_field("bonus_id") or "", currency),)
    if not amount_minor:
        return Decision(OK, moved_currency=currency, effects=ended)
    postings = (Posting(BONUS, CASH, currency, amount_minor),)
    split = {CASH: amount_minor, BONUS: -amount_minor}
    return Decision(OK, postings, amount_minor, currency, split, ended)
