"""Commands: what a believed event asks of the wallet, in the law's own terms (exact integers, aware times)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

#: Types that take a stake from the player (wallet-law: "stake-taking").
STAKE_TAKING: Final = frozenset({"bet", "bet_win", "batch"})

CASHIER: Final = "cashier"
OPERATOR: Final = "operator"


@dataclass(slots=True)
class Command:
    """One event as the law reads it.

    ``amount_minor`` is in minor units of ``currency`` (None where the event names no currency: then
    ``amount_text`` is compared by value once the bet, and with it the currency, is known).
    ``win_minor`` is the winning half of a `bet_win`, whose ``amount_minor`` is the stake.
    ``actions`` are a batch's bets and wins, each with what it inherits.
    ``plain`` says that no text of it needs an escape in JSON.
    ``own`` holds the type's own fields in the contract's order as (name, text) pairs, so that two events
    under one id can be compared field by field.
    """

    type: str
    provider: str
    transaction_id: str
    player_id: str
    partition: int
    offset: int
    broker_time: datetime
    currency: str | None = None
    amount_minor: int | None = None
    amount_text: str | None = None
    game_id: str | None = None
    round_id: str | None = None
    session_id: str | None = None
    reference: str | None = None
    kind: str | None = None
    round_closed: bool = False
    deadline: datetime | None = None
    own: tuple[tuple[str, str | None], ...] = ()
    metadata: bytes | None = None
    traceparent: bytes | None = None
    plain: bool = False
    win_minor: int = 0
    actions: tuple[Command, ...] = ()

    def own_field(self, name: str) -> str | None:
        """The text of one of the type's own fields, None where it was not sent."""
        for field, text in self.own:
            if field == name:
                return text
        return None
