"""Batches of the naive wallet: rehearsed on a copy of everything, then taken or refused as a whole."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field

from tests.histories.naive.funds import Funds
from tests.histories.naive.verdict import Verdict
from tests.histories.past import Fact, minor


@dataclass
class Batches(Funds):
    """Decides many at once. ``actions`` are those of the last batch that are remembered."""

    actions: list[Fact] = field(default_factory=list)

    def _batch(self, fact: Fact) -> Verdict:
        """Rehearsed on a copy of everything: bets first, each as if it had been taken for nothing."""
        copy = deepcopy(self)
        copy.facts.append(Fact({**fact.event, "round_closed": False}, "OK"))
        refused: dict[int, Verdict] = {}
        new: dict[int, Fact] = {}
        for type_ in ("bet", "win"):
            for place, action in enumerate(fact.event["actions"]):
                if action["type"] != type_:
                    continue
                known = copy.known(action)
                one = Fact(action, "OK", wallet=fact.wallet, rate=fact.rate)
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
        if refused:
            return refused[min(refused, key=lambda place: (refused[place].waits, place))]
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
        seen: list[Fact] = [Fact(fact.event, verdict.code)]
        for action in fact.event["actions"]:
            one = Fact(action, verdict.code, conflict=verdict.conflict)
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
