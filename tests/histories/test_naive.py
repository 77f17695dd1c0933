"""The law and the naive wallet answer alike, event by event, in code, conflict and every balance."""

from __future__ import annotations

import asyncio
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fakes.ledger import FakeLedger, FakeStore
from tests.histories.events import EXPONENTS, FLAGS, Event, History, histories, named, opening
from tests.histories.naive.house import NaiveHouse
from tests.histories.playing import Stage, results_of

RATES = {"JPY": Fraction("0.61"), "USD": Fraction("0.923"), "BTC": Fraction("6100050") / 10**8}
POOLS = {"cash": "cash", "bonus": "bonus", "game_wallet": "game:live", "debt": "debt"}


def as_read(event: Event) -> Event:
    """The event with what its sender left out."""
    read = named(event, "")
    if read["type"] in ("bet", "win"):
        read.setdefault("kind", "stake" if read["type"] == "bet" else "game")
    if read["type"] == "open_session":
        read.setdefault("channel", "web")
    if read["type"] == "batch":
        common = {name: read[name] for name in ("provider", "player_id", "currency", "game_id", "session_id")}
        read["actions"] = [
            {
                **common,
                "round_id": read["round_id"],
                "kind": "stake" if one["type"] == "bet" else "game",
                **one,
            }
            for one in read["actions"]
        ]
    return read


@pytest.mark.model
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_the_law_and_the_naive_wallet_answer_alike(history: History) -> None:
    answered_alike(history)


def test_what_else_is_refused_in_a_batch_comes_before_its_missing_bet_whenever_it_is_looked_at() -> None:
    """Alone at once; after it has waited; and late already at first, behind a refund that has waited long enough."""
    place = {"provider": "acme", "game_id": "g", "currency": "EUR", "round_id": "r1", "session_id": "s1"}
    actions = [
        {"type": "win", "transaction_id": "w1", "amount": "0", "reference": "b1"},
        {"type": "bet", "transaction_id": "b2", "amount": "0"},
    ]
    taken: Event = {"type": "bet", "transaction_id": "b2", "player_id": "q", **place, "amount": "0"}
    batch: Event = {"type": "batch", "transaction_id": "m1", "player_id": "p", **place, "actions": actions}
    refund = {
        "type": "refund",
        "transaction_id": "f1",
        "player_id": "p",
        "provider": "acme",
        "reference": "b9",
    }
    first = [*opening("p"), *opening("q")]
    for events, at, sizes in (
        ([taken, batch], [0, 0], [1]),
        ([batch, taken], [0, 0], [1]),
        ([{**refund, "amount": "0"}, taken, batch, {**taken, "transaction_id": "b3"}], [0, 0, 70, 140], [2]),
    ):
        flags = {name: {flag: values[0] for flag, values in FLAGS.items()} for name in ("acme", "live")}
        results = answered_alike(History(flags, [*first, *events], [0] * len(first) + at, sizes))
        codes = {one["transaction_id"]: (one["code"], one.get("conflict")) for one in results}
        assert codes["m1"] == ("CONFLICT", "actions[1].player_id")


def test_a_batch_that_comes_again_in_another_session_is_the_same_batch() -> None:
    place = {"provider": "acme", "game_id": "g", "currency": "EUR", "round_id": "r1"}
    batch = {"type": "batch", "transaction_id": "m1", "player_id": "p", **place}
    actions = [{"type": "bet", "transaction_id": "b1", "amount": "5"}]
    events: list[Event] = [
        *opening("p"),
        {"type": "bet", "transaction_id": "b1", "player_id": "p", **place, "session_id": "s1", "amount": "0"},
        *[{**batch, "session_id": session, "actions": actions} for session in ("s1", "s2")],
    ]
    flags = {name: {flag: values[0] for flag, values in FLAGS.items()} for name in ("acme", "live")}
    results = answered_alike(History(flags, events, [0] * len(events), [1]))
    assert [(one["code"], one["replayed"]) for one in results[-2:]] == [
        ("CONFLICT", False),
        ("CONFLICT", True),
    ]


def test_a_win_whose_bet_never_came_and_was_rolled_back_is_adjusted_no_more() -> None:
    place = {"provider": "acme", "game_id": "g", "currency": "EUR", "round_id": "r1", "session_id": "s1"}
    about = {"provider": "acme", "player_id": "p"}
    events: list[Event] = [
        *opening("p"),
        {"type": "win", "transaction_id": "w1", "player_id": "p", **place, "amount": "1", "reference": "b3"},
        {"type": "rollback", "transaction_id": "c1", **about, "reference": "b3"},
        {"type": "adjust", "transaction_id": "a1", **about, "currency": "EUR", "amount": "0", "reference": "w1",
         "reason": "late"},
    ]  # fmt: skip
    flags = {name: {flag: values[0] for flag, values in FLAGS.items()} for name in ("acme", "live")}
    flags["acme"]["win_without_bet"] = frozenset({"any"})
    results = answered_alike(History(flags, events, [0] * len(events), [1]))
    assert [one["code"] for one in results[-3:]] == ["OK", "BET_NOT_FOUND", "ALREADY_ROLLED_BACK"]


def answered_alike(history: History) -> list[dict[str, Any]]:
    """Play a history through both, and compare each answer; gives the law's."""
    results = results_of(asyncio.run(Stage(FakeLedger(FakeStore())).play(history, "")))
    house = NaiveHouse(history.flags, RATES)
    for place, body in enumerate(results):
        offset = body["source"]["offset"]
        event = as_read(history.events[offset])
        following = results[place + 1] if place + 1 < len(results) else None
        if body["code"] == "ROLLED_BACK" and not body["replayed"] and taken_out(following, body):
            house.tombstones.add((event["provider"], event["player_id"], event["transaction_id"]))
        verdict = house.answer(event)
        said = (body["code"], body["replayed"], body.get("conflict"))
        assert said == (verdict.code, verdict.replayed is not None, verdict.conflict), event
        if body["balance"] is not None:
            assert told_balance(body) == expected_balance(house, event, told_currency(body, event, house)), (
                event
            )
    return results


def taken_out(following: dict[str, Any] | None, body: dict[str, Any]) -> bool:
    """Whether the next answer is to a rollback that took this event out of its queue."""
    if following is None or following["type"] != "rollback":
        return False
    if following["source"]["offset"] < body["source"]["offset"]:
        return False
    names = ("provider", "player_id")
    alike = all(following[name] == body[name] for name in names)
    return alike and following["reference"] == body["transaction_id"]


def told_currency(body: dict[str, Any], event: Event, house: NaiveHouse) -> str:
    """The wallet that was moved, else the event's, else the first."""
    wallets = house.wallets(event["player_id"])
    fx = body.get("fx")
    currency = fx["to"] if fx else body["currency"]
    return currency if currency in wallets else wallets[0]


def told_balance(body: dict[str, Any]) -> dict[str, Fraction]:
    return {name: Fraction(body["balance"][name]) for name in POOLS}


def expected_balance(house: NaiveHouse, event: Event, currency: str) -> dict[str, Fraction]:
    scale = 10 ** EXPONENTS[currency]
    found = {
        name: Fraction(house.balance(event["player_id"], currency, pool), scale)
        for name, pool in POOLS.items()
    }
    if event["provider"] != "live":
        found["game_wallet"] = Fraction(0)
    return found
