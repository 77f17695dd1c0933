"""Random histories: few names, so that events meet; duplicates and overtakes; profiles of every sort."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from processor.domain.commands import CASHIER, OPERATOR, Command
from processor.domain.money import parse_minor
from processor.domain.profiles import Profile, Reference
from tests.unit.domain.memory import START
from tests.unit.domain.model import EXPONENTS

FLAGS: dict[str, list[Any]] = {
    "id_scope": ["provider", "player"],
    "id_includes_type": [False, True],
    "require_session": [False, True],
    "win_without_bet": [frozenset(), frozenset({"any"})],
    "wins_per_bet": ["one", "many"],
    "settlement": ["per_bet", "per_round"],
    "rollback_unknown": ["reject", "accept"],
    "rollback_amount": ["must_match", "ignore"],
    "status": ["active", "active", "active", "suspended"],
}

#: Money in whole units, which every currency can write.
AMOUNTS = ["0", "1", "3", "7", "25"]


@dataclass
class History:
    """Events in order of arrival, with the seconds since the start; and where the batches are cut."""

    flags: dict[str, dict[str, Any]]
    events: list[dict[str, Any]]
    batch_sizes: list[int]

    @property
    def reference(self) -> Reference:
        return Reference(
            1, {name: Profile(name, **flags) for name, flags in self.flags.items()}, {}, EXPONENTS
        )


def events() -> st.SearchStrategy[dict[str, Any]]:
    """One event of any decided type."""
    game = {
        "provider": st.sampled_from(["acme", "acme", "acme", "other"]),
        "player_id": st.sampled_from(["p", "p", "p", "q", "nobody"]),
    }
    round_id = st.sampled_from(["r1", "r2"])
    currency = st.sampled_from(["EUR", "EUR", "EUR", "EUR", "USD", "JPY"])
    amount = st.sampled_from(AMOUNTS)
    bet_id = st.sampled_from(["b1", "b2", "b3", "b4"])
    late = st.sampled_from([None, None, None, None, -1, 30])
    return st.one_of(
        kind("bet", transaction_id=bet_id, currency=currency, amount=amount, round_id=round_id, late=late, **game,
             kind=st.sampled_from(["stake", "stake", "tip"]), session_id=st.sampled_from(["s1", "s1", "s1", "s2"])),
        kind("win", transaction_id=st.sampled_from(["w1", "w2", "w3", "b1"]), currency=currency, amount=amount,
             round_id=round_id, reference=st.sampled_from([None, "b1", "b2", "b3", "b4"]), **game,
             kind=st.sampled_from(["game", "game", "game", "jackpot"]),
             round_closed=st.sampled_from([False, False, True])),
        kind("rollback", transaction_id=st.sampled_from(["c1", "c2", "c3"]),
             amount=st.sampled_from([None, None, *AMOUNTS]),
             reference=st.sampled_from(["b1", "b2", "b3", "b4", "w1", "w2"]), **game),
        kind("close_round", transaction_id=st.sampled_from(["e1", "e2"]), round_id=round_id, **game),
        kind("deposit", transaction_id=st.sampled_from(["d1", "d2"]), currency=currency, amount=amount,
             provider=st.just(CASHIER), player_id=game["player_id"]),
        kind("withdraw", transaction_id=st.sampled_from(["x1", "x2"]), currency=currency, amount=amount, late=late,
             provider=st.just(CASHIER), player_id=game["player_id"]),
        kind("open_session", transaction_id=st.sampled_from(["o1", "o2", "o3"]), currency=currency,
             session_id=st.sampled_from(["s1", "s2"]), channel=st.sampled_from(["web", "mobile"]),
             provider=st.just(OPERATOR), player_id=game["player_id"]),
        kind("close_session", transaction_id=st.sampled_from(["z1", "z2"]), session_id=st.sampled_from(["s1", "s2"]),
             provider=st.just(OPERATOR), player_id=game["player_id"]),
    )  # fmt: skip


def kind(type_: str, **fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Events of one type."""
    renamed = {("stake" if name == "kind" else name): strategy for name, strategy in fields.items()}
    return st.fixed_dictionaries(renamed).map(lambda event: _finished(type_, event))


def _finished(type_: str, event: dict[str, Any]) -> dict[str, Any]:
    event = {"type": type_, "kind": event.pop("stake", None), **event}
    if type_ in ("bet", "win", "close_round"):
        event["game_id"] = "g"
    event.setdefault("reference", None)
    if type_.endswith("_session"):
        event["own"] = (("session_id", event["session_id"]), ("channel", event.get("channel")))
    return event


#: Made once: strategies are slow to make, and every history draws from the same.
EVENTS = st.lists(st.deferred(events), min_size=1, max_size=40)
ALL_FLAGS = st.fixed_dictionaries({flag: st.sampled_from(values) for flag, values in FLAGS.items()})
BATCH_SIZES = st.lists(st.integers(1, 12), min_size=1, max_size=10)
PAUSES = st.lists(st.sampled_from([0, 0, 0, 1, 20, 70]), min_size=1, max_size=10)
REPEATS = st.lists(st.integers(0, 39), max_size=6)


@st.composite
def histories(draw: st.DrawFn, *, time_passes: bool = True) -> History:
    """A history that begins with two opened players who have money and a session."""
    flags = {name: draw(ALL_FLAGS) for name in ("acme", "other")}
    drawn = draw(EVENTS)
    drawn += [dict(drawn[at % len(drawn)]) for at in draw(REPEATS)]
    pauses = draw(PAUSES) if time_passes else [0]
    seconds = 0
    for place, event in enumerate(drawn):
        seconds += pauses[place % len(pauses)]
        event["at"] = seconds
    opening = [event for player_id in ("p", "q") for event in _opening(player_id)]
    return History(flags, opening + drawn, draw(BATCH_SIZES))


def _opening(player_id: str) -> list[dict[str, Any]]:
    shared = {"player_id": player_id, "currency": "EUR", "at": 0, "kind": None, "reference": None}
    session = {"session_id": "s1", "channel": "web", "own": (("session_id", "s1"), ("channel", "web"))}
    return [
        {"type": "open_player", "provider": OPERATOR, "transaction_id": f"open-{player_id}", **shared},
        {
            "type": "open_session",
            "provider": OPERATOR,
            "transaction_id": f"in-{player_id}",
            **session,
            **shared,
        },
        {
            "type": "deposit",
            "provider": CASHIER,
            "transaction_id": f"cash-{player_id}",
            "amount": "30",
            **shared,
        },
    ]


def command_of(event: dict[str, Any], offset: int) -> Command:
    """The event as the law reads it."""
    amount, currency = event.get("amount"), event.get("currency")
    at = START + timedelta(seconds=event["at"])
    late = event.get("late")
    if late is not None:
        event["deadline"] = at + timedelta(seconds=late)
    return Command(
        event["type"],
        event["provider"],
        event["transaction_id"],
        event["player_id"],
        partition=0,
        offset=offset,
        broker_time=at,
        currency=currency,
        amount_minor=None if amount is None or currency is None else parse_minor(amount, EXPONENTS[currency]),
        amount_text=amount,
        game_id=event.get("game_id"),
        round_id=event.get("round_id"),
        session_id=event.get("session_id"),
        reference=event["reference"],
        kind=event["kind"],
        round_closed=event.get("round_closed", False),
        deadline=event.get("deadline"),
        own=event.get("own", ()),
    )
