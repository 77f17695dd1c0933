"""A second, naive wallet: it remembers every event with its answer and works everything out again from that list.

Written from the law's text, not from `processor/domain`: amounts are fractions, nothing is indexed, nothing is kept
but the history. It answers events in the order in which they are decided; who waits for whom is not its business.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

EXPONENTS = {"EUR": 2, "USD": 2, "JPY": 0}
STAKES = ("bet",)
NO_BET_NEEDED = ("promo", "tournament", "free_round", "jackpot", "bonus")


@dataclass
class Told:
    """One event and what was answered: ``moved`` is (currency, signed amount)."""

    event: dict[str, Any]
    code: str
    moved: tuple[str, Fraction] | None = None


@dataclass
class Expected:
    """What the naive wallet answers."""

    code: str
    cash: Fraction | None
    replayed: bool = False
    conflict: str | None = None


@dataclass
class NaiveWallet:
    """``profiles`` maps a provider to its flags, all of them spelled out."""

    profiles: dict[str, dict[str, Any]]
    told: list[Told] = field(default_factory=list)
    tombstones: list[tuple[str, str, str]] = field(default_factory=list)

    def answer(self, event: dict[str, Any], now: datetime, decided_at: datetime) -> Expected:
        """Decide one event and remember it."""
        known = next((one for one in self.told if self._same_id(one.event, event)), None)
        if known is not None:
            differs = self._difference(known.event, event)
            if differs is not None:
                return Expected("CONFLICT", self._cash(event, None), conflict=differs)
            return Expected(known.code, self._cash(event, known.moved), replayed=True)
        code, moved, burns = self._decide(event, now, decided_at)
        if burns:
            self.told.append(Told({**event, "now": now}, code, moved))
        return Expected(code, self._cash(event, moved))

    def _decide(
        self, event: dict[str, Any], now: datetime, decided_at: datetime
    ) -> tuple[str, tuple[str, Fraction] | None, bool]:
        refusal = self._refusal(event, now, decided_at)
        looked = event["type"] == "rollback" and refusal in (None, "PLAYER_NOT_FOUND")
        if looked and self._find(event, event["reference"]) is None:
            self.tombstones.append((event["player_id"], event["provider"], event["reference"]))
        if refusal is not None:
            return refusal, None, True
        if event["type"] == "win":
            return self._win(event)
        if event["type"] == "rollback":
            return (*self._rollback(event), True)
        amount = Fraction(event.get("amount") or 0)
        if event["type"] in ("bet", "withdraw"):
            if amount > self._sum(event["player_id"], event["currency"]):
                return "INSUFFICIENT_FUNDS", None, True
            return "OK", (event["currency"], -amount), True
        if event["type"] == "deposit":
            return "OK", (event["currency"], amount), True
        return "OK", None, True

    def _refusal(self, event: dict[str, Any], now: datetime, decided_at: datetime) -> str | None:
        type_, player_id, provider = event["type"], event["player_id"], event["provider"]
        if (player_id, provider, event["transaction_id"]) in self.tombstones:
            return "ROLLED_BACK"
        deadline = event.get("deadline")
        if deadline is not None and type_ in (*STAKES, "withdraw") and max(now, decided_at) > deadline:
            return "EXPIRED"
        wallets = self._wallets(player_id)
        if not wallets and type_ != "open_player":
            return "PLAYER_NOT_FOUND"
        if type_ in STAKES and self.profiles.get(provider, {}).get("status") != "active":
            return "GAME_BLOCKED"
        if type_ in ("bet", "win", "deposit", "withdraw") and event["currency"] not in wallets:
            return "WRONG_CURRENCY"
        if (
            type_ in STAKES
            and self.profiles[provider]["require_session"]
            and not self._in_session(event, now)
        ):
            return "SESSION_EXPIRED"
        by_round = type_ == "bet" or (type_ == "win" and event["kind"] == "game")
        return "ROUND_CLOSED" if by_round and self._is_closed(event, event["round_id"]) else None

    def _win(self, event: dict[str, Any]) -> tuple[str, tuple[str, Fraction] | None, bool]:
        bet = self._find(event, event["reference"]) if event["reference"] is not None else None
        is_game = event["kind"] == "game"
        paid = (event["currency"], Fraction(event["amount"]))
        if (event["player_id"], event["provider"], event["reference"]) in self.tombstones or (
            bet is not None and bet.event["type"] == "bet" and self._is_rolled_back(bet)
        ):
            return "ROLLED_BACK", None, True
        if bet is None or bet.event["type"] != "bet":
            profile = self.profiles.get(event["provider"], {"win_without_bet": [], "settlement": "per_bet"})
            if not is_game or profile["win_without_bet"]:
                return "OK", paid, True
            if event["reference"] is None and profile["settlement"] == "per_round":
                played = [one for one in self._bets(event) if one.event["round_id"] == event["round_id"]]
                if played:
                    lost = all(self._is_rolled_back(one) for one in played)
                    return ("ROLLED_BACK", None, True) if lost else ("OK", paid, True)
            return "BET_NOT_FOUND", None, False
        if bet.code != "OK":
            return ("ROLLED_BACK" if bet.code == "ROLLED_BACK" else "BET_NOT_FOUND"), None, True
        if bet.event["currency"] != event["currency"]:
            return "WRONG_CURRENCY", None, True
        if is_game and bet.event["round_id"] != event["round_id"]:
            return "BET_NOT_FOUND", None, False
        earlier = [one for one in self._wins_of(bet) if one.event["kind"] == "game"]
        if is_game and earlier and self.profiles[event["provider"]]["wins_per_bet"] == "one":
            return "ALREADY_SETTLED", None, True
        return "OK", paid, True

    def _rollback(self, event: dict[str, Any]) -> tuple[str, tuple[str, Fraction] | None]:
        bet = self._find(event, event["reference"])
        profile = self.profiles.get(
            event["provider"], {"rollback_unknown": "reject", "rollback_amount": "must_match"}
        )
        if bet is None:
            return ("OK" if profile["rollback_unknown"] == "accept" else "BET_NOT_FOUND"), None
        if bet.code == "ROLLED_BACK" or (bet.event["type"] == "bet" and bet.code != "OK"):
            return "OK", None
        if bet.event["type"] != "bet":
            return "NOT_ROLLBACKABLE", None
        if self._is_rolled_back(bet):
            return "ALREADY_ROLLED_BACK", None
        if self._wins_of(bet) or self._is_closed(event, bet.event["round_id"]):
            return "ALREADY_SETTLED", None
        named = event.get("amount")
        stake = Fraction(bet.event["amount"])
        if profile["rollback_amount"] == "must_match" and named is not None and Fraction(named) != stake:
            return "NOT_ROLLBACKABLE", None
        return "OK", (bet.event["currency"], stake)

    # ---------------------------------------------------------------------------------- reading the history

    def _same_id(self, one: dict[str, Any], other: dict[str, Any]) -> bool:
        if (one["provider"], one["transaction_id"]) != (other["provider"], other["transaction_id"]):
            return False
        profile = self.profiles.get(one["provider"], {})
        if profile.get("id_scope") == "player" and one["player_id"] != other["player_id"]:
            return False
        return not profile.get("id_includes_type") or one["type"] == other["type"]

    def _difference(self, one: dict[str, Any], other: dict[str, Any]) -> str | None:
        names = ["type", "player_id", "currency", "amount", "game_id", "round_id", "reference", "kind"]
        if one["type"] == "rollback":
            names = [name for name in names if name not in ("currency", "game_id", "round_id")]
        for name in names:
            before, now = one.get(name), other.get(name)
            if name == "amount" and before is not None and now is not None:
                before, now = Fraction(before), Fraction(now)
            if before != now:
                return name
        own = zip(one.get("own", ()), other.get("own", ()), strict=True)
        return next((name for (name, before), (_, now) in own if before != now), None)

    def _find(self, event: dict[str, Any], transaction_id: str) -> Told | None:
        found = [
            one
            for one in self.told
            if (one.event["provider"], one.event["player_id"], one.event["transaction_id"])
            == (event["provider"], event["player_id"], transaction_id)
        ]
        if self.profiles.get(event["provider"], {}).get("id_includes_type"):
            found = [one for one in found if one.event["type"] == "bet"]
        return found[0] if found else None

    def _accepted(self, event: dict[str, Any], type_: str) -> Iterator[Told]:
        for one in self.told:
            mine = (one.event["player_id"], one.event["provider"]) == (event["player_id"], event["provider"])
            if mine and one.event["type"] == type_ and one.code == "OK":
                yield one

    def _bets(self, event: dict[str, Any]) -> list[Told]:
        return list(self._accepted(event, "bet"))

    def _is_rolled_back(self, bet: Told) -> bool:
        named = (one.event["reference"] for one in self._accepted(bet.event, "rollback"))
        return bet.code == "OK" and bet.event["transaction_id"] in named

    def _wins_of(self, bet: Told) -> list[Told]:
        name = bet.event["transaction_id"]
        return [one for one in self._accepted(bet.event, "win") if one.event["reference"] == name]

    def _is_closed(self, event: dict[str, Any], round_id: str) -> bool:
        if any(one.event["round_id"] == round_id for one in self._accepted(event, "close_round")):
            return True
        profile = self.profiles.get(event["provider"], {})
        by_win = profile.get("settlement") == "per_round" and profile.get("wins_per_bet") == "one"
        return any(
            one.event["round_id"] == round_id
            and (one.event["round_closed"] or (by_win and one.event["kind"] == "game"))
            for one in self._accepted(event, "win")
        )

    def _in_session(self, event: dict[str, Any], now: datetime) -> bool:
        open_channels: dict[str, str] = {}
        began: dict[str, datetime] = {}
        for one in self.told:
            if one.event["player_id"] != event["player_id"] or one.code != "OK":
                continue
            session_id = one.event.get("session_id")
            if one.event["type"] == "open_session" and session_id is not None:
                for channel in [channel for channel, held in open_channels.items() if held == session_id]:
                    del open_channels[channel]
                open_channels[one.event["channel"]] = session_id
                began[session_id] = one.event["now"]
            if one.event["type"] == "close_session":
                open_channels = {
                    channel: held for channel, held in open_channels.items() if held != session_id
                }
        asked: str = event["session_id"]
        return asked in open_channels.values() and now < began[asked] + timedelta(hours=24)

    def _wallets(self, player_id: str) -> list[str]:
        return [
            one.event["currency"]
            for one in self.told
            if one.event["type"] == "open_player" and one.event["player_id"] == player_id and one.code == "OK"
        ]

    def _sum(self, player_id: str, currency: str) -> Fraction:
        moves = [
            one.moved for one in self.told if one.event["player_id"] == player_id and one.moved is not None
        ]
        return sum((amount for moved, amount in moves if moved == currency), Fraction(0))

    def _cash(self, event: dict[str, Any], moved: tuple[str, Fraction] | None) -> Fraction | None:
        """The wallet that was moved, else the one of the event's currency, else the first."""
        wallets = self._wallets(event["player_id"])
        if not wallets:
            return None
        currency = event.get("currency") if moved is None else moved[0]
        return self._sum(event["player_id"], currency if currency in wallets else wallets[0])
