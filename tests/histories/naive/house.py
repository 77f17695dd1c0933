"""The naive wallet itself: what it looks at first, whatever the event, and what it remembers."""

from __future__ import annotations

from tests.histories.naive.batches import Batches
from tests.histories.naive.stakes import STAKES
from tests.histories.naive.verdict import Verdict
from tests.histories.past import Event, Fact, takes_stakes

BLOCKED = (*STAKES, "deposit", "transfer_in", "grant_bonus", "open_session")


class NaiveHouse(Batches):
    """Answers events, one after the other."""

    def answer(self, event: Event) -> Verdict:
        """Decide one event and remember it."""
        known = self.known(event)
        if known is not None:
            differs = self.difference(known.event, event)
            if differs is not None:
                return Verdict("CONFLICT", burns=False, conflict=differs)
            return Verdict(known.code, burns=False, replayed=known, conflict=known.conflict)
        fact = Fact(event, "OK")
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
