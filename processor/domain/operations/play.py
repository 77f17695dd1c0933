"""Play: a bet takes its stake, a win pays, a round ends."""

from __future__ import annotations

from processor.domain.case import Case
from processor.domain.decision import OK, Decision
from processor.domain.effects import (
    BetSettled,
    Effect,
    RoundClosed,
    RoundEntered,
    RoundStaked,
    RoundWon,
)
from processor.domain.postings import (
    GAMING,
    STAKE_ACCOUNT,
    WIN_ACCOUNT,
    jackpot_minor,
    pay,
    paying_pool,
    stake_postings,
)


def bet(case: Case) -> Decision:
    """Take the stake from the pools in order, against the account of its kind."""
    command = case.command
    currency, amount_minor = command.currency or "", command.amount_minor or 0
    parts = case.stake_parts
    account = STAKE_ACCOUNT[command.kind or "stake"]
    jackpot = 0
    if command.own:
        contribution = command.own_field("jackpot_contribution")
        jackpot = jackpot_minor(contribution, currency, amount_minor, case.reference)
    effects: tuple[Effect, ...] = ()
    if command.round_id is not None:
        staked_minor = amount_minor - jackpot if account == GAMING else 0
        effects = (RoundStaked(command.provider, command.round_id, command.game_id, currency, staked_minor),)
    postings = stake_postings(parts, account, jackpot, currency)
    return Decision(OK, postings, -amount_minor, currency, {pool: -part for pool, part in parts}, effects)


def win(case: Case) -> Decision:
    """Pay to the pool that paid most of the bet; a win that names a bet settles it, also a win of zero."""
    command, bet_ = case.command, case.bet
    currency, amount_minor = command.currency or "", command.amount_minor or 0
    kind = command.kind or "game"
    account = WIN_ACCOUNT[kind]
    pool = paying_pool(bet_.split if bet_ is not None else None, case.rules)
    postings = pay(case.player, currency, account, pool, amount_minor)
    effects: list[Effect] = []
    if bet_ is not None:
        effects.append(BetSettled(command.provider, case.bet_key, amount_minor, kind == "game"))
    if command.round_id is not None:
        won_minor = amount_minor if account == GAMING else 0
        effects.append(RoundWon(command.provider, command.round_id, command.game_id, currency, won_minor))
        if command.round_closed or _closes_its_round(case, kind):
            effects.append(RoundClosed(command.provider, command.round_id))
    split = {paid.credit: paid.amount_minor for paid in postings}
    return Decision(OK, postings, amount_minor, currency, split, tuple(effects))


def _closes_its_round(case: Case, kind: str) -> bool:
    """Where a provider settles by round with one win, the first win of kind `game` ends the round."""
    rules = case.rules
    return rules.settlement == "per_round" and rules.wins_per_bet == "one" and kind == "game"


def close_round(case: Case) -> Decision:
    """End a round, also one that nobody has played in yet; ending it twice changes nothing."""
    command = case.command
    assert command.round_id is not None, "close_round names its round"
    played = case.round()
    if played is not None and played.closed_at is not None:
        return Decision(OK)
    entered = RoundEntered(command.provider, command.round_id, command.game_id, command.currency)
    return Decision(OK, effects=(entered, RoundClosed(command.provider, command.round_id)))
