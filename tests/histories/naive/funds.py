"""Money that is moved and not played: the cashier's, transfers, bonuses of the naive wallet."""

from __future__ import annotations

from tests.histories.naive.corrections import Corrections
from tests.histories.naive.verdict import Verdict
from tests.histories.past import Fact, minor


class Funds(Corrections):
    """Decides what comes, goes and is granted."""

    def _deposit(self, fact: Fact) -> Verdict:
        amount, player_id = minor(fact.event["amount"], fact.event["currency"]), fact.event["player_id"]
        for (name, _), value in self.limits(player_id).items():
            used = self.usage(player_id)["deposited"]
            if name == "deposit" and fact.wallet == "EUR" and amount > max(0, value - used):
                return Verdict("LIMIT_EXCEEDED")
        self._receive(fact, "cash", amount)
        return Verdict("OK")

    def _withdraw(self, fact: Fact) -> Verdict:
        return self._moved(fact, "cash", None)

    def _transfer_in(self, fact: Fact) -> Verdict:
        return self._moved(fact, "cash", "game:live")

    def _moved(self, fact: Fact, source: str, target: str | None) -> Verdict:
        amount = minor(fact.event["amount"], fact.event["currency"])
        if amount > self.balance(fact.event["player_id"], fact.wallet, source):
            return Verdict("INSUFFICIENT_FUNDS")
        fact.moves[(fact.wallet, source)] -= amount
        if target is not None:
            fact.moves[(fact.wallet, target)] += amount
        return Verdict("OK")

    def _transfer_out(self, fact: Fact) -> Verdict:
        event = fact.event
        held = self.balance(event["player_id"], fact.wallet, "game:live")
        told = event.get("reported_balance")
        settled = 0
        if told is not None and minor(told, event["currency"]) != held:
            if self.rules(event)["transfer_settlement"] != "provider":
                return Verdict("DISCREPANCY")
            settled = minor(told, event["currency"]) - held
        amount = held + settled if event["amount"] == "all" else minor(event["amount"], event["currency"])
        if amount > held + settled:
            return Verdict("INSUFFICIENT_FUNDS")
        fact.settled = settled
        fact.moves[(fact.wallet, "game:live")] += settled - amount
        fact.moves[(fact.wallet, "cash")] += amount
        return Verdict("OK")

    def _grant_bonus(self, fact: Fact) -> Verdict:
        fact.moves[(fact.wallet, "bonus")] += minor(fact.event["amount"], fact.event["currency"])
        return Verdict("OK")

    def _expire_bonus(self, fact: Fact) -> Verdict:
        held = self.balance(fact.event["player_id"], fact.wallet, "bonus")
        fact.moves[(fact.wallet, "bonus")] -= min(held, minor(fact.event["amount"], fact.event["currency"]))
        return Verdict("OK")

    def _release_bonus(self, fact: Fact) -> Verdict:
        event = fact.event
        bonus = self.bonuses(event["player_id"]).get((event["bonus_id"], fact.wallet))
        amount = minor(event["amount"], event["currency"])
        held = self.balance(event["player_id"], fact.wallet, "bonus")
        if bonus is None or bonus.wagered < bonus.required or amount > held:
            return Verdict("INSUFFICIENT_FUNDS")
        fact.moves[(fact.wallet, "bonus")] -= amount
        fact.moves[(fact.wallet, "cash")] += amount
        return Verdict("OK")
