"""A second, naive wallet of everything: it remembers each decided event and works all else out again from that list.

Written from the law's text, not from `processor/domain`. Amounts are whole minor units of the wallet, and of the event
where the name ends in ``_event``. It answers events in the order in which they are decided; who waits for whom is not
its business, nor is time beyond a day: no period, session or raise of these histories ends.
"""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field
from math import ceil, floor

from tests.histories.past import WINNINGS, Event, Fact, Past, minor, takes_stakes

WIN_ACCOUNT = {"game": "gaming", "free_round": "gaming", "jackpot": "jackpot", "tournament": "tournament"}
OWN_SENDERS = ("cashier", "operator")
STAKES = ("bet", "bet_win", "batch")
WITH_AMOUNT = (
    *STAKES, "win", "adjust", "deposit", "withdraw", "transfer_in", "transfer_out", "grant_bonus", "expire_bonus",
    "release_bonus",
)  # fmt: skip
CONVERTED = (*STAKES, "win", "adjust")
BLOCKED = (*STAKES, "deposit", "transfer_in", "grant_bonus", "open_session")


@dataclass
class Verdict:
    """What an event is answered. ``burns`` is False where nothing is remembered of it."""

    code: str
    fact: Fact | None = None
    burns: bool = True
    conflict: str | None = None
    replayed: Fact | None = None
    waits: bool = False


