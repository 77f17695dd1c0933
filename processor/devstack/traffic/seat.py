"""One player in one round at one provider's game: what its bets, wins and rollbacks have in common."""

from __future__ import annotations

from typing import Any, Final

from processor.devstack.traffic.event import Player, Table, TrafficEvent, chips_text
from processor.devstack.traffic.providers import ABROAD, HOUSE_RULES, HouseRules

_AT_HOME: Final = tuple(
    name for name, rules in HOUSE_RULES.items() if not rules.game_wallet and not rules.converts
)
_GAMES: Final = ("book-of-tests", "lucky-sevens", "blackjack-1", "roulette-9")


class Seat:
    """One player in one round at one provider's game: the fields that its bets and wins share."""

    def __init__(self, table: Table, player: Player, provider: str | None = None) -> None:
        """At the provider named, or at any that plays from the wallet in the wallet's currency."""
        self.table = table
        self.player = player
        self.provider = provider or table.random.choice(_AT_HOME)
        self.currency = ABROAD if self.rules.converts else player.currency
        self.game_id = table.random.choice(_GAMES)
        self.round_id = table.new_id("r")

    @property
    def rules(self) -> HouseRules:
        """How its provider plays."""
        return HOUSE_RULES[self.provider]

    def place(self) -> dict[str, Any]:
        """The fields of whatever is played here."""
        return {
            "currency": self.currency,
            "game_id": self.game_id,
            "round_id": self.round_id,
            "session_id": self.player.session_id,
        }

    def amount(self, lowest_chips: int, highest_chips: int) -> str:
        """So many chips, as the wire's text."""
        return chips_text(self.table.random.randint(lowest_chips, highest_chips), self.currency)

    def bet(self, what: str = "bet", **fields: Any) -> TrafficEvent:
        merged = {**self.place(), "amount": self.amount(1, 20), **fields}
        return self.table.event(self.player, "bet", self.provider, what, **merged)

    def win(self, bet_id: str, what: str = "win", **fields: Any) -> TrafficEvent:
        merged = {**self.place(), "amount": self.amount(0, 30), "reference": bet_id, **fields}
        return self.table.event(self.player, "win", self.provider, what, **merged)

    def rollback(self, bet_id: str, what: str = "rollback") -> TrafficEvent:
        return self.table.event(self.player, "rollback", self.provider, what, reference=bet_id)


def id_of(event: TrafficEvent) -> str:
    """Its transaction id."""
    return str((event.fields or {})["transaction_id"])
