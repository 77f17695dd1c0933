"""What a player of the naive house has, in which purse, and what he is asked for in his own currency."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from processor.devstack.traffic.event import EXPONENTS
from processor.devstack.traffic.providers import HOUSE_RULES, RATES

Fields = Mapping[str, Any]
#: A provider, and an id or a round of it.
Key = tuple[str, str]

CASH: Final = "cash"
BONUS: Final = "bonus"


@dataclass(slots=True)
class Purses:
    """``purses`` are minor units by the names that the ledger has for them."""

    currency: str | None = None
    purses: Counter[str] = field(default_factory=Counter)

    def minor(self, amount: str) -> int:
        """An amount of the player's own currency in minor units."""
        return int(self._exact(amount, None))

    def taken(self, amount: str, fields: Fields) -> int:
        """What an event takes: of another currency rounded down, but never to nothing."""
        exact = self._exact(amount, fields.get("currency"))
        return max(1, math.floor(exact)) if exact else 0

    def given(self, amount: str, fields: Fields) -> int:
        """What an event pays: of another currency rounded up."""
        return math.ceil(self._exact(amount, fields.get("currency")))

    def _exact(self, amount: str, currency: str | None) -> Fraction:
        own = self.currency or ""
        rate = Fraction(1) if currency in (None, own) else Fraction(RATES[str(currency), own])
        return Fraction(amount) * rate * Fraction(10) ** EXPONENTS[own]

    def draw(self, provider: str, amounts: list[int]) -> list[dict[str, int]] | None:
        """Take stakes, one after another, from the purses that pay for this provider's play: each stake's parts.

        None, and nothing is taken, where they hold less than all of it.
        """
        purses = _purses_of(provider)
        if sum(amounts) > sum(self.purses[purse] for purse in purses):
            return None
        drawn = []
        for amount in amounts:
            parts: dict[str, int] = {}
            for purse in purses:
                part = min(amount - sum(parts.values()), self.purses[purse])
                if part:
                    parts[purse] = part
                    self.purses[purse] -= part
            drawn.append(parts)
        return drawn


def _purses_of(provider: str) -> list[str]:
    return [f"game:{provider}"] if HOUSE_RULES[provider].game_wallet else [CASH, BONUS]


def paid_into(provider: str, parts: Mapping[str, int]) -> str:
    """Where a win goes: into the purse that paid most of its bet, at a tie into cash."""
    return max(_purses_of(provider), key=lambda purse: parts.get(purse, 0))
