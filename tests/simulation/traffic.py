"""What is sent: a few players' play, with repeats, overtakes, events that went astray, shared ids and plain noise."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import orjson

from tests.simulation.plan import Plan

GAME, CASHIER, OPERATOR = "acme", "cashier", "operator"


@dataclass(frozen=True, slots=True)
class Sent:
    """One event on its way to a partition."""

    at: float
    partition: int
    key: bytes
    value: bytes


def traffic_of(plan: Plan, dice: random.Random) -> list[Sent]:
    """Everything that is sent under a plan, in order of time."""
    players = [f"p-{number}" for number in range(dice.choice([2, 3, 4]))]
    home = {player: number % plan.partitions for number, player in enumerate(players)}
    scripts = [_script(player, plan.events // len(players), dice) for player in players]
    events: list[tuple[int, dict[str, Any]]] = []
    while any(scripts):
        script = dice.choice([one for one in scripts if one])
        event = script.pop(0)
        events.append((home[event["player_id"]], event))
    _trouble(events, plan, dice)
    times = sorted(dice.random() * plan.sending_seconds for _ in events)
    return [
        Sent(at, partition, event["player_id"].encode(), event.get("raw") or orjson.dumps(event))
        for at, (partition, event) in zip(times, events, strict=True)
    ]


def _script(player: str, events: int, dice: random.Random) -> list[dict[str, Any]]:
    """A player's play in the order in which it happened."""
    script = [
        _event("open_player", f"open-{player}", player, OPERATOR, currency="EUR"),
        _event(
            "deposit",
            f"d-{player}",
            player,
            CASHIER,
            currency="EUR",
            amount=f"{dice.choice([5, 20, 100])}.00",
        ),
    ]
    number = 0
    while len(script) < events:
        number += 1
        bet, amount = f"b-{player}-{number}", f"{dice.choice([0, 1, 3, 12])}.00"
        round_id = f"r-{bet}"
        script.append(
            _event("bet", bet, player, GAME, currency="EUR", amount=amount, round_id=round_id, game_id="g")
        )
        ending = dice.random()
        if ending < 0.45:
            script.append(
                _event("win", f"w-{bet}", player, GAME, currency="EUR", amount=f"{dice.choice([0, 2, 9])}.00",
                       round_id=round_id, game_id="g", reference=bet)
            )  # fmt: skip
        elif ending < 0.65:
            script.append(_event("rollback", f"c-{bet}", player, GAME, reference=bet))
    return script


def _trouble(events: list[tuple[int, dict[str, Any]]], plan: Plan, dice: random.Random) -> None:
    """Overtakes first, then repeats, strays, shared ids and noise."""
    for place in range(len(events) - 1):
        if dice.random() < 0.15:
            other = min(len(events) - 1, place + dice.choice([1, 2, 5]))
            events[place], events[other] = events[other], events[place]
    for partition, event in list(events):
        if dice.random() < 0.15:
            _insert(events, (partition, event), dice)
        if event["type"] in ("rollback", "bet") and dice.random() < 0.1:
            _insert(events, (dice.randrange(plan.partitions), event), dice)
        if event["type"] == "bet" and dice.random() < 0.05:
            other_player = f"p-{dice.randrange(2)}"
            _insert(events, (partition, {**event, "player_id": other_player}), dice)
    for _ in range(dice.choice([0, 0, 1, 2])):
        noise = {"player_id": "p-0", "type": "noise", "raw": b"no JSON"}
        _insert(events, (dice.randrange(plan.partitions), noise), dice)


def _insert(events: list[Any], one: Any, dice: random.Random) -> None:
    events.insert(dice.randrange(len(events) + 1), one)


def _event(type_: str, id_: str, player: str, provider: str, **more: Any) -> dict[str, Any]:
    return {
        "type": type_,
        "provider": provider,
        "transaction_id": id_,
        "player_id": player,
        "occurred_at": "2026-11-22T10:00:00Z",
        **more,
    }
