"""Random events of every type, as they come on the wire: few names, so that they meet, repeat and overtake."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from processor.domain.profiles import Profile, Rate, Reference
from tests.unit.domain.memory import START

EXPONENTS = {"EUR": 2, "USD": 2, "JPY": 0, "BTC": 8}

FLAGS: dict[str, list[Any]] = {
    "id_scope": ["provider", "player"],
    "id_includes_type": [False, False, True],
    "require_session": [False, False, True],
    "win_without_bet": [frozenset(), frozenset({"any"})],
    "wins_per_bet": ["one", "many"],
    "settlement": ["per_bet", "per_round"],
    "transfer_settlement": ["wallet", "provider"],
    "rollback_unknown": ["reject", "accept"],
    "rollback_amount": ["must_match", "ignore"],
    "rollback_after_win": ["refuse", "allow"],
    "win_reversal": ["refuse", "take_available", "player_debt"],
    "fx": [True, True, False],
    "status": [*["active"] * 7, "suspended"],
}

#: Money in whole units, which every currency can write, and some that not all can.
AMOUNTS = ["0", "1", "2", "5", "12", "0.01", "3.33"]
CURRENCIES = ["EUR", "EUR", "EUR", "EUR", "USD", "JPY", "BTC"]
PLAYERS = ["p", "p", "p", "p", "p", "q", "q", "nobody"]
BETS = ["b1", "b2", "b3", "b4", "b5"]
WINS = ["w1", "w2", "w3"]
ROUNDS = ["r1", "r2"]
SESSIONS = ["s1", "s2"]

Event = dict[str, Any]


@dataclass
class History:
    """Events in order of arrival; ``at`` are the seconds since the start. Batches are cut by ``batch_sizes``."""

    flags: dict[str, dict[str, Any]]
    events: list[Event]
    at: list[int]
    batch_sizes: list[int]

    def reference(self, prefix: str = "") -> Reference:
        """Providers ``acme`` (seamless) and ``live`` (with game wallets), and rates into euros."""
        wallets = {"acme": "seamless", "live": "transfer"}
        providers = {
            f"{prefix}{name}": Profile(f"{prefix}{name}", wallet=wallets[name], **flags)  # type: ignore[arg-type]  # drawn from FLAGS
            for name, flags in self.flags.items()
        }
        since = START - timedelta(hours=1)
        rates = {
            ("JPY", "EUR"): (Rate("0.0061", since, "s"),),
            ("USD", "EUR"): (Rate("0.923", since, "s"),),
            ("BTC", "EUR"): (Rate("61000.5", since, "s"),),
        }
        return Reference(1, providers, {}, EXPONENTS, rates=rates)


def _types() -> dict[str, st.SearchStrategy[Event]]:
    amount, currency, bet = st.sampled_from(AMOUNTS), st.sampled_from(CURRENCIES), st.sampled_from(BETS)
    euros = st.sampled_from(["EUR", "EUR", "EUR", "JPY"])
    game: dict[str, Any] = {"provider": st.sampled_from(["acme", "acme", "live"]), "game_id": st.just("g")}
    play: dict[str, Any] = {
        **game,
        "currency": currency,
        "round_id": st.sampled_from(ROUNDS),
        "session_id": st.sampled_from(["s1", "s1", "s1", "s2"]),
    }
    closed = st.sampled_from([False, False, False, True])
    reference, own = {"reference": bet}, {"provider": st.just("operator")}
    money: dict[str, Any] = {"currency": euros, "amount": amount}
    cashier: dict[str, Any] = {"provider": st.just("cashier"), **money}
    transfer: dict[str, Any] = {"provider": st.sampled_from(["live", "live", "acme"]), "currency": euros}
    bonus: dict[str, Any] = {**cashier, "bonus_id": st.sampled_from(["w", "x"])}
    limit: dict[str, Any] = {
        **own,
        "limit": st.sampled_from(["wager", "loss", "deposit"]),
        "period": st.sampled_from(["day", "week"]),
    }
    return {
        "bet": _event(BETS, {"amount": amount, **play,
                      "kind": st.sampled_from(["stake", "stake", "stake", "tip", "buy_in"])},
                      jackpot_contribution=st.just("0"), bonus_id=st.just("x")),
        "win": _event([*WINS, "b1"], {"amount": amount, **play, "round_closed": closed,
                      "kind": st.sampled_from(["game", "game", "game", "jackpot", "promo"])}, **reference),
        "bet_win": _event(["x1", "x2", "b5"], {**play, "bet_amount": amount, "win_amount": amount,
                          "round_closed": closed}),
        "batch": _event(["m1", "m2"], {**play, "round_closed": closed,
                        "actions": st.lists(_actions(), min_size=1, max_size=3)}),
        "rollback": _event(["c1", "c2", "c3"], {"provider": game["provider"],
                           "reference": st.sampled_from([*BETS, "w1", "x1", "m1"])}, amount=amount),
        "refund": _event(["f1", "f2", "f3"], {"provider": game["provider"], **reference, "amount": amount}),
        "reverse_win": _event(["v1", "v2"], {"provider": game["provider"],
                              "reference": st.sampled_from([*WINS, "b1"])}),
        "adjust": _event(["a1", "a2"], {"provider": game["provider"], "currency": currency, "reason": st.just("late"),
                         "amount": st.sampled_from([*AMOUNTS, "-1", "-7"])}, reference=st.sampled_from([*BETS, "w1"])),
        "close_round": _event(["e1"], {**game, "round_id": st.sampled_from(ROUNDS)}),
        "deposit": _event(["d1", "d2"], cashier),
        "withdraw": _event(["y1", "y2"], cashier),
        "grant_bonus": _event(["g1", "g2"], bonus, wagering_requirement=amount),
        "expire_bonus": _event(["k1"], bonus),
        "release_bonus": _event(["l1", "l2"], bonus),
        "transfer_in": _event(["t1", "t2"], {**transfer, "amount": amount}),
        "transfer_out": _event(["u1", "u2"], {**transfer, "amount": st.sampled_from(["all", *AMOUNTS])},
                               reported_balance=amount),
        "open_session": _event(["o1", "o2"], {**own, "currency": euros, "session_id": st.sampled_from(SESSIONS),
                               "channel": st.sampled_from(["web", "mobile"])}),
        "close_session": _event(["z1"], {**own, "session_id": st.sampled_from(SESSIONS)}),
        "open_player": _event(["n1"], {**own, "currency": st.sampled_from(["USD", "JPY"])}),
        "set_limit": _event(["i1", "i2", "i3"], {**limit, "currency": st.just("EUR"), "amount": amount}),
        "confirm_limit": _event(["j1"], {**limit, "currency": st.just("EUR")}),
        "block_player": _event(["q1"], own),
        "unblock_player": _event(["q2"], own),
    }  # fmt: skip


def _event(ids: list[str], fields: dict[str, Any], **optional: Any) -> st.SearchStrategy[Event]:
    required = {"transaction_id": st.sampled_from(ids), "player_id": st.sampled_from(PLAYERS), **fields}
    return st.fixed_dictionaries(required, optional=optional)


def _actions() -> st.SearchStrategy[Event]:
    amount = st.sampled_from(AMOUNTS)
    bet = st.fixed_dictionaries(
        {"type": st.just("bet"), "transaction_id": st.sampled_from(BETS), "amount": amount}
    )
    win = st.fixed_dictionaries(
        {"type": st.just("win"), "transaction_id": st.sampled_from(WINS), "amount": amount},
        optional={"reference": st.sampled_from(BETS)},
    )
    return st.one_of(bet, bet, win)


#: How often each type comes, beside once.
_OFTEN = {
    "bet": 6,
    "win": 4,
    "rollback": 2,
    "refund": 2,
    "batch": 2,
    "bet_win": 1,
    "deposit": 1,
    "grant_bonus": 1,
}
_BY_TYPE = _types()
#: Made once: strategies are slow to make, and every history draws from the same.
_EVENTS = st.lists(
    st.one_of(
        *(
            strategy.map(lambda event, type_=type_: {"type": type_, **event})  # type: ignore[misc]  # a default binds it
            for type_, strategy in _BY_TYPE.items()
            for _ in range(1 + _OFTEN.get(type_, 0))
        )
    ),
    min_size=10,
    max_size=40,
)
_ALL_FLAGS = st.fixed_dictionaries({flag: st.sampled_from(values) for flag, values in FLAGS.items()})
_PAUSES = st.lists(st.sampled_from([0, 0, 0, 1, 20, 70]), min_size=1, max_size=8)


@st.composite
def histories(draw: st.DrawFn, *, time_passes: bool = True) -> History:
    """A history that begins with two players who have money, a bonus, a game wallet and a session."""
    flags = {name: draw(_ALL_FLAGS) for name in ("acme", "live")}
    drawn = draw(_EVENTS)
    drawn += [dict(drawn[at % len(drawn)]) for at in draw(st.lists(st.integers(0, 29), max_size=6))]
    pauses = draw(_PAUSES) if time_passes else [0]
    began = [event for player_id in ("p", "q") for event in opening(player_id)]
    at, seconds = [0] * len(began), 0
    for place in range(len(drawn)):
        seconds += pauses[place % len(pauses)]
        at.append(seconds)
    sizes = draw(st.lists(st.integers(1, 12), min_size=1, max_size=8))
    return History(flags, began + drawn, at, sizes)


def opening(player_id: str) -> list[Event]:
    """How every history begins for a player: money, a bonus, a session, a game wallet."""

    def event(type_: str, provider: str, **fields: Any) -> Event:
        ids = {"transaction_id": f"first-{type_}-{player_id}", "player_id": player_id, "currency": "EUR"}
        return {"type": type_, "provider": provider, **ids, **fields}

    return [
        event("open_player", "operator", time_zone="Europe/Vienna"),
        event("deposit", "cashier", amount="30"),
        event("grant_bonus", "cashier", amount="5", bonus_id="w", wagering_requirement="9"),
        event("open_session", "operator", session_id="s1"),
        event("transfer_in", "live", amount="10"),
    ]


#: Names that are made one example's own, where many share a database.
_NAMES = ("transaction_id", "player_id", "reference", "session_id", "round_id", "bonus_id")


def named(event: Event, prefix: str) -> Event:
    """The same event with names of its own."""
    made: Event = {name: f"{prefix}{text}" if name in _NAMES else text for name, text in event.items()}
    if made["provider"] not in ("cashier", "operator"):
        made["provider"] = f"{prefix}{made['provider']}"
    elif event["type"] != "batch":
        made["transaction_id"] = f"{prefix}{event['player_id']}-{event['transaction_id']}"
    if "actions" in made:
        made["actions"] = [
            {name: f"{prefix}{text}" if name in _NAMES else text for name, text in action.items()}
            for action in made["actions"]
        ]
    return made
