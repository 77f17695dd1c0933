"""Reference data the law reads: provider profiles, games, currencies. The first value named is the default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal, Protocol

#: Which kinds of win need no bet: none of `game`, the named kinds, or ``any``.
WinWithoutBet = frozenset[str]


@dataclass(frozen=True, slots=True)
class Profile:
    """How one provider plays (wallet-law.md, "Provider profiles"). Defaults are the strict ones."""

    provider: str
    wallet: Literal["seamless", "transfer"] = "seamless"
    transfer_settlement: Literal["wallet", "provider"] = "wallet"
    id_scope: Literal["provider", "player"] = "provider"
    id_includes_type: bool = False
    require_session: bool = True
    win_without_bet: WinWithoutBet = frozenset()
    wins_per_bet: Literal["one", "many"] = "one"
    settlement: Literal["per_bet", "per_round"] = "per_bet"
    rollback_unknown: Literal["reject", "accept"] = "reject"
    rollback_amount: Literal["must_match", "ignore"] = "must_match"
    rollback_after_win: Literal["refuse", "allow"] = "refuse"
    win_reversal: Literal["refuse", "take_available", "player_debt"] = "refuse"
    games: Literal["any", "listed"] = "any"
    currencies: frozenset[str] = frozenset()
    fx: bool = False
    round_timeout_hours: int = 24
    missing_bet_wait_seconds: int = 60
    status: Literal["active", "suspended"] = "active"


@dataclass(frozen=True, slots=True)
class Game:
    """One game of a provider whose profile says ``games = "listed"``."""

    provider: str
    game_id: str
    name: str = ""
    status: Literal["active", "suspended"] = "active"


@dataclass(frozen=True, slots=True)
class Jurisdiction:
    """What the law leaves to a jurisdiction: how long a raised limit waits before it may be confirmed, and in whose
    favour a conversion is rounded."""

    limit_raise_hours: int = 24
    fx_rounding: Literal["player", "house", "half_even"] = "player"


@dataclass(frozen=True, slots=True)
class Rate:
    """How much of one currency one unit of another is: decimal text as it was given, since when, and by whom."""

    text: str
    at: datetime
    source: str


#: Jurisdictions whose own rules are known without being told.
BUILT_IN_JURISDICTIONS: Mapping[str, Jurisdiction] = MappingProxyType(
    {"DE": Jurisdiction(limit_raise_hours=7 * 24)}
)


class Licensed(Protocol):
    """Somebody under a jurisdiction."""

    @property
    def jurisdiction(self) -> str | None: ...
    @property
    def country(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Reference:
    """All reference data of one revision. ``currencies`` maps a code to its exponent (decimals of the minor unit).

    ``elsewhere`` are the rules where no jurisdiction has its own. ``rates`` are by (from, to), the newest first; one
    that is older than ``rate_max_age_hours`` does not apply.
    """

    revision: int = 0
    providers: Mapping[str, Profile] = field(default_factory=dict)
    games: Mapping[tuple[str, str], Game] = field(default_factory=dict)
    currencies: Mapping[str, int] = field(default_factory=dict)
    pool_order: tuple[str, ...] = ("cash", "bonus")
    jurisdictions: Mapping[str, Jurisdiction] = field(default_factory=lambda: BUILT_IN_JURISDICTIONS)
    elsewhere: Jurisdiction = Jurisdiction()
    rates: Mapping[tuple[str, str], Sequence[Rate]] = field(default_factory=dict)
    rate_max_age_hours: int = 24

    def jurisdiction_of(self, player: Licensed) -> Jurisdiction:
        """The rules for a player: those of his jurisdiction, or, where he has none, of his country."""
        return self.jurisdictions.get(player.jurisdiction or player.country or "", self.elsewhere)


def stored_key(profile: Profile | None, player_id: str, transaction_id: str, type_: str) -> str:
    """The key an id is stored under within its provider: as sent, or made narrower by the provider's profile.

    The separator is outside the characters an id may have (0x20–0x7E), so no two ids share a key. Where ids include
    their type, a `bet_win` counts as a `bet`: what refers to one of them could not tell it from the other.
    """
    if profile is None or (profile.id_scope == "provider" and not profile.id_includes_type):
        return transaction_id
    parts = [transaction_id]
    if profile.id_scope == "player":
        parts.append(player_id)
    if profile.id_includes_type:
        parts.append("bet" if type_ == "bet_win" else type_)
    return "\x1f".join(parts)
