"""Returns: a rollback gives back exactly what the bet took, a refund some of it, each to the pools it came from."""

from __future__ import annotations

from collections.abc import Iterable

from processor.domain.case import Case
from processor.domain.decision import OK, Decision, Posting
from processor.domain.effects import (
    BetRefunded,
    BetRolledBack,
    Effect,
    RoundRefunded,
    RoundReturned,
    RoundUnwon,
)
from processor.domain.postings import (
    GAMING,
    STAKE_ACCOUNT,
    Parts,
    jackpot_minor,
    reversed_postings,
    stake_postings,
)
from processor.domain.reversals import Reversal, told_shortfall
from processor.domain.state import CASH, Outcome


def rollback(case: Case) -> Decision:
    """Give back exactly what the bet took, pool by pool; no session, round or currency is looked at.

    Where the profile lets a bet with wins be rolled back, what they paid is taken back with it.
    """
    bet_, mark = case.bet, case.bet_mark
    assert bet_ is not None, "the reference guard lets only a taken bet pass"
    parts, currency = bet_.stake_parts(), bet_.moved_currency or ""
    postings = reversed_postings(_stake_of(bet_, parts, _jackpot_of(bet_, case)))
    effects: list[Effect] = [BetRolledBack(bet_.provider, case.bet_key)]
    round_ = None if bet_.round_id is None else (bet_.provider, bet_.round_id, bet_.game_id, currency)
    if round_ is not None:
        effects.append(RoundReturned(*round_, _from_gaming(postings)))
    if mark is None or not mark.wins:
        return Decision(OK, postings, _sum(parts), currency, dict(parts), tuple(effects))
    reversal = case.reversal or Reversal()
    if round_ is not None:
        effects.append(RoundUnwon(*round_, mark.wins, reversal.to_gaming()))
    split = _together(dict(parts), reversal.split())
    told = told_shortfall(reversal, currency, case.reference)
    moved_minor = sum(split.values())
    return Decision(
        OK, postings + reversal.postings, moved_minor, currency, split, tuple(effects), details=told
    )


def _together(split: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    """Two splits as one, without pools in which nothing moved in the end."""
    sums = {pool: split.get(pool, 0) + other.get(pool, 0) for pool in [*split, *other]}
    return {pool: minor for pool, minor in sums.items() if minor}


def refund(case: Case) -> Decision:
    """Give back a part of the stake, in cumulative proportion to its pools; fractions go to cash."""
    bet_, amount_minor = case.bet, case.returned_minor
    assert bet_ is not None, "the reference guard lets only a taken bet pass"
    before_minor = 0 if case.bet_mark is None else case.bet_mark.refunded_minor
    after_minor = before_minor + amount_minor
    stake, jackpot = bet_.stake_parts(), _jackpot_of(bet_, case)
    parts = _difference(_share(stake, after_minor), _share(stake, before_minor))
    jackpot_part = _proportion(jackpot, after_minor, stake) - _proportion(jackpot, before_minor, stake)
    postings = reversed_postings(_stake_of(bet_, parts, jackpot_part))
    effects: list[Effect] = [BetRefunded(bet_.provider, case.bet_key, amount_minor)]
    currency = bet_.moved_currency or ""
    if bet_.round_id is not None:
        gaming_minor = _from_gaming(postings)
        effects.append(RoundRefunded(bet_.provider, bet_.round_id, bet_.game_id, currency, gaming_minor))
    return Decision(OK, postings, amount_minor, currency, dict(parts), tuple(effects))


def _share(stake: Parts, amount_minor: int) -> dict[str, int]:
    """How much of each pool has come back once so much of the stake has: each its proportion, cash the fractions."""
    shares = {pool: _proportion(part, amount_minor, stake) for pool, part in stake}
    rest_minor = amount_minor - sum(shares.values())
    if rest_minor:
        shares[CASH if CASH in shares else stake[0][0]] += rest_minor
    return shares


def _proportion(part_minor: int, amount_minor: int, stake: Parts) -> int:
    """The part of an amount that belongs to a part of the stake, without its fraction."""
    return part_minor * amount_minor // _sum(stake) if part_minor else 0


def _difference(after: dict[str, int], before: dict[str, int]) -> Parts:
    return [(pool, after[pool] - before[pool]) for pool in after if after[pool] != before[pool]]


def _stake_of(bet_: Outcome, parts: Parts, jackpot: int) -> tuple[Posting, ...]:
    """What a taken bet posted (or that part of it), derived again from what is stored of it."""
    return stake_postings(parts, STAKE_ACCOUNT[bet_.kind or "stake"], jackpot, bet_.moved_currency or "")


def _jackpot_of(bet_: Outcome, case: Case) -> int:
    contribution = dict(bet_.own).get("jackpot_contribution")
    return jackpot_minor(contribution, bet_.moved_currency or "", _sum(bet_.stake_parts()), case.reference)


def _from_gaming(postings: Iterable[Posting]) -> int:
    return sum(posting.amount_minor for posting in postings if posting.debit == GAMING)


def _sum(parts: Parts) -> int:
    return sum(part for _, part in parts)