@dataclass
class NaiveHouse(Past):
    """Answers events, one after the other."""

    actions: list[Fact] = field(default_factory=list)

    def answer(self, event: Event, at: float) -> Verdict:
        """Decide one event and remember it."""
        known = self.known(event)
        if known is not None:
            differs = self.difference(known.event, event)
            if differs is not None:
                return Verdict("CONFLICT", burns=False, conflict=differs)
            return Verdict(known.code, burns=False, replayed=known, conflict=known.conflict)
        fact = Fact(event, "OK", at)
        self.actions = []
        verdict = self._decided(fact)
        if event["type"] == "batch" and verdict.code != "OK":
            self._batch_refused(fact, verdict)
        fact.code, fact.conflict = verdict.code, verdict.conflict
        verdict.fact = fact
        if event["type"] == "rollback" and self._leaves_a_tombstone(event, verdict.code):
            self.tombstones.add((event["provider"], event["player_id"], event["reference"]))
        if verdict.burns:
            self.facts.append(fact)
        self.facts += self.actions
        return verdict

    def _leaves_a_tombstone(self, event: Event, code: str) -> bool:
        return code == "PLAYER_NOT_FOUND" or (code != "ROLLED_BACK" and self.bet_of(event) is None)

    def _decided(self, fact: Fact) -> Verdict:
        event = fact.event
        type_ = event["type"]
        if self.is_tombstone(event):
            return Verdict("ROLLED_BACK")
        wallets = self.wallets(event["player_id"])
        if not wallets and type_ != "open_player":
            return Verdict("PLAYER_NOT_FOUND")
        rules = self.rules(event)
        stakes = type_ in STAKES and (type_ != "batch" or takes_stakes(self, event))
        if (stakes or type_ == "transfer_in") and rules["status"] != "active":
            return Verdict("GAME_BLOCKED")
        if type_ in ("transfer_in", "transfer_out") and not self.has_game_wallet(event):
            return Verdict("GAME_BLOCKED")
        refused = self._currency(fact, wallets)
        if refused is not None:
            return refused
        if stakes and rules["require_session"] and not self.in_session(event):
            return Verdict("SESSION_EXPIRED")
        if self.is_blocked(event["player_id"]) and (stakes if type_ in STAKES else type_ in BLOCKED):
            return Verdict("PLAYER_BLOCKED")
        by_round = stakes or (type_ == "win" and event["kind"] == "game")
        if by_round and self.is_closed(event, event["round_id"]):
            return Verdict("ROUND_CLOSED")
        done: Verdict = getattr(self, f"_{type_}", self._nothing_moves)(fact)
        return done

    def _nothing_moves(self, fact: Fact) -> Verdict:
        return Verdict("OK")

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

    # --------------------------------------------------------------------------------------------- stakes

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

    # ----------------------------------------------------------------------------------------------- wins

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

    # ------------------------------------------------------------------------------------ what is given back

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
        named = win.event.get("reference")
        about_bet = {**event, "reference": named}
        bet = self.bet_of(about_bet) if named else None
        if (
            self.is_reversed(win)
            or (named and self.is_marked(about_bet))
            or (bet and self.is_rolled_back(bet))
        ):
            return Verdict("ALREADY_ROLLED_BACK")
        if win.event["type"] != "win" or self.rules(event)["win_reversal"] == "refuse":
            return Verdict("NOT_ROLLBACKABLE")
        fact.win, fact.wallet, fact.account = win, win.wallet, win.account
        pool = next((one for one in win.paid if one != "debt"), self.paying_pool(event, None))
        amount = sum(win.paid.values())
        return self._take_back(fact, [(pool, amount)] if amount else [])

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

    # ------------------------------------------------------------------------------------------ the cashier

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

    # ------------------------------------------------------------------------------------------- the batch

    def _batch(self, fact: Fact) -> Verdict:
        """Rehearsed on a copy of everything: bets first, each as if it had been taken for nothing."""
        copy = deepcopy(self)
        copy.facts.append(Fact({**fact.event, "round_closed": False}, "OK", fact.at))
        refused: dict[int, Verdict] = {}
        new: dict[int, Fact] = {}
        for type_ in ("bet", "win"):
            for place, action in enumerate(fact.event["actions"]):
                if action["type"] != type_:
                    continue
                known = copy.known(action)
                one = Fact(action, "OK", fact.at, wallet=fact.wallet, rate=fact.rate)
                if known is not None:
                    differs = copy.difference(known.event, action)
                    if differs is not None:
                        refused[place] = Verdict("CONFLICT", conflict=f"actions[{place}].{differs}")
                    elif known.code != "OK":
                        named = f"actions[{place}]" if known.code == "CONFLICT" else None
                        refused[place] = Verdict(known.code, conflict=named)
                    continue
                verdict = copy._rehearsed(one)
                if verdict.code == "OK":
                    new[place] = one
                    copy.facts.append(one)
                else:
                    refused[place] = verdict
        final = [place for place, verdict in refused.items() if not verdict.waits]
        if refused:
            return refused[min(final)] if final else refused[min(refused)]
        bets = [one for place, one in sorted(new.items()) if one.event["type"] == "bet"]
        wins = [one for place, one in sorted(new.items()) if one.event["type"] == "win"]
        stakes = [minor(one.event["amount"], one.event["currency"]) for one in bets]
        limited = self._limited(fact, [self._taken(fact, one) for one in stakes]) if bets else None
        if limited is not None:
            return limited
        return self._batch_taken(fact, bets, stakes, wins)

    def _rehearsed(self, one: Fact) -> Verdict:
        event = one.event
        if self.is_tombstone(event):
            return Verdict("ROLLED_BACK")
        if (event["type"] == "bet" or event["kind"] == "game") and self.is_closed(event, event["round_id"]):
            return Verdict("ROUND_CLOSED")
        refused = self.win_refused(event) if event["type"] == "win" else None
        if refused is None:
            return Verdict("OK")
        return Verdict(refused.code, burns=refused.burns, waits=refused.waits)

    def _batch_refused(self, fact: Fact, verdict: Verdict) -> None:
        """New bets are burnt with the batch's code, wins never."""
        seen: list[Fact] = [Fact(fact.event, verdict.code, fact.at)]
        for action in fact.event["actions"]:
            one = Fact(action, verdict.code, fact.at, conflict=verdict.conflict)
            if self.known(action) is None and not any(self.same_id(action, other.event) for other in seen):
                seen.append(one)
                if action["type"] == "bet" and verdict.burns:
                    self.actions.append(one)

    def _batch_taken(self, fact: Fact, bets: list[Fact], stakes: list[int], wins: list[Fact]) -> Verdict:
        copy = deepcopy(self)
        for one, stake in zip(bets, stakes, strict=True):
            parts = copy._drawn(one, copy._taken(one, stake))
            if parts is None:
                return Verdict("INSUFFICIENT_FUNDS")
            copy._book_stake(one, parts, stake)
            copy.facts.append(one)
        for one in wins:
            copy._win(one)
            copy.facts.append(one)
        self.actions += [*bets, *wins]
        for one in wins:  # a bet of the copy is the same bet here
            one.bet = None if one.bet is None else self._original(one.bet, bets)
        return Verdict("OK")

    def _original(self, bet: Fact, bets: list[Fact]) -> Fact:
        return next(one for one in [*self.facts, *bets] if one.event == bet.event and one.code == "OK")


def _in_order(paid: Counter[tuple[str, str]]) -> list[tuple[tuple[str, str], int]]:
    """Gaming to cash first, then by name."""
    named = sorted(
        paid.items(), key=lambda one: (one[0] != ("gaming", "cash"), f"house:{one[0][0]}>{one[0][1]}")
    )
    return [(key, part) for key, part in named if part]


__all__ = ["WINNINGS", "NaiveHouse", "Verdict"]
