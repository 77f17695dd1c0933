"""Play: a bet takes its stake, a win pays, a bet_win does both, a round ends."""

from __future__ import annotations

from processor.domain.case import Case
from processor.domain.conversion import booked
from processor.domain.decision import OK, Decision, Posting
from processor.domain.effects import (
    BetSettled,
    Effect,
    RoundClosed,
    RoundEntered,
    RoundStaked,
    RoundWon,
)
from processor.domain.keys import mark_key
from processor.domain.money import format_minor
from processor.domain.postings import (
    GAMING,
    JACKPOT,
    STAKE_ACCOUNT,
    WIN_ACCOUNT,
    converted_name,
    jackpot_minor,
    not_gaming_to_cash,
    pay,
    paying_pool,
    stake_postings,
)
from processor.domain.state import CASH


def bet(case: Case) -> Decision:
    """Take the stake from the pools in order, against the account of its kind."""
    command, conversion = case.command, case.conversion
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
    split = {pool: -part for pool, part in parts}
    if conversion is None:
        postings = stake_postings(parts, account, jackpot, currency)
        return Decision(OK, postings, -amount_minor, currency, split, effects)
    house = ((account, amount_minor - jackpot), (JACKPOT, jackpot))
    postings = booked(conversion, stake_postings(parts, account, 0, case.currency), house)
    told = conversion.details(-amount_minor, -case.amount_minor, case.reference)
    return Decision(OK, postings, -amount_minor, currency, split, effects, details=told)


def win(case: Case) -> Decision:
    """Pay to the pool that paid most of the bet; a win that names a bet settles it, also a win of zero."""
    command, bet_, conversion = case.command, case.bet, case.conversion
    currency, amount_minor = command.currency or "", command.amount_minor or 0
    kind = command.kind or "game"
    account = WIN_ACCOUNT[kind]
    pool = paying_pool(bet_.split if bet_ is not None else None, case.rules)
    paid = pay(case.player, case.currency, account, pool, case.amount_minor)
    effects: list[Effect] = []
    if bet_ is not None:
        otherwise = () if account is GAMING and pool is CASH and len(paid) < 2 else not_gaming_to_cash(paid)
        if conversion is not None and amount_minor:
            otherwise = (*otherwise, (converted_name(account), amount_minor))
        effects.append(
            BetSettled(command.provider, case.bet_key, case.amount_minor, kind == "game", otherwise)
        )
    if command.round_id is not None:
        won_minor = amount_minor if account == GAMING else 0
        effects.append(RoundWon(command.provider, command.round_id, command.game_id, currency, won_minor))
        if command.round_closed or _closes_its_round(case, kind):
            effects.append(RoundClosed(command.provider, command.round_id))
    split = {posting.credit: posting.amount_minor for posting in paid}
    if conversion is None:
        return Decision(OK, paid, amount_minor, currency, split, tuple(effects))
    postings = booked(conversion, paid, ((account, -amount_minor),))
    told = conversion.details(amount_minor, case.amount_minor, case.reference)
    return Decision(OK, postings, amount_minor, currency, split, tuple(effects), details=told)


def bet_win(case: Case) -> Decision:
    """Take a stake and pay its win, both or neither; the bet is settled from birth."""
    command = case.command
    provider, round_id, currency = command.provider, command.round_id or "", command.currency or ""
    stake_minor, win_minor = command.amount_minor or 0, command.win_minor
    conversion = case.conversion
    stake = {pool: -part for pool, part in case.stake_parts}
    paid_minor = win_minor if conversion is None else conversion.given(win_minor)
    paid = pay(case.player, case.currency, GAMING, paying_pool(stake, case.rules), paid_minor)
    key = mark_key(case.profile, command.player_id, command.transaction_id)
    otherwise = not_gaming_to_cash(paid)
    if conversion is not None and win_minor:
        otherwise = (*otherwise, (converted_name(GAMING), win_minor))
    effects: list[Effect] = [
        BetSettled(provider, key, paid_minor, True, otherwise),
        RoundStaked(provider, round_id, command.game_id, currency, stake_minor),
        RoundWon(provider, round_id, command.game_id, currency, win_minor),
    ]
    if command.round_closed or _closes_its_round(case, "game"):
        effects.append(RoundClosed(provider, round_id))
    taken = booked(
        conversion, stake_postings(case.stake_parts, GAMING, 0, case.currency), ((GAMING, stake_minor),)
    )
    postings = (*taken, *booked(conversion, paid, ((GAMING, -win_minor),)))
    told = _told_of_both(case, currency, stake_minor, win_minor, paid)
    if conversion is not None:
        wallet_minor = paid_minor - case.amount_minor
        told |= conversion.details(win_minor - stake_minor, wallet_minor, case.reference)
    return Decision(OK, postings, win_minor - stake_minor, currency, stake, tuple(effects), details=told)


def _told_of_both(
    case: Case, currency: str, stake_minor: int, win_minor: int, paid: tuple[Posting, ...]
) -> dict[str, object]:
    """What the result tells of both halves. The split told is that of both; the one kept is the stake's."""
    exponent, split_exponent = case.reference.currencies[currency], case.reference.currencies[case.currency]
    split = {pool: -part for pool, part in case.stake_parts}
    for posting in paid:
        split[posting.credit] = split.get(posting.credit, 0) + posting.amount_minor
    return {
        "bet_amount": format_minor(stake_minor, exponent),
        "win_amount": format_minor(win_minor, exponent),
        "split": {pool: format_minor(minor, split_exponent) for pool, minor in split.items() if minor},
    }


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
