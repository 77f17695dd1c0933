"""What play does to a player of the naive house: stakes, wins, rounds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from processor.devstack.traffic.naive.purses import Fields, Key, Purses, paid_into
from processor.devstack.traffic.providers import HOUSE_RULES


@dataclass(slots=True)
class Bet:
    """``parts`` is what each purse paid of it."""

    round: Key
    parts: dict[str, int]
    cancelled: bool = False
    refunded_minor: int = 0
    wins: int = 0

    @property
    def amount_minor(self) -> int:
        """All of it."""
        return sum(self.parts.values())


@dataclass(slots=True)
class Win:
    """What was paid, and where to."""

    purse: str
    amount_minor: int
    reversed: bool = False


@dataclass(slots=True)
class Play(Purses):
    """Decides what plays."""

    session_id: str | None = None
    blocked: bool = False
    single_bet_minor: int | None = None
    bets: dict[Key, Bet] = field(default_factory=dict)
    wins: dict[Key, Win] = field(default_factory=dict)
    refused: set[Key] = field(default_factory=set)
    tombstones: set[Key] = field(default_factory=set)
    closed_rounds: set[Key] = field(default_factory=set)

    def close_round(self, key: Key, fields: Fields) -> str:
        self.closed_rounds.add((key[0], fields["round_id"]))
        return "OK"

    def bet(self, key: Key, fields: Fields) -> str:
        return self._stakes(key, fields, {key: fields["amount"]})

    def _stakes(self, key: Key, fields: Fields, stakes: Mapping[Key, str]) -> str:
        """Take these stakes, all of them or none, and remember which."""
        amounts = {one: self.taken(amount, fields) for one, amount in stakes.items()}
        code = self._refusal_of_stakes(key, fields, list(amounts.values()))
        drawn = self.draw(key[0], list(amounts.values())) if code == "OK" else None
        if drawn is None:
            self.refused |= amounts.keys()
            return "INSUFFICIENT_FUNDS" if code == "OK" else code
        for one, parts in zip(amounts, drawn, strict=True):
            self.bets[one] = Bet((key[0], fields["round_id"]), parts)
        return "OK"

    def _refusal_of_stakes(self, key: Key, fields: Fields, amounts: list[int]) -> str:
        if fields["session_id"] != self.session_id:
            return "SESSION_EXPIRED"
        if self.blocked:
            return "PLAYER_BLOCKED"
        if (key[0], fields["round_id"]) in self.closed_rounds:
            return "ROUND_CLOSED"
        if self.single_bet_minor is not None and max(amounts) > self.single_bet_minor:
            return "LIMIT_EXCEEDED"
        return "OK"

    def win(self, key: Key, fields: Fields) -> str | None:
        if fields.get("kind") != "promo":
            refusal = self._refusal_of_win((key[0], fields["reference"]), fields)
            if refusal != "OK":
                return refusal
        self._pay(key, fields)
        self._may_close(key, fields)
        return "OK"

    def _refusal_of_win(self, reference: Key, fields: Fields) -> str | None:
        if (reference[0], fields["round_id"]) in self.closed_rounds:
            return "ROUND_CLOSED"
        if reference in self.refused:
            return "BET_NOT_FOUND"
        if reference in self.tombstones:
            return "ROLLED_BACK"
        bet = self.bets.get(reference)
        if bet is None:
            return None
        if bet.cancelled:
            return "ROLLED_BACK"
        if bet.wins and not HOUSE_RULES[reference[0]].many_wins:
            return "ALREADY_SETTLED"
        return "OK"

    def _pay(self, key: Key, fields: Fields) -> None:
        parts: Mapping[str, int] = {}
        if "reference" in fields:
            bet = self.bets[key[0], fields["reference"]]
            bet.wins += 1
            parts = bet.parts
        win = self.wins[key] = Win(paid_into(key[0], parts), self.given(fields["amount"], fields))
        self.purses[win.purse] += win.amount_minor

    def _may_close(self, key: Key, fields: Fields) -> None:
        if fields.get("round_closed"):
            self.closed_rounds.add((key[0], fields["round_id"]))

    def bet_win(self, key: Key, fields: Fields) -> str:
        code = self._stakes(key, fields, {key: fields["bet_amount"]})
        if code == "OK":
            self._pay(key, {**fields, "reference": key[1], "amount": fields["win_amount"]})
            self._may_close(key, fields)
        return code

    def batch(self, key: Key, fields: Fields) -> str:
        """The traffic's batches bring their own bets, and each of their wins names one of these."""
        by_type: dict[str, list[Fields]] = defaultdict(list)
        for action in fields["actions"]:
            by_type[action["type"]].append(action)
        stakes = {(key[0], bet["transaction_id"]): bet["amount"] for bet in by_type["bet"]}
        code = self._stakes(key, fields, stakes)
        if code == "OK":
            for win in by_type["win"]:
                self._pay((key[0], win["transaction_id"]), win)
            self._may_close(key, fields)
        return code
