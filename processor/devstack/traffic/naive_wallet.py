"""One player of the naive house: what each of the traffic's events does to him, written from the law's text."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from processor.devstack.traffic.event import EXPONENTS
from processor.devstack.traffic.providers import HOUSE_RULES

Fields = Mapping[str, Any]
Key = tuple[str, str]

CASH: Final = "cash"


@dataclass(slots=True)
class _Bet:
    round: Key
    amount_minor: int
    cancelled: bool = False
    refunded_minor: int = 0
    wins: int = 0


@dataclass(slots=True)
class _Win:
    purse: str
    amount_minor: int
    reversed: bool = False


@dataclass(slots=True)
class NaiveWallet:
    """What is remembered of one player. ``purses`` are minor units of cash, and of each game wallet by its provider."""

    currency: str | None = None
    purses: Counter[str] = field(default_factory=Counter)
    session_id: str | None = None
    blocked: bool = False
    single_bet_minor: int | None = None
    bets: dict[Key, _Bet] = field(default_factory=dict)
    wins: dict[Key, _Win] = field(default_factory=dict)
    refused: set[Key] = field(default_factory=set)
    tombstones: set[Key] = field(default_factory=set)
    closed_rounds: set[Key] = field(default_factory=set)
    queues: dict[str, list[Fields]] = field(default_factory=lambda: defaultdict(list))

    def decide(self, key: Key, fields: Fields) -> str | None:
        """The code of an event that is new, None where a win has to wait."""
        if key in self.tombstones:
            return "ROLLED_BACK"
        if fields["type"] == "open_player":
            self.currency = fields["currency"]
            return "OK"
        if "deadline" in fields:
            return "EXPIRED"
        if self.currency is None:
            return "PLAYER_NOT_FOUND"
        if fields.get("currency", self.currency) != self.currency:
            return "WRONG_CURRENCY"
        code: str | None = getattr(self, f"_{fields['type']}")(key, fields)
        return code

    def _minor(self, amount: str) -> int:
        return int(Decimal(amount).scaleb(EXPONENTS[self.currency or ""]))

    # --------------------------------------------------------------------------- what the operator says of him

    def _open_session(self, _key: Key, fields: Fields) -> str:
        self.session_id = fields["session_id"]
        return "OK"

    def _block_player(self, _key: Key, _fields: Fields) -> str:
        self.blocked = True
        return "OK"

    def _unblock_player(self, _key: Key, _fields: Fields) -> str:
        self.blocked = False
        return "OK"

    def _set_limit(self, _key: Key, fields: Fields) -> str:
        """Lower at once; a raise waits for longer than any play lasts."""
        asked = self._minor(fields["amount"])
        if self.single_bet_minor is None or asked < self.single_bet_minor:
            self.single_bet_minor = asked
        return "OK"

    # ----------------------------------------------------------------------------------- money that is moved

    def _deposit(self, _key: Key, fields: Fields) -> str:
        if self.blocked:
            return "PLAYER_BLOCKED"
        self.purses[CASH] += self._minor(fields["amount"])
        return "OK"

    def _withdraw(self, _key: Key, fields: Fields) -> str:
        return self._moved(CASH, None, self._minor(fields["amount"]))

    def _transfer_in(self, key: Key, fields: Fields) -> str:
        return self._moved(CASH, key[0], self._minor(fields["amount"]))

    def _transfer_out(self, key: Key, fields: Fields) -> str:
        held = self.purses[key[0]]
        if "reported_balance" in fields and self._minor(fields["reported_balance"]) != held:
            return "DISCREPANCY"
        return self._moved(key[0], CASH, held if fields["amount"] == "all" else self._minor(fields["amount"]))

    def _moved(self, source: str, target: str | None, amount_minor: int) -> str:
        if amount_minor > self.purses[source]:
            return "INSUFFICIENT_FUNDS"
        self.purses[source] -= amount_minor
        if target is not None:
            self.purses[target] += amount_minor
        return "OK"

    # ------------------------------------------------------------------------------------------------- play

    @staticmethod
    def _purse(key: Key) -> str:
        return key[0] if HOUSE_RULES[key[0]].game_wallet else CASH

    def _close_round(self, key: Key, fields: Fields) -> str:
        self.closed_rounds.add((key[0], fields["round_id"]))
        return "OK"

    def _stakes(self, key: Key, fields: Fields, stakes: Mapping[Key, str]) -> str:
        """Take these stakes, all of them or none, and remember which."""
        amounts = {one: self._minor(amount) for one, amount in stakes.items()}
        code = self._refusal_of_stakes(key, fields, list(amounts.values()))
        if code != "OK":
            self.refused |= amounts.keys()
            return code
        self.purses[self._purse(key)] -= sum(amounts.values())
        for one, amount_minor in amounts.items():
            self.bets[one] = _Bet((key[0], fields["round_id"]), amount_minor)
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
        return "INSUFFICIENT_FUNDS" if sum(amounts) > self.purses[self._purse(key)] else "OK"

    def _bet(self, key: Key, fields: Fields) -> str:
        return self._stakes(key, fields, {key: fields["amount"]})

    def _win(self, key: Key, fields: Fields) -> str | None:
        if fields.get("kind") != "promo":
            refusal = self._refusal_of_win((key[0], fields["reference"]), fields)
            if refusal != "OK":
                return refusal
        self._pay(key, fields)
        self._may_close(key, fields)
        return "OK"

    def _pay(self, key: Key, fields: Fields) -> None:
        if "reference" in fields:
            self.bets[key[0], fields["reference"]].wins += 1
        self.wins[key] = _Win(self._purse(key), self._minor(fields["amount"]))
        self.purses[self._purse(key)] += self.wins[key].amount_minor

    def _may_close(self, key: Key, fields: Fields) -> None:
        if fields.get("round_closed"):
            self.closed_rounds.add((key[0], fields["round_id"]))

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

    def _bet_win(self, key: Key, fields: Fields) -> str:
        code = self._stakes(key, fields, {key: fields["bet_amount"]})
        if code == "OK":
            self._pay(key, {"reference": key[1], "amount": fields["win_amount"]})
            self._may_close(key, fields)
        return code

    def _batch(self, key: Key, fields: Fields) -> str:
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

    # ------------------------------------------------------------------------- what is given back or put right

    def _is_settled(self, bet: _Bet) -> bool:
        return bool(bet.wins) or bet.round in self.closed_rounds

    def _rollback(self, key: Key, fields: Fields) -> str:
        reference = (key[0], fields["reference"])
        if reference in self.refused:
            return "OK"
        bet = self.bets.get(reference)
        if bet is None:
            self.tombstones.add(reference)
            return "OK" if HOUSE_RULES[key[0]].accepts_unknown_rollbacks else "BET_NOT_FOUND"
        if bet.cancelled:
            return "ALREADY_ROLLED_BACK"
        if bet.refunded_minor or self._is_settled(bet):
            return "ALREADY_SETTLED"
        bet.cancelled = True
        self.purses[self._purse(key)] += bet.amount_minor
        return "OK"

    def _refund(self, key: Key, fields: Fields) -> str:
        bet = self.bets.get((key[0], fields["reference"]))
        if bet is None:
            return "BET_NOT_FOUND"
        if bet.cancelled:
            return "ALREADY_ROLLED_BACK"
        if self._is_settled(bet):
            return "ALREADY_SETTLED"
        amount_minor = self._minor(fields["amount"])
        if bet.refunded_minor + amount_minor > bet.amount_minor:
            return "REFUND_EXCEEDS_BET"
        bet.refunded_minor += amount_minor
        self.purses[self._purse(key)] += amount_minor
        return "OK"

    def _reverse_win(self, key: Key, fields: Fields) -> str:
        win = self.wins.get((key[0], fields["reference"]))
        if win is None:
            return "BET_NOT_FOUND"
        if win.reversed:
            return "ALREADY_ROLLED_BACK"
        if not HOUSE_RULES[key[0]].takes_back:
            return "NOT_ROLLBACKABLE"
        win.reversed = True
        self.purses[win.purse] -= min(win.amount_minor, self.purses[win.purse])
        return "OK"

    def _adjust(self, key: Key, fields: Fields) -> str:
        amount_minor = self._minor(fields["amount"])
        if -amount_minor > self.purses[CASH] and not HOUSE_RULES[key[0]].takes_back:
            return "INSUFFICIENT_FUNDS"
        self.purses[CASH] = max(0, self.purses[CASH] + amount_minor)
        return "OK"
