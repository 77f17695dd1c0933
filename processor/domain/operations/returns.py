"""Returns: a rollback gives back exactly what the bet took, a refund some of it, each to the pools it came from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from processor.domain.case import Case
from processor.domain.conversion import Conversion, booked, conversion_of, wallet_currency
from processor.domain.correction_references import paid_upon
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
    JACKPOT,
    STAKE_ACCOUNT,
    Parts,
    converted_amounts,
    jackpot_minor,
    reversed_postings,
    stake_postings,
)
from processor.domain.reversals import Reversal, told_shortfall
from processor.domain.state import CASH, BetMark, Outcome


def rollback(case: Case) -> Decision:
    """Give back exactly what the bet took, pool by pool; no session, round or currency is looked at.

    Where the profile lets a bet with wins be rolled back, what they paid is taken back with it.
    """
    bet_, mark = case.bet, case.bet_mark
    assert bet_ is not None, "the reference guard lets only a taken bet pass"
    parts, currency = bet_.stake_parts(), bet_.moved_currency or ""
    conversion = conversion_of(bet_, case.reference)
    moved_minor = bet_.amount_minor or 0
    postings = _given_back(bet_, parts, moved_minor, _jackpot_of(bet_, case), conversion)
    effects: list[Effect] = [BetRolledBack(bet_.provider, case.bet_key)]
    round_ = None if bet_.round_id is None else (bet_.provider, bet_.round_id, bet_.game_id, currency)
    if round_ is not None:
        effects.append(RoundReturned(*round_, _from_gaming(postings)))
    split, told = dict(parts), None
    if mark is not None and mark.wins:
        undone = _undone_wins(case, bet_, mark, conversion)
        if round_ is not None:
            effects.append(RoundUnwon(*round_, mark.wins, undone.from_gaming_minor))
        postings += undone.postings
        split = _together(split, undone.reversal.split())
        moved_minor -= undone.moved_minor
        told = told_shortfall(undone.reversal, wallet_currency(bet_.details, currency) or "", case.reference)
    if conversion is not None:
        told = (told or {}) | conversion.details(moved_minor, sum(split.values()), case.reference)
    return Decision(OK, postings, moved_minor, currency, split, tuple(effects), details=told)


class _Undone(NamedTuple):
    """Wins that go with their bet; amounts but for the reversal's are in the bet's own currency."""

    reversal: Reversal
    postings: tuple[Posting, ...]
    from_gaming_minor: int
    moved_minor: int


def _undone_wins(case: Case, bet_: Outcome, mark: BetMark, conversion: Conversion | None) -> _Undone:
    reversal = case.reversal or Reversal()
    if conversion is None:
        return _Undone(reversal, reversal.postings, reversal.to_gaming(), sum(reversal.by_account().values()))
    asked: dict[str, int] = {}
    for one in paid_upon(case, mark):
        asked[one.account] = asked.get(one.account, 0) + one.amount_minor
    back = reversal.converted(asked, converted_amounts(mark.paid_otherwise or {}))
    postings = booked(conversion, reversal.postings, back.items())
    return _Undone(reversal, postings, back.get(GAMING, 0), sum(back.values()))


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
    stake, total_minor, jackpot = bet_.stake_parts(), bet_.amount_minor or 0, _jackpot_of(bet_, case)
    conversion = conversion_of(bet_, case.reference)
    parts = _difference(
        _share(stake, _in_wallet(conversion, after_minor, total_minor, stake)),
        _share(stake, _in_wallet(conversion, before_minor, total_minor, stake)),
    )
    jackpot_part = _proportion(jackpot, after_minor, total_minor) - _proportion(
        jackpot, before_minor, total_minor
    )
    postings = _given_back(bet_, parts, amount_minor, jackpot_part, conversion)
    effects: list[Effect] = [BetRefunded(bet_.provider, case.bet_key, amount_minor)]
    currency = bet_.moved_currency or ""
    if bet_.round_id is not None:
        gaming_minor = _from_gaming(postings)
        effects.append(RoundRefunded(bet_.provider, bet_.round_id, bet_.game_id, currency, gaming_minor))
    told = None if conversion is None else conversion.details(amount_minor, _sum(parts), case.reference)
    return Decision(OK, postings, amount_minor, currency, dict(parts), tuple(effects), details=told)


def _in_wallet(conversion: Conversion | None, amount_minor: int, total_minor: int, stake: Parts) -> int:
    """How much of what the wallet paid goes with so much of the bet: at the bet's rate, and the last takes the rest."""
    if conversion is None:
        return amount_minor
    taken_minor = _sum(stake)
    return taken_minor if amount_minor == total_minor else min(taken_minor, conversion.given(amount_minor))


def _share(stake: Parts, amount_minor: int) -> dict[str, int]:
    """How much of each pool has come back once so much of the stake has: each its proportion, cash the fractions."""
    shares = {pool: _proportion(part, amount_minor, _sum(stake)) for pool, part in stake}
    rest_minor = amount_minor - sum(shares.values())
    if rest_minor:
        shares[CASH if CASH in shares else stake[0][0]] += rest_minor
    return shares


def _proportion(part_minor: int, amount_minor: int, total_minor: int) -> int:
    """The part of an amount that belongs to a part of the whole, without its fraction."""
    return part_minor * amount_minor // total_minor if part_minor else 0


def _difference(after: dict[str, int], before: dict[str, int]) -> Parts:
    return [(pool, after[pool] - before[pool]) for pool in after if after[pool] != before[pool]]


def _given_back(
    bet_: Outcome, parts: Parts, amount_minor: int, jackpot: int, conversion: Conversion | None
) -> tuple[Posting, ...]:
    """What a taken bet posted (or that part of it) the other way round, derived from what is stored of it.

    ``parts`` are in the wallet's currency; ``amount_minor`` and ``jackpot``, which is within it, in the bet's own.
    """
    account = STAKE_ACCOUNT[bet_.kind or "stake"]
    if conversion is None:
        return reversed_postings(stake_postings(parts, account, jackpot, bet_.moved_currency or ""))
    postings = reversed_postings(stake_postings(parts, account, 0, conversion.wallet_currency))
    return booked(conversion, postings, ((account, jackpot - amount_minor), (JACKPOT, -jackpot)))


def _jackpot_of(bet_: Outcome, case: Case) -> int:
    contribution = dict(bet_.own).get("jackpot_contribution")
    return jackpot_minor(contribution, bet_.moved_currency or "", bet_.amount_minor or 0, case.reference)


def _from_gaming(postings: Iterable[Posting]) -> int:
    return sum(
        posting.amount_minor for posting in postings if posting.debit == GAMING and not posting.cleared
    )


def _sum(parts: Parts) -> int:
    return sum(part for _, part in parts)
