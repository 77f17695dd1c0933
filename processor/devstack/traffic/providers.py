"""The providers of the traffic: how each plays, as the reference data that an operator would apply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

#: How long a win without a bet waits: long enough for any bet that was overtaken, short enough for a demo.
MISSING_BET_WAIT_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class HouseRules:
    """What the expectation must know of a provider.

    May a bet have many wins, is an early rollback OK, may wins be taken back as far as there is money, is play from a
    wallet of the game's own, is it in a currency that the player has no wallet in.
    """

    many_wins: bool = False
    accepts_unknown_rollbacks: bool = False
    takes_back: bool = False
    game_wallet: bool = False
    converts: bool = False


HOUSE_RULES: Final[Mapping[str, HouseRules]] = {
    "acme": HouseRules(many_wins=True, accepts_unknown_rollbacks=True, takes_back=True),
    "norse": HouseRules(),
    "live": HouseRules(game_wallet=True),
    "abroad": HouseRules(converts=True),
}

#: What the provider that converts plays in, and what one of it is in the players' currencies.
ABROAD: Final = "USD"
RATES: Final[Mapping[tuple[str, str], str]] = {
    (ABROAD, "EUR"): "0.9137",
    (ABROAD, "JPY"): "151.265",
    (ABROAD, "BTC"): "0.00001083",
    (ABROAD, "ETH"): "0.000301234567",
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

[providers.abroad]
fx = true
missing_bet_wait_seconds = {MISSING_BET_WAIT_SECONDS}
"""


def rate_documents(now: datetime) -> dict[str, dict[str, Any]]:
    """The rates as reference data, an hour old: young enough for any play, and in force for its first event."""
    at = (now - timedelta(hours=1)).replace(microsecond=0)
    return {
        f"{source}/{target} {at.isoformat()}": {"rate": rate, "source": "the demonstration"}
        for (source, target), rate in RATES.items()
    }
