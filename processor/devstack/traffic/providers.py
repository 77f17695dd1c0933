"""The providers of the traffic: how each plays, as the reference data that an operator would apply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

#: How long a win without a bet waits: long enough for any bet that was overtaken, short enough for a demo.
MISSING_BET_WAIT_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class HouseRules:
    """What the expectation must know of a provider.

    May a bet have many wins, is an early rollback OK, may wins be taken back as far as there is money, is play from a
    wallet of the game's own.
    """

    many_wins: bool = False
    accepts_unknown_rollbacks: bool = False
    takes_back: bool = False
    game_wallet: bool = False


HOUSE_RULES: Final[Mapping[str, HouseRules]] = {
    "acme": HouseRules(many_wins=True, accepts_unknown_rollbacks=True, takes_back=True),
    "norse": HouseRules(),
    "live": HouseRules(game_wallet=True),
}

PROVIDERS_TOML: Final = f"""\
[providers.acme]
wins_per_bet = "many"
rollback_unknown = "accept"
win_reversal = "take_available"
missing_bet_wait_seconds = {MISSING_BET_WAIT_SECONDS}

[providers.norse]
missing_bet_wait_seconds = {MISSING_BET_WAIT_SECONDS}

[providers.live]
wallet = "transfer"
missing_bet_wait_seconds = {MISSING_BET_WAIT_SECONDS}
"""
