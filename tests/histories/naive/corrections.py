"""What the naive wallet gives back and takes back: rollbacks, refunds, reversals, adjustments."""

from __future__ import annotations

from collections import Counter
from math import ceil

from tests.histories.naive.stakes import Stakes
from tests.histories.naive.verdict import Verdict
from tests.histories.past import Event, Fact, minor


class Corrections(Stakes):
    """Decides what undoes."""

    def _rollback(self, fact: Fact) -> Verdict:
        event, rules = fact.event, self.rules(fact.event)
        bet = self.bet_of(event)
        if bet is None:
            return Verdict("OK" if rules["rollback_unknown"] == "accept" else "BET_NOT_FOUND")
        is_bet = bet.event["type"] in ("bet", "bet_win")
        if bet.code != "OK" and (is_bet or bet.code == "ROLLED_BACK"):
            return Verdict("OK")
        if not is_bet:
            return Verdict("NOT_ROLLBACKABLE")
        if self.is_rolled_back(bet):
            return Verdict("ALREADY_ROLLED_BACK")
        if self.refunded(bet):
            return Verdict("ALREADY_SETTLED")
        if rules["rollback_after_win"] == "refuse" and self.is_settled(bet):
            return Verdict("ALREADY_SETTLED")
        named = event.get("amount") if rules["rollback_amount"] == "must_match" else None
        if named is not None and minor(named, bet.event["currency"]) != bet.stake_event:
            return Verdict("NOT_ROLLBACKABLE")
        fact.bet, fact.wallet = bet, bet.wallet
        for pool, part in bet.stake.items():
            fact.back[pool] = part
            fact.moves[(bet.wallet, pool)] += part
        paid: Counter[tuple[str, str]] = Counter()
        for win in self.wins_of(bet):
            for pool, part in win.paid.items():
                home = self.paying_pool(event, bet.stake) if pool == "debt" else pool
                key = (win.account, pool) if pool == "debt" else (win.account, home)
                paid[key] += part
        return self._take_back(fact, [(self._home(event, bet, key), part) for key, part in _in_order(paid)])

    def _home(self, event: Event, bet: Fact, key: tuple[str, str]) -> str:
        return self.paying_pool(event, bet.stake) if key[1] == "debt" else key[1]

    def _take_back(self, fact: Fact, paid: list[tuple[str, int]]) -> Verdict:
        rule = self.rules(fact.event)["win_reversal"]
        for pool, amount in paid:
            key = (fact.wallet, pool)
            there = self.balance(fact.event["player_id"], fact.wallet, pool) + fact.moves[key]
            part = min(amount, max(0, there))
            fact.moves[key] -= part
            fact.undone[pool] = fact.undone.get(pool, 0) + part
            if part < amount and rule == "refuse":
                fact.moves.clear()
                fact.undone.clear()
                fact.back.clear()
                fact.bet = None
                return Verdict("INSUFFICIENT_FUNDS")
            if part < amount and rule == "player_debt":
                fact.moves[(fact.wallet, "debt")] -= amount - part
                fact.undone["debt"] = fact.undone.get("debt", 0) + amount - part
        return Verdict("OK")

    def _refund(self, fact: Fact) -> Verdict:
        event = fact.event
        bet = self.bet_of(event)
        if self.is_marked(event) or (bet is not None and self.is_rolled_back(bet)):
            return Verdict("ALREADY_ROLLED_BACK")
        if bet is None or bet.event["type"] not in ("bet", "bet_win") or bet.code != "OK":
            return Verdict("BET_NOT_FOUND")
        if self.is_settled(bet):
            return Verdict("ALREADY_SETTLED")
        amount, before = minor(event["amount"], bet.event["currency"]), self.refunded(bet)
        if amount is None:
            return Verdict("WRONG_CURRENCY")
        if before + amount > bet.stake_event:
            return Verdict("REFUND_EXCEEDS_BET")
        fact.bet, fact.wallet, fact.refund_event = bet, bet.wallet, amount
        shares = [self._share(bet, one) for one in (before, before + amount)]
        for pool in bet.stake:
            part = shares[1][pool] - shares[0][pool]
            if part:
                fact.back[pool] = part
                fact.moves[(bet.wallet, pool)] += part
        return Verdict("OK")

    def _share(self, bet: Fact, event_minor: int) -> dict[str, int]:
        """How much of each pool is back once so much of the bet is."""
        total = sum(bet.stake.values())
        amount = event_minor
        if bet.rate is not None:
            whole = event_minor == bet.stake_event
            amount = total if whole else min(total, ceil(event_minor * bet.rate))
        shares = {pool: part * amount // total for pool, part in bet.stake.items()}
        if shares:
            rest = "cash" if "cash" in shares else next(iter(shares))
            shares[rest] += amount - sum(shares.values())
        return shares

    def _reverse_win(self, fact: Fact) -> Verdict:
        event = fact.event
        win = self.win_of(event)
        if win is None or (win.event["type"] == "win" and win.code != "OK"):
            return Verdict("BET_NOT_FOUND")
        if self.is_reversed(win) or self._lost_its_bet(win.event):
            return Verdict("ALREADY_ROLLED_BACK")
        if win.event["type"] != "win" or self.rules(event)["win_reversal"] == "refuse":
            return Verdict("NOT_ROLLBACKABLE")
        fact.win, fact.wallet, fact.account = win, win.wallet, win.account
        pool = next((one for one in win.paid if one != "debt"), self.paying_pool(event, None))
        amount = sum(win.paid.values())
        return self._take_back(fact, [(pool, amount)] if amount else [])

    def _lost_its_bet(self, win: Event) -> bool:
        """Whether the bet that a win names was rolled back, or is to be should it come."""
        if win.get("reference") is None:
            return False
        bet = self.bet_of(win)
        return self.is_marked(win) or (bet is not None and self.is_rolled_back(bet))

    def _adjust(self, fact: Fact) -> Verdict:
        event = fact.event
        bet = None
        if event.get("reference") is not None:
            bet = self.bet_of(event)
            if bet is not None and bet.event["type"] not in ("bet", "bet_win"):
                found, bet = self.win_of(event), None
            else:
                found = bet or self.win_of(event)
            if found is None or found.event["type"] not in ("bet", "bet_win", "win") or found.code != "OK":
                return Verdict("BET_NOT_FOUND")
            if self.is_marked(event) or self.is_rolled_back(found) or self.is_reversed_id(event):
                return Verdict("ALREADY_ROLLED_BACK")
            if found.event["type"] == "win" and self._lost_its_bet(found.event):
                return Verdict("ALREADY_ROLLED_BACK")
            if found.event["currency"] != event["currency"]:
                return Verdict("WRONG_CURRENCY")
            if found.rate is not None:
                fact.rate, fact.wallet = found.rate, found.wallet
        parts = None if self.bet_of(event) is None else self.bet_of(event).stake  # type: ignore[union-attr]  # looked at before
        pool = self.paying_pool(event, parts)
        amount = minor(event["amount"], event["currency"])
        if amount < 0:
            return self._take_back(fact, [(pool, self._taken(fact, -amount))])
        self._receive(fact, pool, self._given(fact, amount))
        fact.account = "adjusted"
        return Verdict("OK")


def _in_order(paid: Counter[tuple[str, str]]) -> list[tuple[tuple[str, str], int]]:
    """Gaming to cash first, then by name."""
    named = sorted(
        paid.items(), key=lambda one: (one[0] != ("gaming", "cash"), f"house:{one[0][0]}>{one[0][1]}")
    )
    return [(key, part) for key, part in named if part]
