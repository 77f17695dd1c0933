"""Play: a bet takes its stake, a win pays, a rollback gives back exactly what the bet took."""

from __future__ import annotations

from processor.domain.case import Case
from processor.domain.decision import OK, Decision, Posting
from processor.domain.effects import (
    BetRolledBack,
    BetSettled,
    Effect,
    RoundClosed,
    RoundEntered,
    RoundReturned,
    RoundStaked,
    RoundWon,
)
from processor.domain.money import parse_minor
from processor.domain.postings import (
    GAMING,
    STAKE_ACCOUNT,
    WIN_ACCOUNT,
    pay,
    paying_pool,
    reversed_postings,
    stake_postings,
)
from processor.domain.profiles import Reference
from processor.domain.state import Outcome


def bet(case: Case) -> Decision:
    """Take the stake from the pools in order, against the account of its kind."""
    command = case.command
    currency, amount_minor = command.currency or "", command.amount_minor or 0
    parts = case.stake_parts
    account = STAKE_ACCOUNT[command.kind or "stake"]
    jackpot_minor = 0
    if command.own:
        contribution = command.own_field("jackpot_contribution")
        jackpot_minor = _jackpot_minor(contribution, currency, amount_minor, case.reference)
    effects: tuple[Effect, ...] = ()
    if command.round_id is not None:
        staked_minor = amount_minor - jackpot_minor if account == GAMING else 0
        effects = (RoundStaked(command.provider, command.round_id, command.game_id, currency, staked_minor),)
    postings = stake_postings(parts, account, jackpot_minor, currency)
    return Decision(OK, postings, -amount_minor, currency, {pool: -part for pool, part in parts}, effects)


def _jackpot_minor(text: str | None, currency: str, amount_minor: int, reference: Reference) -> int:
    """The part of a stake that feeds the jackpot; never more than the stake."""
    if text is None:
        return 0
    return min(parse_minor(text, reference.currencies[currency]), amount_minor)


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


def rollback(case: Case) -> Decision:
    """Give back exactly what the bet took, pool by pool; no session, round or currency is looked at."""
    bet_ = case.bet
    assert bet_ is not None, "the reference guard lets only a taken bet pass"
    postings = reversed_postings(_postings_of(bet_, case.reference))
    effects: list[Effect] = [BetRolledBack(bet_.provider, case.bet_key)]
    if bet_.round_id is not None:
        gaming_minor = sum(posting.amount_minor for posting in postings if posting.debit == GAMING)
        currency = bet_.moved_currency
        effects.append(RoundReturned(bet_.provider, bet_.round_id, bet_.game_id, currency, gaming_minor))
    split = {pool: -part for pool, part in bet_.split.items()}
    return Decision(OK, postings, -bet_.moved_minor, bet_.moved_currency, split, tuple(effects))


def _postings_of(bet_: Outcome, reference: Reference) -> tuple[Posting, ...]:
    """What a taken bet posted, derived again from what is stored of it."""
    currency, stake_minor = bet_.moved_currency or "", -bet_.moved_minor
    contribution = dict(bet_.own).get("jackpot_contribution")
    jackpot_minor = _jackpot_minor(contribution, currency, stake_minor, reference)
    parts = [(pool, -part) for pool, part in bet_.split.items()]
    return stake_postings(parts, STAKE_ACCOUNT[bet_.kind or "stake"], jackpot_minor, currency)


def close_round(case: Case) -> Decision:
    """End a round, also one that nobody has played in yet; ending it twice changes nothing."""
    command = case.command
    assert command.round_id is not None, "close_round names its round"
    played = case.round()
    if played is not None and played.closed_at is not None:
        return Decision(OK)
    entered = RoundEntered(command.provider, command.round_id, command.game_id, command.currency)
    return Decision(OK, effects=(entered, RoundClosed(command.provider, command.round_id)))
