"""Guards: each looks at one thing and either answers the command or lets it pass. Their order is `precedence.py`'s."""

from __future__ import annotations

from processor.domain.case import BUILT_IN, Case
from processor.domain.commands import STAKE_TAKING
from processor.domain.conversion import convert_or_refuse
from processor.domain.decision import OK, Code, Decision
from processor.domain.effects import TombstoneSet
from processor.domain.fingerprint import difference
from processor.domain.keys import mark_key, reference_key
from processor.domain.postings import draw, stake_pools
from processor.domain.state import CASH


def known_id(case: Case) -> Decision | None:
    """2. An id decided before: the stored outcome again, or `CONFLICT` naming the first field that differs."""
    known = case.books.outcomes.get((case.command.provider, case.key))
    if known is None:
        return None
    differs = difference(case.command, known)
    if differs is None:
        return Decision(Code(known.code), burns_id=False, known=known)
    return Decision(Code.CONFLICT, burns_id=False, known=known, conflict=differs)


def tombstone(case: Case) -> Decision | None:
    """3. A rollback came before this id: whatever arrives under it takes nothing and pays nothing."""
    if not case.player.bets:
        return None
    mark = case.own_mark()
    if mark is None or not mark.rolled_back or _bet_was_taken(case):
        return None
    return Decision(Code.ROLLED_BACK)


def _bet_was_taken(case: Case) -> bool:
    """Whether the mark under the command's own id tells of a taken bet (ids that include their type) instead."""
    if not case.rules.id_includes_type:
        return False
    command, outcomes = case.command, case.books.outcomes
    key = reference_key(case.profile, command.player_id, command.transaction_id)
    bet = outcomes.get((command.provider, key))
    return bet is not None and bet.player_id == command.player_id and bet.code == OK


def deadline(case: Case) -> Decision | None:
    """4. Too late for what takes money."""
    limit = case.command.deadline
    if limit is None or (case.moment.broker_time <= limit and case.moment.decided_at <= limit):
        return None
    return Decision(Code.EXPIRED)


def player_unknown(case: Case) -> Decision | None:
    """5. Nobody opened this player; a rollback leaves its tombstone all the same."""
    if case.player.partition is not None:
        return None
    command = case.command
    if command.type == "rollback" and command.reference is not None:
        key = mark_key(case.profile, command.player_id, command.reference)
        return Decision(Code.PLAYER_NOT_FOUND, effects=(TombstoneSet(command.provider, key),))
    return Decision(Code.PLAYER_NOT_FOUND)


def game_blocked(case: Case) -> Decision | None:
    """5. The provider or the game is unknown, suspended, or not this provider's."""
    command, profile = case.command, case.profile
    if profile is None:
        return None if command.provider in BUILT_IN else Decision(Code.GAME_BLOCKED)
    if profile.status != "active":
        return Decision(Code.GAME_BLOCKED)
    if command.game_id is None:  # a transfer is not about a game
        return None
    game = case.reference.games.get((command.provider, command.game_id))
    if game is None:
        return Decision(Code.GAME_BLOCKED) if profile.games == "listed" else None
    return None if game.status == "active" else Decision(Code.GAME_BLOCKED)


def wrong_currency(case: Case) -> Decision | None:
    """6. The player has no wallet in this currency and it is not converted, or the provider may not play in it."""
    currency = case.command.currency
    if currency not in case.player.currencies:
        refused = convert_or_refuse(case)
        if refused is not None:
            return refused
    allowed = case.rules.currencies
    if allowed and currency not in allowed and case.command.type in STAKE_TAKING | {"transfer_in"}:
        return Decision(Code.WRONG_CURRENCY)
    return None


def wrong_named_currency(case: Case) -> Decision | None:
    """6. The player has no wallet in the currency that is named where none need be."""
    currency = case.command.currency
    if currency is None or currency in case.player.currencies:
        return None
    case.find_bet()  # one that was converted is named in the event's currency
    return None if case.bet is not None and case.bet.currency == currency else Decision(Code.WRONG_CURRENCY)


def session(case: Case) -> Decision | None:
    """7. A session is required, and this one is missing, unknown, expired, closed, replaced or not the player's."""
    if not case.rules.require_session or case.command.provider in BUILT_IN:
        return None
    found = case.player.sessions.get(case.command.session_id or "")
    if (
        found is None
        or found.closed_at is not None
        or found.replaced_at is not None
        or found.expires_at <= case.moment.broker_time
    ):
        return Decision(Code.SESSION_EXPIRED)
    return None


def player_blocked(case: Case) -> Decision | None:
    """8. The player is blocked, excluded or cooling off."""
    player = case.player
    if player.blocked or (
        player.excluded_until is not None and player.excluded_until > case.moment.broker_time
    ):
        return Decision(Code.PLAYER_BLOCKED)
    return None


def round_closed(case: Case) -> Decision | None:
    """9. The round is over for bets, and for wins of kind `game`."""
    if case.command.type == "win" and case.command.kind != "game":
        return None
    found = case.round()
    if found is None or found.closed_at is None:
        return None
    return Decision(Code.ROUND_CLOSED)


def stake_funds(case: Case) -> Decision | None:
    """13. The pools a stake may draw on do not hold it together."""
    pools = stake_pools(case.rules, case.reference)
    parts = draw(case.player, case.currency, pools, case.amount_minor)
    if parts is None:
        return Decision(Code.INSUFFICIENT_FUNDS)
    case.stake_parts = parts
    return None


def cash_funds(case: Case) -> Decision | None:
    """13. The cash does not hold what is to be withdrawn."""
    command = case.command
    if (command.amount_minor or 0) > case.player.balance_minor(command.currency or "", CASH):
        return Decision(Code.INSUFFICIENT_FUNDS)
    return None
