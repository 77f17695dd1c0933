"""What is given back to a player of the naive house, or put right: rollbacks, refunds, reversed wins, adjustments."""

from __future__ import annotations

from dataclasses import dataclass

from processor.devstack.traffic.naive.play import Bet, Play
from processor.devstack.traffic.naive.purses import CASH, Fields, Key
from processor.devstack.traffic.providers import HOUSE_RULES


@dataclass(slots=True)
class Corrections(Play):
    """Decides what undoes."""

    def _is_settled(self, bet: Bet) -> bool:
        return bool(bet.wins) or bet.round in self.closed_rounds

    def rollback(self, key: Key, fields: Fields) -> str:
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
        self.purses.update(bet.parts)
        return "OK"

    def refund(self, key: Key, fields: Fields) -> str:
        bet = self.bets.get((key[0], fields["reference"]))
        if bet is None:
            return "BET_NOT_FOUND"
        if bet.cancelled:
            return "ALREADY_ROLLED_BACK"
        if self._is_settled(bet):
            return "ALREADY_SETTLED"
        before_minor, after_minor = bet.refunded_minor, bet.refunded_minor + self.minor(fields["amount"])
        if after_minor > bet.amount_minor:
            return "REFUND_EXCEEDS_BET"
        bet.refunded_minor = after_minor
        self.purses.update(_shares(bet, after_minor))
        self.purses.subtract(_shares(bet, before_minor))
        return "OK"

    def reverse_win(self, key: Key, fields: Fields) -> str:
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

    def adjust(self, key: Key, fields: Fields) -> str:
        amount_minor = self.minor(fields["amount"])
        if -amount_minor > self.purses[CASH] and not HOUSE_RULES[key[0]].takes_back:
            return "INSUFFICIENT_FUNDS"
        self.purses[CASH] = max(0, self.purses[CASH] + amount_minor)
        return "OK"


def _shares(bet: Bet, given_back_minor: int) -> dict[str, int]:
    """How much of each purse is back once so much of the bet is: in proportion, what is left over to cash."""
    shares = {purse: part * given_back_minor // bet.amount_minor for purse, part in bet.parts.items()}
    rest = CASH if CASH in shares else next(iter(shares))
    shares[rest] += given_back_minor - sum(shares.values())
    return shares
