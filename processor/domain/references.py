"""Guards on references (10): what a win answers, by what is known of the bet it names."""

from __future__ import annotations

from processor.domain.case import Case
from processor.domain.conversion import convert_as
from processor.domain.decision import OK, Code, Decision
from processor.domain.keys import REFERENCED, ROUND_PREFIX
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
    if bet.details is not None:
        convert_as(case, bet)
    is_game = command.kind == "game"
    if is_game and bet.round_id != command.round_id:
        return _bet_not_found()
    if mark is None:
        return None
    if bet.type == "bet" and bet.moved_minor and mark.refunded_minor >= -bet.moved_minor:
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
        return missing(case, case.bet_key, _bet_not_found())
    if rules.settlement == "per_bet":
        return _bet_not_found()
    played = case.round()
    if played is None or played.bets == 0:
        return missing(case, f"{ROUND_PREFIX}{command.round_id}", _bet_not_found())
    return None if played.bets > played.bets_rolled_back else Decision(Code.ROLLED_BACK)


def missing(case: Case, awaits: str, otherwise: Decision) -> Decision:
    """The bet may yet come: wait for it, or, where waiting is over, say that it is not known."""
    if case.may_wait:
        otherwise.awaits = awaits
    return otherwise


def _bet_not_found() -> Decision:
    """Burns no id: providers send such wins again for hours, and the bet may yet come."""
    return Decision(Code.BET_NOT_FOUND, burns_id=False, retryable=True)
