"""The bench's records: bets and wins of players with money enough, the same for the bare loop and the product."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import Any, Final, NamedTuple

import orjson

PROVIDER: Final = "bench"
PROVIDERS_TOML: Final = f'[providers.{PROVIDER}]\nwins_per_bet = "many"\n'

_OCCURRED_AT: Final = "2026-01-01T00:00:00Z"
#: So many rounds are under way at once: a win follows its bet at this distance.
_ROUNDS_AT_ONCE: Final = 100


class BenchEvent(NamedTuple):
    """One record for the events topic."""

    key: bytes
    value: bytes


class BenchTraffic:
    """Players who open, deposit and sit down once, and then bet and win, round after round."""

    def __init__(self, players: int, seed: int = 1) -> None:
        self._players = [f"bench-p{number}" for number in range(players)]
        self._random = Random(seed)
        self._ids = 0
        self._play = self._rounds()

    def opening(self) -> Iterator[BenchEvent]:
        """Three events for each player: account, money, session."""
        for player in self._players:
            yield self._event("open_player", "operator", player, currency="EUR")
            yield self._event("deposit", "cashier", player, currency="EUR", amount="100000.00")
            yield self._event("open_session", "operator", player, currency="EUR", session_id=f"{player}-s")

    def play(self, count: int) -> list[BenchEvent]:
        """The next bets and wins; every one of them must be accepted."""
        return list(islice(self._play, count))

    def _rounds(self) -> Iterator[BenchEvent]:
        first = 0
        while True:
            bets = []
            for number in range(first, first + _ROUNDS_AT_ONCE):
                player = self._players[number % len(self._players)]
                place = self._place(player, number)
                bet_id = self._new_id("b")
                bets.append((player, place, bet_id))
                yield self._event(
                    "bet", PROVIDER, player, transaction_id=bet_id, amount=self._amount(), **place
                )
            for player, place, bet_id in bets:
                fields = {**place, "reference": bet_id, "round_closed": True}
                yield self._event("win", PROVIDER, player, amount=self._amount(), **fields)
            first += _ROUNDS_AT_ONCE

    @staticmethod
    def _place(player: str, number: int) -> dict[str, Any]:
        return {
            "session_id": f"{player}-s",
            "game_id": "book-of-tests",
            "round_id": f"round-{number:012d}",
            "currency": "EUR",
        }

    def _amount(self) -> str:
        return f"{self._random.randrange(10, 500) / 100:.2f}"

    def _new_id(self, letter: str) -> str:
        self._ids += 1
        return f"{letter}-{self._random.getrandbits(64):016x}-{self._ids:012d}"

    def _event(self, type_: str, provider: str, player: str, **fields: Any) -> BenchEvent:
        body = {
            "type": type_,
            "provider": provider,
            "transaction_id": fields.pop("transaction_id", None) or self._new_id(type_[0]),
            "player_id": player,
            "occurred_at": _OCCURRED_AT,
            **fields,
        }
        return BenchEvent(player.encode(), orjson.dumps(body))
