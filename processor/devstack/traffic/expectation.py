"""What the traffic must leave behind: a second, naive wallet, with nothing in common with the real one.

It hears the events in the order sent, one at a time, and keeps plain dictionaries. It knows only what the
traffic does (one wallet per player, no bonus, no limits), and knows nothing of batches, offsets or crashes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import orjson

from processor.devstack.traffic.event import EXPONENTS, TrafficEvent
from processor.devstack.traffic.providers import HOUSE_RULES

Fields = Mapping[str, Any]


@dataclass(slots=True)
class _Bet:
    round: tuple[str, str]
    amount_minor: int
    cancelled: bool = False
    wins: int = 0


@dataclass(slots=True)
class _Wallet:
    """One player as the naive wallet sees him."""

    currency: str | None = None
    balance_minor: int = 0
    session_id: str | None = None
    bets: dict[tuple[str, str], _Bet] = field(default_factory=dict)
    refused: set[tuple[str, str]] = field(default_factory=set)
    tombstones: set[tuple[str, str]] = field(default_factory=set)
    closed_rounds: set[tuple[str, str]] = field(default_factory=set)
    queues: dict[str, list[Fields]] = field(default_factory=lambda: defaultdict(list))


def _fingerprint(fields: Fields) -> bytes:
    """What tells one event from another of its id: 16 bytes, for a long run has millions."""
    return blake2b(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


class Expectation:
    """Counts and balances that the ledger and the topics must show once everything is drained."""

    def __init__(self) -> None:
        self.codes: Counter[str] = Counter()
        self.letters: Counter[str] = Counter()
        self.replayed = 0
        self.events = 0
        self._wallets: dict[str, _Wallet] = defaultdict(_Wallet)
        self._known: dict[tuple[str, str], bytes] = {}

    @property
    def results(self) -> int:
        """How many results there must be: first decisions and repeats."""
        return sum(self.codes.values()) + self.replayed

    def balances(self) -> dict[tuple[str, str], int]:
        """(player, currency) to minor units of cash, for every player who was opened."""
        return {(p, w.currency): w.balance_minor for p, w in self._wallets.items() if w.currency is not None}

    def hear(self, event: TrafficEvent) -> None:
        self.events += 1
        if event.letter is not None:
            self.letters[event.letter] += 1
            return
        fields = event.fields or {}
        wallet = self._wallets[fields["player_id"]]
        queue = wallet.queues[fields["provider"]]
        if queue and queue[0]["reference"] != fields["transaction_id"]:
            queue.append(fields)
            return
        self._decide(wallet, fields)
        if queue and self._is_known(queue[0]["provider"], queue[0]["reference"]):
            self._release(wallet, fields["provider"])

    def finish(self) -> None:
        """The waiting is over: wins whose bets never came are refused, what queued behind them is decided."""
        for wallet in self._wallets.values():
            for provider in list(wallet.queues):
                if wallet.queues[provider]:
                    wallet.queues[provider].pop(0)
                    self.codes["BET_NOT_FOUND"] += 1
                    self._release(wallet, provider)

    def _release(self, wallet: _Wallet, provider: str) -> None:
        waiting, wallet.queues[provider] = wallet.queues[provider], []
        for fields in waiting:
            self._decide(wallet, fields)

    def _is_known(self, provider: str, transaction_id: str) -> bool:
        return (provider, transaction_id) in self._known

    def _decide(self, wallet: _Wallet, fields: Fields) -> None:
        key = (fields["provider"], fields["transaction_id"])
        if key in self._known:
            if self._known[key] == _fingerprint(fields):
                self.replayed += 1
            else:
                self.codes["CONFLICT"] += 1
            return
        code = self._code(wallet, key, fields)
        if code is None:
            wallet.queues[fields["provider"]].append(fields)
            return
        self.codes[code] += 1
        self._known[key] = _fingerprint(fields)

    def _code(self, wallet: _Wallet, key: tuple[str, str], fields: Fields) -> str | None:
        """The outcome's code, None where a win has to wait."""
        if key in wallet.tombstones:
            return "ROLLED_BACK"
        if fields["type"] == "open_player":
            wallet.currency = fields["currency"]
            return "OK"
        if "deadline" in fields:
            return "EXPIRED"
        if wallet.currency is None:
            return "PLAYER_NOT_FOUND"
        if fields.get("currency", wallet.currency) != wallet.currency:
            return "WRONG_CURRENCY"
        decide = {
            "deposit": self._deposit,
            "withdraw": self._withdraw,
            "open_session": self._open_session,
            "close_round": self._close_round,
            "bet": self._bet,
            "win": self._win,
            "rollback": self._rollback,
        }[fields["type"]]
        return decide(wallet, key, fields)

    @staticmethod
    def _amount(fields: Fields) -> int:
        return int(Decimal(fields["amount"]).scaleb(EXPONENTS[fields["currency"]]))

    def _deposit(self, wallet: _Wallet, _key: tuple[str, str], fields: Fields) -> str:
        wallet.balance_minor += self._amount(fields)
        return "OK"

    def _withdraw(self, wallet: _Wallet, _key: tuple[str, str], fields: Fields) -> str:
        if self._amount(fields) > wallet.balance_minor:
            return "INSUFFICIENT_FUNDS"
        wallet.balance_minor -= self._amount(fields)
        return "OK"

    def _open_session(self, wallet: _Wallet, _key: tuple[str, str], fields: Fields) -> str:
        wallet.session_id = fields["session_id"]
        return "OK"

    def _close_round(self, wallet: _Wallet, key: tuple[str, str], fields: Fields) -> str:
        wallet.closed_rounds.add((key[0], fields["round_id"]))
        return "OK"

    def _bet(self, wallet: _Wallet, key: tuple[str, str], fields: Fields) -> str:
        code = "OK"
        if fields["session_id"] != wallet.session_id:
            code = "SESSION_EXPIRED"
        elif (key[0], fields["round_id"]) in wallet.closed_rounds:
            code = "ROUND_CLOSED"
        elif self._amount(fields) > wallet.balance_minor:
            code = "INSUFFICIENT_FUNDS"
        if code != "OK":
            wallet.refused.add(key)
            return code
        wallet.balance_minor -= self._amount(fields)
        wallet.bets[key] = _Bet((key[0], fields["round_id"]), self._amount(fields))
        return "OK"

    def _win(self, wallet: _Wallet, key: tuple[str, str], fields: Fields) -> str | None:
        if fields.get("kind") != "promo":
            refusal = self._refusal_of_win(wallet, (key[0], fields["reference"]), fields)
            if refusal != "OK":
                return refusal
            wallet.bets[key[0], fields["reference"]].wins += 1
        wallet.balance_minor += self._amount(fields)
        if fields.get("round_closed"):
            wallet.closed_rounds.add((key[0], fields["round_id"]))
        return "OK"

    @staticmethod
    def _refusal_of_win(wallet: _Wallet, reference: tuple[str, str], fields: Fields) -> str | None:
        if (reference[0], fields["round_id"]) in wallet.closed_rounds:
            return "ROUND_CLOSED"
        if reference in wallet.refused:
            return "BET_NOT_FOUND"
        if reference in wallet.tombstones:
            return "ROLLED_BACK"
        bet = wallet.bets.get(reference)
        if bet is None:
            return None
        if bet.cancelled:
            return "ROLLED_BACK"
        if bet.wins and not HOUSE_RULES[reference[0]].many_wins:
            return "ALREADY_SETTLED"
        return "OK"

    @staticmethod
    def _rollback(wallet: _Wallet, key: tuple[str, str], fields: Fields) -> str:
        reference = (key[0], fields["reference"])
        if reference in wallet.refused:
            return "OK"
        bet = wallet.bets.get(reference)
        if bet is None:
            wallet.tombstones.add(reference)
            return "OK" if HOUSE_RULES[key[0]].accepts_unknown_rollbacks else "BET_NOT_FOUND"
        if bet.cancelled:
            return "ALREADY_ROLLED_BACK"
        if bet.wins or bet.round in wallet.closed_rounds:
            return "ALREADY_SETTLED"
        bet.cancelled = True
        wallet.balance_minor += bet.amount_minor
        return "OK"
