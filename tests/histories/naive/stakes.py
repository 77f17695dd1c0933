"""Bets and wins of the naive wallet: what a stake takes from which pool, where a win goes."""

from __future__ import annotations

from math import ceil, floor

from tests.histories.naive.verdict import Verdict
from tests.histories.past import Fact, Past, minor

WIN_ACCOUNT = {"game": "gaming", "free_round": "gaming", "jackpot": "jackpot", "tournament": "tournament"}
STAKES = ("bet", "bet_win", "batch")
WITH_AMOUNT = (
    *STAKES, "win", "adjust", "deposit", "withdraw", "transfer_in", "transfer_out", "grant_bonus", "expire_bonus",
    "release_bonus",
)  # fmt: skip
CONVERTED = (*STAKES, "win", "adjust")


class Stakes(Past):
    """Decides what plays."""

    def _currency(self, fact: Fact, wallets: list[str]) -> Verdict | None:
        event = fact.event
        type_, currency = event["type"], event.get("currency")
        if type_ in ("set_limit", "confirm_limit"):
            return None if currency in wallets else Verdict("WRONG_CURRENCY")
        if type_ not in WITH_AMOUNT:
            return None
        fact.wallet = currency or ""
        if currency in wallets:
            return None
        if type_ not in CONVERTED:
            return Verdict("WRONG_CURRENCY")
        bet = self.bet_of(event)
        by_bet = bet is not None and bet.rate is not None and bet.event["currency"] == currency
        if not by_bet and not (self.rules(event)["fx"] and wallets[0] == "EUR"):
            return Verdict("WRONG_CURRENCY")
        fact.wallet, fact.rate = wallets[0], self.rates[str(currency)]
        return None

    def _taken(self, fact: Fact, event_minor: int) -> int:
        if fact.rate is None:
            return event_minor
        return max(1, floor(event_minor * fact.rate)) if event_minor else 0

    def _given(self, fact: Fact, event_minor: int) -> int:
        return event_minor if fact.rate is None else ceil(event_minor * fact.rate)

    def _stake(self, fact: Fact, event_minor: int) -> Verdict | None:
        """The refusal of a stake, or None once its parts are found."""
        amount = self._taken(fact, event_minor)
        refused = self._limited(fact, [amount])
        if refused is not None:
            return refused
        parts = self._drawn(fact, amount)
        if parts is None:
            return Verdict("INSUFFICIENT_FUNDS")
        self._book_stake(fact, parts, event_minor)
        return None

    def _drawn(self, fact: Fact, amount: int) -> dict[str, int] | None:
        parts: dict[str, int] = {}
        for pool in self.pools(fact.event):
            part = min(amount, self.balance(fact.event["player_id"], fact.wallet, pool))
            if part > 0:
                parts[pool] = part
                amount -= part
        return None if amount else parts

    def _book_stake(self, fact: Fact, parts: dict[str, int], event_minor: int) -> None:
        fact.stake, fact.stake_event = parts, event_minor
        for pool, part in parts.items():
            fact.moves[(fact.wallet, pool)] -= part

    def _limited(self, fact: Fact, stakes: list[int]) -> Verdict | None:
        total, bonus, left = sum(stakes), 0, sum(stakes)
        for pool in self.pools(fact.event):
            part = min(left, max(0, self.balance(fact.event["player_id"], fact.wallet, pool)))
            left -= part
            bonus += part if pool == "bonus" else 0
        for (name, _), value in self.limits(fact.event["player_id"]).items():
            if name == "deposit" or fact.wallet != "EUR":
                continue
            used = self.usage(fact.event["player_id"])
            spent = max(0, used["staked"] - used["won"]) if name == "loss" else used["wagered"]
            asked = total - bonus if name == "loss" else total
            if asked > max(0, value - spent):
                return Verdict("LIMIT_EXCEEDED")
        return None

    def _bet(self, fact: Fact) -> Verdict:
        refused = self._stake(fact, minor(fact.event["amount"], fact.event["currency"]))
        return refused or Verdict("OK")

    def _bet_win(self, fact: Fact) -> Verdict:
        event = fact.event
        refused = self._stake(fact, minor(event["bet_amount"], event["currency"]))
        if refused is not None:
            return refused
        self._pay(fact, fact.stake, "gaming", minor(event["win_amount"], event["currency"]))
        return Verdict("OK")

    def _pay(self, fact: Fact, bet_parts: dict[str, int] | None, account: str, event_minor: int) -> None:
        fact.win_event, fact.account = event_minor, account
        self._receive(fact, self.paying_pool(fact.event, bet_parts), self._given(fact, event_minor))

    def _receive(self, fact: Fact, pool: str, amount: int) -> None:
        """A debt is repaid first."""
        owed = -self.balance(fact.event["player_id"], fact.wallet, "debt") - fact.moves[(fact.wallet, "debt")]
        for name, part in (("debt", min(owed, amount)), (pool, amount - min(owed, amount))):
            if part:
                fact.paid[name] = fact.paid.get(name, 0) + part
                fact.moves[(fact.wallet, name)] += part

    def _win(self, fact: Fact) -> Verdict:
        event = fact.event
        refused = self.win_refused(event)
        if refused is not None:
            return Verdict(refused.code, burns=refused.burns)
        bet = self.bet_of(event)
        if bet is not None and bet.event["type"] in ("bet", "bet_win"):
            fact.bet = bet
            if bet.rate is not None:
                fact.rate, fact.wallet = bet.rate, bet.wallet
        account = WIN_ACCOUNT.get(event["kind"], "promotion")
        amount = minor(event["amount"], event["currency"])
        self._pay(fact, None if fact.bet is None else fact.bet.stake, account, amount)
        return Verdict("OK")
