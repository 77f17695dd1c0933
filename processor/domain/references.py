"""Guards on references (10): what a win or a rollback answers, by what is known of the bet it names."""

from __future__ import annotations

from processor.domain.case import Case
from processor.domain.decision import OK, Code, Decision
from processor.domain.effects import TombstoneSet
from processor.domain.keys import REFERENCED, ROUND_PREFIX
from processor.domain.money import AmountError, parse_minor
from processor.domain.state import Outcome


def win_reference(case: Case) -> Decision | None:
    """10. The bet that a win names must have been taken, and not been given back."""
    case.find_bet()
    mark, bet = case.bet_mark, case.bet
    if mark is not None and mark.rolled_back:
        return Decision(Code.ROLLED_BACK)
    if bet is None:
        return _win_without_bet(case)
    if bet.type not in REFERENCED:
        case.bet = None  # the id is known, and no bet's: none can come under it
        case.may_wait = False
        return _win_without_bet(case)
    if bet.code != OK:
        return Decision(Code.BET_NOT_FOUND)
    return _win_on_taken_bet(case, bet)


def _win_on_taken_bet(case: Case, bet: Outcome) -> Decision | None:
    command, mark = case.command, case.bet_mark
    if bet.currency != command.currency:
        return Decision(Code.WRONG_CURRENCY)
    is_game = command.kind == "game"
    if is_game and bet.round_id != command.round_id:
        return _bet_not_found()
    if mark is None:
        return None
    if bet.moved_minor and mark.refunded_minor >= -bet.moved_minor:
        return Decision(Code.ALREADY_SETTLED)
    if is_game and mark.game_wins and case.rules.wins_per_bet == "one":
        return Decision(Code.ALREADY_SETTLED)
    return None


def _win_without_bet(case: Case) -> Decision | None:
    """A win that names no bet, or one that nobody knows: some kinds need none, some wait, the rest is refused."""
    command, rules = case.command, case.rules
    if command.kind != "game" or "any" in rules.win_without_bet or "game" in rules.win_without_bet:
        return None
    if command.reference is not None:
        return _missing(case, case.bet_key)
    if rules.settlement == "per_bet":
        return _bet_not_found()
    played = case.round()
    if played is None or played.bets == 0:
        return _missing(case, f"{ROUND_PREFIX}{command.round_id}")
    return None if played.bets > played.bets_rolled_back else Decision(Code.ROLLED_BACK)


def _missing(case: Case, awaits: str) -> Decision:
    """The bet may yet come: wait for it, or, where waiting is over, say that it is not known."""
    decision = _bet_not_found()
    if case.may_wait:
        decision.awaits = awaits
    return decision


def _bet_not_found() -> Decision:
    """Burns no id: providers send such wins again for hours, and the bet may yet come."""
    return Decision(Code.BET_NOT_FOUND, burns_id=False, retryable=True)


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
    if _is_settled(case, bet):
        return Decision(Code.ALREADY_SETTLED)
    if case.rules.rollback_amount == "must_match" and not _names_amount_of(case, bet):
        return Decision(Code.NOT_ROLLBACKABLE)
    return None


def _is_settled(case: Case, bet: Outcome) -> bool:
    """A bet is settled once a win names it, some of it was refunded, or its round closed; a bet_win from birth."""
    mark = case.bet_mark
    if bet.type == "bet_win" or (mark is not None and (mark.wins > 0 or mark.refunded_minor > 0)):
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
