"""Reversals: taking back what was paid: how much of it is there, and what becomes of what is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from processor.domain.decision import Posting
from processor.domain.money import format_minor
from processor.domain.postings import GAMING
from processor.domain.profiles import Profile, Reference
from processor.domain.state import DEBT


@dataclass(slots=True)
class Paid:
    """What was paid and is to be taken back: from the pool it went to, to the house account it came from."""

    account: str
    pool: str
    amount_minor: int


@dataclass(slots=True)
class Reversal:
    """What taking back moves. ``shortfall_minor`` was not there: it is left to the player."""

    postings: tuple[Posting, ...] = ()
    shortfall_minor: int = 0

    def split(self) -> dict[str, int]:
        """Minor units by pool, signed from the player's side."""
        split: dict[str, int] = {}
        for posting in self.postings:
            split[posting.debit] = split.get(posting.debit, 0) - posting.amount_minor
        return split

    def to_gaming(self) -> int:
        """Minor units that the gaming account got back."""
        return self.by_account().get(GAMING, 0)

    def by_account(self) -> dict[str, int]:
        """Minor units that each account of the house got back."""
        got: dict[str, int] = {}
        for posting in self.postings:
            got[posting.credit] = got.get(posting.credit, 0) + posting.amount_minor
        return got

    def converted(self, asked: Mapping[str, int], paid: Mapping[str, int]) -> dict[str, int]:
        """What each account gets back in the event's currency: of ``paid`` (by account, in that currency) the share
        that was there of what was ``asked`` (the same in the wallet's currency); fractions stay in clearing."""
        got = self.by_account()
        return {
            account: minor * got.get(account, 0) // asked[account] if asked.get(account) else minor
            for account, minor in paid.items()
        }


def take_back(
    balances: dict[str, int], currency: str, paid: Iterable[Paid], rules: Profile
) -> Reversal | None:
    """Take each from its pool, as far as ``balances`` (minor units by pool, written as it goes) hold it.

    What is not there is the player's debt or his gain, as the profile says; None where it lets nothing be missing.
    """
    postings: list[Posting] = []
    shortfall_minor = 0
    for one in paid:
        there_minor = min(one.amount_minor, balances.get(one.pool, 0))
        if there_minor:
            balances[one.pool] -= there_minor
            postings.append(Posting(one.pool, one.account, currency, there_minor))
        missing_minor = one.amount_minor - there_minor
        if not missing_minor:
            continue
        if rules.win_reversal == "refuse":
            return None
        if rules.win_reversal == "player_debt":
            postings.append(Posting(DEBT, one.account, currency, missing_minor))
        else:
            shortfall_minor += missing_minor
    return Reversal(tuple(postings), shortfall_minor)


def told_shortfall(reversal: Reversal, currency: str, reference: Reference) -> dict[str, object] | None:
    """What the result says of money that was not there; None where all of it was."""
    if not reversal.shortfall_minor:
        return None
    return {"shortfall": format_minor(reversal.shortfall_minor, reference.currencies[currency])}
