"""Guards on references (10): what a rollback or a refund answers, by what is known of the bet it names."""

from __future__ import annotations

from processor.domain.case import Case
from processor.domain.decision import OK, Code, Decision
from processor.domain.effects import TombstoneSet
from processor.domain.keys import REFERENCED
from processor.domain.money import AmountError, parse_minor
from processor.domain.references import missing
from processor.domain.state import Outcome


def rollback_reference(case: Case) -> Decision | None:
    """10. Only a taken, unsettled bet is rolled back; an unknown one gets its tombstone."""
    case.find_bet()
    bet, mark = case.bet, case.bet_mark
    if bet is None:
        tombstone = TombstoneSet(case.command.provider, case.bet_key)
        code = OK if case.rules.rollback_unknown == "accept" else Code.BET_NOT_FOUND
        return Decision(code, effects=(tombstone,))
    if bet.code != OK and (bet.type in REFERENCED or bet.code == Code.ROLLED_BACK):
        return Decision(OK)
    if bet.type not in REFERENCED:
        return Decision(Code.NOT_ROLLBACKABLE)
    if mark is not None and mark.rolled_back:
        return Decision(Code.ALREADY_ROLLED_BACK)
    if mark is not None and mark.refunded_minor > 0:
        return Decision(Code.ALREADY_SETTLED)
    if case.rules.rollback_after_win == "refuse" and _is_settled(case, bet):
        return Decision(Code.ALREADY_SETTLED)
    if case.rules.rollback_amount == "must_match" and not _names_amount_of(case, bet):
        return Decision(Code.NOT_ROLLBACKABLE)
    return None


def refund_reference(case: Case) -> Decision | None:
    """10. Only a taken, unsettled bet is refunded, and never more than it took; an unknown one is waited for."""
    case.find_bet()
    bet, mark = case.bet, case.bet_mark
    if mark is not None and mark.rolled_back:
        return Decision(Code.ALREADY_ROLLED_BACK)
    if bet is None:
        return missing(case, case.bet_key, Decision(Code.BET_NOT_FOUND))
    if bet.type not in REFERENCED or bet.code != OK:
        return Decision(Code.BET_NOT_FOUND)
    if _is_settled(case, bet):
        return Decision(Code.ALREADY_SETTLED)
    amount_minor = _counted_as(case, bet)
    if amount_minor is None:
        return Decision(Code.WRONG_CURRENCY)
    refunded_minor = 0 if mark is None else mark.refunded_minor
    if refunded_minor + amount_minor > (bet.amount_minor or 0):
        return Decision(Code.REFUND_EXCEEDS_BET)
    case.returned_minor = amount_minor
    return None


def _counted_as(case: Case, bet: Outcome) -> int | None:
    """The refund's amount in the bet's currency; None where it is in another one, or has more decimals than it."""
    command = case.command
    if command.currency is not None:
        return command.amount_minor if command.currency == bet.currency else None
    try:
        return parse_minor(command.amount_text or "", case.reference.currencies.get(bet.currency or "", 0))
    except AmountError:
        return None


def _is_settled(case: Case, bet: Outcome) -> bool:
    """A bet is settled once a win names it or its round closed; a bet_win from birth."""
    mark = case.bet_mark
    if bet.type == "bet_win" or (mark is not None and mark.wins > 0):
        return True
    played = case.player.rounds.get((case.command.provider, bet.round_id or ""))
    return played is not None and played.closed_at is not None


def _names_amount_of(case: Case, bet: Outcome) -> bool:
    """Whether the rollback's amount, if it has one, is the bet's, by value and in the bet's own currency."""
    text = case.command.amount_text
    if text is None:
        return case.command.amount_minor is None or case.command.amount_minor == bet.amount_minor
    try:
        return parse_minor(text, case.reference.currencies.get(bet.currency or "", 0)) == bet.amount_minor
    except AmountError:
        return False
