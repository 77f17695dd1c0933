"""A player of the naive house as a whole: what is looked at first, money that is moved, what the operator says."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from processor.devstack.traffic.naive.corrections import Corrections
from processor.devstack.traffic.naive.purses import BONUS, CASH, Fields, Key
from processor.devstack.traffic.providers import HOUSE_RULES


@dataclass(slots=True)
class NaiveWallet(Corrections):
    """What is remembered of one player: each of the traffic's events, decided as the law's text says.

    ``bonuses`` are those not ended yet, and whether something has to be staked before they are released: of what the
    traffic asks, no play is ever enough.
    """

    deposits_limited: bool = False
    bonuses: dict[str, bool] = field(default_factory=dict)
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
        if fields.get("currency", self.currency) != self.currency and not self._is_converted(key):
            return "WRONG_CURRENCY"
        code: str | None = getattr(self, fields["type"])(key, fields)
        return code

    @staticmethod
    def _is_converted(key: Key) -> bool:
        rules = HOUSE_RULES.get(key[0])
        return rules is not None and rules.converts

    # --------------------------------------------------------------------------- what the operator says of him

    def open_session(self, _key: Key, fields: Fields) -> str:
        self.session_id = fields["session_id"]
        return "OK"

    def block_player(self, _key: Key, _fields: Fields) -> str:
        self.blocked = True
        return "OK"

    def unblock_player(self, _key: Key, _fields: Fields) -> str:
        self.blocked = False
        return "OK"

    def set_limit(self, _key: Key, fields: Fields) -> str:
        """Lower at once; a raise waits for longer than any play lasts. One on deposits is below them all."""
        if fields["limit"] == "deposit":
            self.deposits_limited = True
            return "OK"
        asked = self.minor(fields["amount"])
        if self.single_bet_minor is None or asked < self.single_bet_minor:
            self.single_bet_minor = asked
        return "OK"

    # ----------------------------------------------------------------------------------- money that is moved

    def deposit(self, _key: Key, fields: Fields) -> str:
        if self.deposits_limited and not self.blocked:
            return "LIMIT_EXCEEDED"
        return self._received(CASH, fields)

    def _received(self, purse: str, fields: Fields) -> str:
        if self.blocked:
            return "PLAYER_BLOCKED"
        self.purses[purse] += self.minor(fields["amount"])
        return "OK"

    def withdraw(self, _key: Key, fields: Fields) -> str:
        return self._moved(CASH, None, self.minor(fields["amount"]))

    def transfer_in(self, key: Key, fields: Fields) -> str:
        return self._moved(CASH, f"game:{key[0]}", self.minor(fields["amount"]))

    def transfer_out(self, key: Key, fields: Fields) -> str:
        held = self.purses[f"game:{key[0]}"]
        if "reported_balance" in fields and self.minor(fields["reported_balance"]) != held:
            return "DISCREPANCY"
        asked = held if fields["amount"] == "all" else self.minor(fields["amount"])
        return self._moved(f"game:{key[0]}", CASH, asked)

    def _moved(self, source: str, target: str | None, amount_minor: int) -> str:
        if amount_minor > self.purses[source]:
            return "INSUFFICIENT_FUNDS"
        self.purses[source] -= amount_minor
        if target is not None:
            self.purses[target] += amount_minor
        return "OK"

    # --------------------------------------------------------------------------------------------- bonuses

    def grant_bonus(self, _key: Key, fields: Fields) -> str:
        code = self._received(BONUS, fields)
        if code == "OK":
            self.bonuses[fields["bonus_id"]] = "wagering_requirement" in fields
        return code

    def release_bonus(self, _key: Key, fields: Fields) -> str:
        if self.bonuses.get(fields["bonus_id"], True):
            return "INSUFFICIENT_FUNDS"
        code = self._moved(BONUS, CASH, self.minor(fields["amount"]))
        if code == "OK" and not self.purses[BONUS]:
            del self.bonuses[fields["bonus_id"]]
        return code

    def expire_bonus(self, _key: Key, fields: Fields) -> str:
        self.bonuses.pop(fields["bonus_id"], None)
        return self._moved(BONUS, None, min(self.minor(fields["amount"]), self.purses[BONUS]))
