"""What the traffic must leave behind: a second, naive house, with nothing in common with the real one.

It hears the events in the order sent, one at a time, and keeps plain dictionaries (naive/). It knows only what the
traffic does (one wallet per player, no limit but on single bets and deposits), and nothing of clocks, offsets or
crashes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from hashlib import blake2b

import orjson

from processor.devstack.traffic.event import TrafficEvent
from processor.devstack.traffic.naive.purses import Fields
from processor.devstack.traffic.naive.wallet import NaiveWallet


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
        self._wallets: dict[str, NaiveWallet] = defaultdict(NaiveWallet)
        self._known: dict[tuple[str, str], bytes] = {}

    @property
    def results(self) -> int:
        """How many results there must be: first decisions and repeats."""
        return sum(self.codes.values()) + self.replayed

    def balances(self) -> dict[tuple[str, str, str], int]:
        """(player, currency, pool) to minor units, of every pool that anything ever was in."""
        return {
            (player_id, wallet.currency, pool): minor
            for player_id, wallet in self._wallets.items()
            if wallet.currency is not None
            for pool, minor in wallet.purses.items()
        }

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

    def _release(self, wallet: NaiveWallet, provider: str) -> None:
        waiting, wallet.queues[provider] = wallet.queues[provider], []
        for fields in waiting:
            self._decide(wallet, fields)

    def _is_known(self, provider: str, transaction_id: str) -> bool:
        return (provider, transaction_id) in self._known

    def _decide(self, wallet: NaiveWallet, fields: Fields) -> None:
        key = (fields["provider"], fields["transaction_id"])
        if key in self._known:
            if self._known[key] == _fingerprint(fields):
                self.replayed += 1
            else:
                self.codes["CONFLICT"] += 1
            return
        code = wallet.decide(key, fields)
        if code is None:
            wallet.queues[fields["provider"]].append(fields)
            return
        self.codes[code] += 1
        self._known[key] = _fingerprint(fields)
