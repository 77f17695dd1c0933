"""What holds for every history: nothing is lost or made, a refusal moves nothing, a repeat says the same."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from processor.domain.postings import HOUSE_ACCOUNTS
from schemas.results import Result
from tests.fakes.ledger import FakeLedger, FakeStore
from tests.histories.events import History, histories
from tests.histories.playing import Stage, results_of

SOME = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def play(history: History, **how: Any) -> tuple[FakeStore, list[dict[str, Any]]]:
    """A history in a world of its own: what is stored then, and the results."""
    store = FakeStore()
    published = asyncio.run(Stage(FakeLedger(store)).play(history, "", **how))
    return store, results_of(published)


@pytest.mark.model
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_nothing_is_lost_and_nothing_is_made(history: History) -> None:
    store, _ = play(history)
    everybody: Counter[str] = Counter()
    pools: Counter[tuple[str, str, str]] = Counter()
    house: Counter[tuple[str, str, str]] = Counter()
    for entry in store.entries:
        assert entry.amount_minor > 0
        for side, change in ((entry.debit, -entry.amount_minor), (entry.credit, entry.amount_minor)):
            everybody[entry.currency] += change
            if side in HOUSE_ACCOUNTS:
                house[(entry.provider, entry.currency, side.removeprefix("house:"))] += change
            else:
                pools[(entry.player_id, entry.currency, side)] += change
    assert not any(everybody.values())
    for player_id, person in store.people.items():
        for (currency, pool), account in person.player.accounts.items():
            assert account.balance_minor == pools.pop((player_id, currency, pool), 0)
            assert account.balance_minor <= 0 if pool == "debt" else account.balance_minor >= 0
    assert not any(pools.values())
    assert {name: minor for name, minor in house.items() if minor} == {
        name: minor for name, minor in store.house.items() if minor
    }


@pytest.mark.model
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_rounds_and_corrections_make_up_the_gaming_accounts(history: History) -> None:
    store, _ = play(history)
    expected: Counter[tuple[str, str]] = Counter()
    for person in store.people.values():
        for round_ in person.rounds.values():
            if round_.currency is not None:
                expected[(round_.provider, round_.currency)] += round_.staked_minor - round_.won_minor
            for currency, (staked, won) in (round_.also or {}).items():
                expected[(round_.provider, currency)] += staked - won
    outside = {
        (outcome.player_id, outcome.sequence)
        for outcome in store.outcomes.values()
        if outcome.type in ("adjust", "transfer_out")
    }
    for entry in store.entries:
        if (entry.player_id, entry.sequence) in outside:
            sign = (entry.credit == "house:gaming") - (entry.debit == "house:gaming")
            expected[(entry.provider, entry.currency)] += sign * entry.amount_minor
    gaming = {(one[0], one[1]): minor for one, minor in store.house.items() if one[2] == "gaming" and minor}
    assert {name: minor for name, minor in expected.items() if minor} == gaming


@pytest.mark.model
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_every_answer_keeps_the_contract_and_a_refusal_moves_nothing(history: History) -> None:
    store, results = play(history)
    moved = {(entry.player_id, entry.sequence) for entry in store.entries}
    counted: dict[str, list[int]] = defaultdict(list)
    for body in results:
        result = Result.model_validate(body)
        counted[result.player_id].append(result.sequence)
        if result.status == "rejected" or result.replayed:
            assert (result.player_id, result.sequence) not in moved
        if result.status == "rejected" and not result.replayed:
            assert not result.split
    for sequences in counted.values():
        assert sequences == list(range(1, len(sequences) + 1))


@SOME
@given(histories(time_passes=False))
def test_the_same_history_again_says_the_same_and_moves_nothing(history: History) -> None:
    once, first = play(history)
    twice, both = play(history, times=2)
    stored = {
        key: (outcome.code, outcome.moved_minor, outcome.split) for key, outcome in once.outcomes.items()
    }
    again = {
        key: (outcome.code, outcome.moved_minor, outcome.split) for key, outcome in twice.outcomes.items()
    }
    assert again.items() >= stored.items()
    late = again.keys() - stored.keys()  # wins that burnt no id: their bets are known now
    if not late and len(first) * 2 == len(both):
        assert [entry.amount_minor for entry in twice.entries] == [
            entry.amount_minor for entry in once.entries
        ]


@SOME
@given(histories(time_passes=False))
def test_where_batches_are_cut_changes_nothing(history: History) -> None:
    def told(results: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
        by_player: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for body in results:
            facts = {name: body[name] for name in body if name not in ("applied_at", "wallet_transaction_id")}
            facts.pop("actions", None)
            by_player[body["player_id"]].append(facts)
        return by_player

    as_cut, single, together = (told(play(history, sizes=sizes)[1]) for sizes in (None, [1], [1000]))
    assert as_cut == single == together
