"""One event of the traffic as it is sent: key, bytes, and what the expectation needs to know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

import orjson

#: The first event's `occurred_at`. Fixed, so that a seed gives the same bytes on every day.
STARTS_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)

#: Decimals of the currencies that the traffic plays in.
EXPONENTS: Final[Mapping[str, int]] = {"EUR": 2, "JPY": 0, "BTC": 8, "ETH": 18, "USD": 2}

#: Minor units of one "chip", the stake unit of a currency: 0.10 EUR, 10 JPY, 0.00001 BTC, 0.0001 ETH, 0.10 USD.
CHIP_MINOR: Final[Mapping[str, int]] = {"EUR": 10, "JPY": 10, "BTC": 1_000, "ETH": 10**14, "USD": 10}

#: Chips: a player who is at play deposits no less.
LOWEST_DEPOSIT: Final = 10


@dataclass(frozen=True, slots=True)
class TrafficEvent:
    """One record for the events topic.

    ``fields`` is the event as sent, None where the bytes are no event at all. ``letter`` is the dead-letter
    reason that it must end with, None where it must get a result.
    """

    key: bytes
    value: bytes | None
    what: str
    fields: Mapping[str, Any] | None = None
    letter: str | None = None


@dataclass(slots=True)
class Player:
    """What the traffic remembers of a player between two pieces of play."""

    player_id: str
    currency: str
    session_id: str = ""
    sessions: int = 0
    sent: list[TrafficEvent] = field(default_factory=list)


class Table:
    """Makes events: ids in order, amounts as text, times that go on. All chance comes from ``random``."""

    def __init__(self, random: Random, run: str) -> None:
        self.random = random
        self.run = run
        self._made = 0

    def new_id(self, letter: str) -> str:
        """An id that no other event of this run has."""
        self._made += 1
        return f"{self.run}-{letter}{self._made}"

    def occurred_at(self) -> str:
        """The time at the sender: it goes on by a millisecond with each id."""
        return (STARTS_AT + timedelta(milliseconds=self._made)).isoformat().replace("+00:00", "Z")

    def event(self, player: Player, type_: str, provider: str, what: str, **fields: Any) -> TrafficEvent:
        """An event of this player with an id of its own (or the ``transaction_id`` given)."""
        transaction_id = fields.pop("transaction_id", None) or self.new_id(type_[0])
        body = {
            "type": type_,
            "provider": provider,
            "transaction_id": transaction_id,
            "player_id": player.player_id,
            "occurred_at": self.occurred_at(),
            **fields,
        }
        # A copy, for orjson hands out its buffer of some KiB, and whoever keeps millions of events keeps these, too.
        value = bytes(memoryview(orjson.dumps(body)))
        return TrafficEvent(player.player_id.encode(), value, what, body)


def chips_text(count: int, currency: str) -> str:
    """So many chips of a currency as the wire's decimal text: (25, EUR) is ``2.50``."""
    return amount_text(count * CHIP_MINOR[currency], currency)


def amount_text(minor: int, currency: str) -> str:
    """Minor units as the wire's decimal text: (250, EUR) is ``2.50``."""
    exponent = EXPONENTS[currency]
    if exponent == 0:
        return str(minor)
    digits = str(minor).rjust(exponent + 1, "0")
    return f"{digits[:-exponent]}.{digits[-exponent:]}"
