"""The traffic of the demo and of the chaos suite, through the law: what the naive house expects is what is answered."""

from __future__ import annotations

import asyncio
import tomllib
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from processor.devstack.demo_proof import balance_faults
from processor.devstack.traffic.event import EXPONENTS, TrafficEvent, amount_text
from processor.devstack.traffic.expectation import Expectation
from processor.devstack.traffic.play import Traffic
from processor.devstack.traffic.providers import PROVIDERS_TOML, RATES
from processor.domain.profiles import Profile, Rate, Reference
from tests.fakes.ledger import FakeLedger, FakeStore
from tests.histories.events import History
from tests.histories.playing import Stage, results_of
from tests.unit.domain.memory import START


class _Played(History):
    """What the traffic sends, all of it within a second, to the providers of the traffic."""

    def __init__(self, events: list[TrafficEvent]) -> None:
        fields = [dict(event.fields or {}) for event in events]
        super().__init__({}, fields, [0] * len(fields), [1, 30, 200])

    def reference(self, prefix: str = "") -> Reference:
        documents: Mapping[str, dict[str, Any]] = tomllib.loads(PROVIDERS_TOML)["providers"]
        providers = {name: Profile(name, **choices) for name, choices in documents.items()}
        rates = {pair: [Rate(rate, START, "the traffic")] for pair, rate in RATES.items()}
        return Reference(1, providers, {}, EXPONENTS, rates=rates)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_naive_house_expects_what_the_law_answers(seed: int) -> None:
    traffic = Traffic(seed, 120, poison=False)
    events = [event for event in traffic.events(6_000) if event.letter is None]
    expected = Expectation()
    for event in events:
        expected.hear(event)
    expected.finish()

    store = FakeStore()
    results = results_of(asyncio.run(Stage(FakeLedger(store)).play(_Played(events), "")))

    codes = Counter("repeats" if one["replayed"] else one["code"] for one in results)
    assert codes == +Counter({**expected.codes, "repeats": expected.replayed})
    held = {
        (player_id, account.currency, account.pool): account.balance_minor
        for player_id, person in store.people.items()
        for account in person.player.accounts.values()
    }
    assert balance_faults(expected.balances(), held) == []
    told = {(one["player_id"], one["balance"]["cash"]) for one in results if one["balance"] is not None}
    for (player_id, currency, pool), minor in expected.balances().items():
        assert pool != "cash" or (player_id, amount_text(minor, currency)) in told
