"""Wagering: how far a player has come with what he must stake before a bonus becomes his.

A stake counts for the bonus that its bet names, else for the oldest whose requirement is not met yet. What is given
back is taken off where it was counted: off the bonus that its bet named, else off the newest that has any, of those
that were there when the bet was taken. So a currency's bonuses fill one after another, and empty the other way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from processor.domain.case import Case
from processor.domain.commands import STAKE_TAKING
from processor.domain.decision import Code, Decision, Posting
from processor.domain.postings import GAMING, HOUSE_ACCOUNTS, JACKPOT
from processor.domain.state import BONUS, Bonus

#: The house's accounts of play: what goes to tips, fees and buy-ins wagers nothing.
PLAYED_FOR: Final = frozenset({GAMING, JACKPOT})


def count_wagers(case: Case, postings: Iterable[Posting]) -> None:
    """Count what is staked towards the player's bonuses, and take off what of it is given back."""
    type_, player = case.command.type, case.player
    if type_ in STAKE_TAKING:
        for posting in postings:
            if posting.credit in PLAYED_FOR and posting.debit not in HOUSE_ACCOUNTS:
                named = case.command.own_field("bonus_id")
                player.bonuses = _forward(player.bonuses, posting.currency, posting.amount_minor, named)
    elif type_ in ("rollback", "refund") and case.bet is not None:
        named = dict(case.bet.own).get("bonus_id")
        for posting in postings:
            if posting.debit in PLAYED_FOR and posting.credit not in HOUSE_ACCOUNTS:
                then_there = [one for one in player.bonuses if one.granted_at < case.bet.sequence]
                own = [one for one in then_there if one.currency == posting.currency]
                player.bonuses = _back(player.bonuses, own, posting.amount_minor, named)


def bonus_funds(case: Case) -> Decision | None:
    """13. Only what the player has of a bonus is released, and only once its requirement is met."""
    command = case.command
    bonus = find_bonus(case.player.bonuses, command.own_field("bonus_id"), command.currency)
    if bonus is None or bonus.wagered_minor < bonus.requirement_minor:
        return Decision(Code.INSUFFICIENT_FUNDS)
    if (command.amount_minor or 0) > case.player.balance_minor(command.currency or "", BONUS):
        return Decision(Code.INSUFFICIENT_FUNDS)
    return None


def find_bonus(bonuses: Iterable[Bonus], bonus_id: str | None, currency: str | None) -> Bonus | None:
    """The player's bonus of that id, if it is in that currency."""
    return next((one for one in bonuses if one.bonus_id == bonus_id and one.currency == currency), None)


def _forward(
    bonuses: Sequence[Bonus], currency: str, amount_minor: int, named: str | None
) -> tuple[Bonus, ...]:
    """With the amount counted for one of them; where all requirements are met, for the newest."""
    chosen = find_bonus(bonuses, named, currency)
    if chosen is None:
        own = [one for one in bonuses if one.currency == currency]
        unmet = [one for one in own if one.wagered_minor < one.requirement_minor]
        chosen = unmet[0] if unmet else own[-1] if own else None
    if chosen is None:
        return tuple(bonuses)
    return _with(bonuses, replace(chosen, wagered_minor=chosen.wagered_minor + amount_minor))


def _back(
    bonuses: Sequence[Bonus], own: Sequence[Bonus], amount_minor: int, named: str | None
) -> tuple[Bonus, ...]:
    """With the amount taken off ``own``, some of them in one currency: newest first, as far as there is any."""
    left, changed = amount_minor, tuple(bonuses)
    chosen = [one for one in own if one.bonus_id == named]
    for one in chosen or reversed(own):
        off = min(left, one.wagered_minor)
        left -= off
        changed = _with(changed, replace(one, wagered_minor=one.wagered_minor - off))
    return changed


def _with(bonuses: Iterable[Bonus], changed: Bonus) -> tuple[Bonus, ...]:
    """The same bonuses in their order, one of them as it is now."""
    return tuple(changed if one.key == changed.key else one for one in bonuses)
