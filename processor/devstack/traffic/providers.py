"""The providers of the traffic: how each plays, as the reference data that an operator would apply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

#: How long a win without a bet waits: long enough for any bet that was overtaken, short enough for a demo.
MISSING_BET_WAIT_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class HouseRules:
    """What the expectation must know of a provider: may a bet have many wins, is an early rollback OK."""

    many_wins: bool
    accepts_unknown_rollbacks: bool


HOUSE_RULES: Final[Mapping[str, HouseRules]] = {
    "acme": HouseRules(many_wins=True, accepts_unknown_rollbacks=True),
    "norse": HouseRules(many_wins=False, accepts_unknown_rollbacks=False),
}

PROVIDERS_TOML: Final = f"""\
[providers.acme]
wins_per_bet = "many"
rollback_unknown = "accept"
missing_bet_wait_seconds = {MISSING_BET_WAIT_SECONDS}

[providers.norse]
missing_bet_wait_seconds = {MISSING_BET_WAIT_SECONDS}
"""
