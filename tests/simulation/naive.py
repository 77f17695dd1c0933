"""A naive wallet for the oracle: it goes through the answers as they were decided and says which it would have given.

Written from the law's text for the few types that the simulation plays (one currency, one game provider, no sessions).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Name = tuple[str, str]

_COMPARED = ("type", "player_id", "currency", "amount", "game_id", "round_id", "reference")


@dataclass
class NaiveWallet:
    """Balances are whole cents of cash by player."""

    cash: dict[str, int] = field(default_factory=dict)
    known: dict[Name, tuple[dict[str, Any], str]] = field(default_factory=dict)
    tombstones: set[Name] = field(default_factory=set)
    rolled_back: set[Name] = field(default_factory=set)
    settled: set[Name] = field(default_factory=set)

    def complain(self, event: dict[str, Any], body: dict[str, Any]) -> str | None:
        """What is wrong with this answer to this event, given all the answers before; None where nothing is."""
        replayed, allowed = self._decide(event)
        if body["code"] not in allowed:
            return (
                f"{event['transaction_id']} was answered {body['code']}, not {' or '.join(sorted(allowed))}"
            )
        if body["replayed"] != replayed:
            return f"{event['transaction_id']} was answered with replayed={body['replayed']}"
        cash = self.cash.get(event["player_id"])
        told = None if body["balance"] is None else cents(body["balance"]["cash"])
        if cash is not None and told != cash:
            return f"after {event['transaction_id']} the balance was told as {told}, not {cash}"
        return None

    def _decide(self, event: dict[str, Any]) -> tuple[bool, set[str]]:
        name = (event["provider"], event["transaction_id"])
        known = self.known.get(name)
        if known is not None:
            if any(known[0].get(each) != event.get(each) for each in _COMPARED):
                return False, {"CONFLICT"}
            return True, {known[1]}
        allowed = self._first(event, name)
        code = min(allowed)
        if not (event["type"] == "win" and code == "BET_NOT_FOUND" and self._bet_of(event) is None):
            self.known[name] = (event, code)
        return False, allowed

    def _first(self, event: dict[str, Any], name: Name) -> set[str]:
        player, type_ = event["player_id"], event["type"]
        bet = self._bet_of(event)
        mark = (player, event.get("reference") or "")
        if (player, name[1]) in self.tombstones and event["provider"] == "acme":
            return {"ROLLED_BACK"}
        if type_ == "rollback" and bet is None:
            self.tombstones.add(mark)
        if type_ == "open_player":
            self.cash.setdefault(player, 0)
            return {"OK"}
        if player not in self.cash:
            return {"PLAYER_NOT_FOUND"}
        if type_ == "deposit":
            self.cash[player] += cents(event["amount"])
            return {"OK"}
        if type_ == "bet":
            if cents(event["amount"]) > self.cash[player]:
                return {"INSUFFICIENT_FUNDS"}
            self.cash[player] -= cents(event["amount"])
            return {"OK"}
        return self._rollback(bet, mark, event) if type_ == "rollback" else self._win(bet, mark, event)

    def _rollback(
        self, bet: tuple[dict[str, Any], str] | None, mark: Name, event: dict[str, Any]
    ) -> set[str]:
        if bet is None:
            return {"BET_NOT_FOUND"}
        if bet[1] != "OK":
            return {"OK"}
        if mark in self.rolled_back:
            return {"ALREADY_ROLLED_BACK"}
        if mark in self.settled:
            return {"ALREADY_SETTLED"}
        self.rolled_back.add(mark)
        self.cash[event["player_id"]] += cents(bet[0]["amount"])
        return {"OK"}

    def _win(self, bet: tuple[dict[str, Any], str] | None, mark: Name, event: dict[str, Any]) -> set[str]:
        if mark in self.tombstones or mark in self.rolled_back:
            return {"ROLLED_BACK"}
        if bet is None:
            return {"BET_NOT_FOUND"}
        if bet[1] != "OK":
            return {"ROLLED_BACK" if bet[1] == "ROLLED_BACK" else "BET_NOT_FOUND"}
        if mark in self.settled:
            return {"ALREADY_SETTLED"}
        self.settled.add(mark)
        self.cash[event["player_id"]] += cents(event["amount"])
        return {"OK"}

    def _bet_of(self, event: dict[str, Any]) -> tuple[dict[str, Any], str] | None:
        """The player's own bet that this event names."""
        found = self.known.get((event["provider"], event.get("reference") or ""))
        ours = found is not None and found[0]["player_id"] == event["player_id"] and found[0]["type"] == "bet"
        return found if ours else None

    def foresee(self, events: list[tuple[dict[str, Any], str]]) -> None:
        """A rollback takes the bet that it names out of its queue: the bet is answered first, by the tombstone."""
        for place, (event, code) in enumerate(events):
            if event["type"] == "bet" and code == "ROLLED_BACK":
                named = (event["player_id"], event["transaction_id"])
                later = [one for one, _ in events[place + 1 :] if one["type"] == "rollback"]
                if any((one["player_id"], one["reference"]) == named for one in later):
                    self.tombstones.add(named)


def cents(text: str) -> int:
    """An amount of euros in cents."""
    whole, _, part = text.partition(".")
    return int(whole) * 100 + int((part + "00")[:2])
