"""Every line of the lifecycles is played against the law, and docs/lifecycles.md is what is drawn from them.

To draw it anew: ``python -m tests.unit.domain.test_lifecycles``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from processor.domain.lifecycles import LIFECYCLES, Step
from processor.domain.profiles import Profile
from tests.unit.domain.play import Play

PAGE = Path(__file__).parents[3] / "docs" / "lifecycles.md"

HEAD = """# Lifecycles

What becomes of things, event by event. Drawn from `processor/domain/lifecycles.py`; a test plays every line of it, and
another holds this page to it. Profiles are the strict ones, except where a line names a setting. What an event asks
beside this (the session, the limits, the money) is in [the order of precedence](law.md).
"""

Send = Callable[[Play], Any]
_NUMBERS = iter(range(1, 10_000))


def sends(type_: str, id_: str = "", **fields: Any) -> Send:
    return lambda play: play.send(type_, id_ or f"t{next(_NUMBERS)}", **fields)


def reported(balance: str) -> dict[str, Any]:
    return {"amount": "all", "own": (("reported_balance", balance),)}


def limited(amount: str | None) -> Send:
    own = (("limit", "wager"), ("period", "day"))
    return lambda play: play.send("set_limit", f"t{next(_NUMBERS)}", currency="EUR", amount=amount, own=own)


def waits(hours: int) -> Send:
    return lambda play: play.ledger.pass_time(hours * 3600)


def session(id_: str, channel: str = "web") -> Send:
    own = (("session_id", id_), ("channel", channel))
    return sends("open_session", session_id=id_, own=own)


WAGER: dict[str, Any] = {"own": (("limit", "wager"), ("period", "day"))}
BONUS: dict[str, Any] = {"provider": "cashier", "own": (("bonus_id", "w"), ("wagering_requirement", "5.00"))}
STAKE: dict[str, Any] = {"amount": "5.00"}
BET_EVENTS: Mapping[str, Send] = {
    "bet": sends("bet", "b", **STAKE),
    "bet beyond the money": sends("bet", "b", amount="500.00"),
    "bet_win": sends("bet_win", "b", bet_amount="5.00"),
    "rollback": sends("rollback", reference="b"),
    "rollback of another amount": sends("rollback", reference="b", amount="4.00", currency="EUR"),
    "win": sends("win", reference="b", amount="3.00"),
    "win of zero": sends("win", reference="b", amount="0.00"),
    "close_round": sends("close_round"),
    "refund of a part": sends("refund", reference="b", amount="2.00"),
    "refund of the rest": sends("refund", reference="b", amount="3.00"),
    "refund of all": sends("refund", reference="b", amount="5.00"),
    "refund of too much": sends("refund", reference="b", amount="5.01"),
    "reverse_win": sends("reverse_win", reference="w"),
}
EVENTS: Mapping[str, Mapping[str, Send]] = {
    "bet": BET_EVENTS,
    "round": {
        "bet": sends("bet"),
        "close_round": sends("close_round"),
        "win": sends("win", reference="b"),
        "win with round_closed": sends("win", reference="b", round_closed=True),
        "win of a jackpot": sends("win", kind="jackpot"),
    },
    "session": {
        "bet": sends("bet", session_id="x"),
        "win": sends("win", reference="b", session_id="x"),
        "open_session": session("x"),
        "open_session of another on its channel": session("y"),
        "open_session of another on another channel": session("y", "mobile"),
        "close_session": sends("close_session", session_id="x", own=(("session_id", "x"),)),
        "time": waits(25),
    },
    "game wallet": {
        "transfer_in": sends("transfer_in", amount="60.00"),
        "transfer_in beyond the money": sends("transfer_in", amount="500.00"),
        "bet": sends("bet", amount="6.00"),
        "withdraw": sends("withdraw", amount="50.00"),
        "transfer_out of all": sends("transfer_out", amount="all"),
        "transfer_out of too much": sends("transfer_out", amount="60.01"),
        "transfer_out of all, another balance reported": sends("transfer_out", **reported("60.01")),
        "transfer_out of all, less reported": sends("transfer_out", **reported("1.00")),
    },
    "limit": {
        "set_limit": limited("10.00"),
        "set_limit lower": limited("9.00"),
        "set_limit higher": limited("20.00"),
        "set_limit to nothing": limited(None),
        "confirm_limit": sends("confirm_limit", currency="EUR", **WAGER),
        "bet beyond the old limit": sends("bet", amount="10.01"),
        "time": waits(24),
    },
    "bonus": {
        "grant_bonus": sends("grant_bonus", amount="2.00", **BONUS),
        "release_bonus": sends("release_bonus", amount="2.00", **BONUS),
        "release_bonus of a part": sends("release_bonus", amount="1.00", **BONUS),
        "expire_bonus": sends("expire_bonus", amount="2.00", **BONUS),
        "bet that meets the requirement": sends("bet", "b", **STAKE),
        "rollback of that bet": sends("rollback", reference="b"),
    },
}

WIN_ON_IT = sends("win", "w", reference="b", amount="3.00")
#: How a thing is brought into its state.
STATES: Mapping[str, Mapping[str, tuple[Send, ...]]] = {
    "bet": {
        "unknown": (),
        "tombstone": (BET_EVENTS["rollback"],),
        "open": (BET_EVENTS["bet"],),
        "partly refunded": (BET_EVENTS["bet"], BET_EVENTS["refund of a part"]),
        "refunded": (BET_EVENTS["bet"], BET_EVENTS["refund of all"]),
        "settled": (BET_EVENTS["bet"], WIN_ON_IT),
        "rolled back": (BET_EVENTS["bet"], BET_EVENTS["rollback"]),
        "refused": (BET_EVENTS["bet beyond the money"],),
    },
    "round": {
        "unknown": (),
        "open": (sends("bet", "b"),),
        "closed": (sends("bet", "b"), sends("close_round")),
    },
    "session": {
        "unknown": (sends("bet", "b"),),
        "open": (sends("bet", "b"), session("x")),
        "expired": (sends("bet", "b"), session("x"), waits(25)),
        "replaced": (sends("bet", "b"), session("x"), session("y")),
        "closed": (sends("bet", "b"), session("x"), EVENTS["session"]["close_session"]),
    },
    "game wallet": {"empty": (), "funded": (EVENTS["game wallet"]["transfer_in"],)},
    "limit": {
        "none": (),
        "set": (limited("10.00"),),
        "raise pending": (limited("10.00"), limited("20.00")),
        "raise ready": (limited("10.00"), limited("20.00"), waits(24), session("s")),
    },
    "bonus": {
        "unknown": (),
        "granted": (EVENTS["bonus"]["grant_bonus"],),
        "wagered": (EVENTS["bonus"]["grant_bonus"], sends("bet", "b", **STAKE)),
    },
}


def bet_state(play: Play) -> str:
    bet, mark = play.ledger.outcomes.get(("acme", "b")), play.ledger.marks.get(("p", "acme", "b"))
    if mark is not None and mark.rolled_back:
        return "tombstone" if bet is None else "rolled back"
    if bet is None:
        return "unknown"
    if bet.code != "OK":
        return "refused"
    closed = play.ledger.rounds[("p", "acme", "r")].closed_at is not None
    if closed or bet.type == "bet_win" or (mark is not None and mark.wins):
        return "settled"
    if mark is not None and mark.refunded_minor:
        return "refunded" if mark.refunded_minor == 500 else "partly refunded"
    return "open"


def round_state(play: Play) -> str:
    found = play.ledger.rounds.get(("p", "acme", "r"))
    return "unknown" if found is None else "open" if found.closed_at is None else "closed"


def session_state(play: Play) -> str:
    found = play.ledger.sessions.get(("p", "x"))
    if found is None:
        return "unknown"
    if found.closed_at is not None or found.replaced_at is not None:
        return "closed" if found.closed_at is not None else "replaced"
    return "expired" if found.expires_at <= play.ledger.now else "open"


def game_wallet_state(play: Play) -> str:
    return "funded" if play.ledger.players["p"].balance_minor("EUR", "game:acme") else "empty"


def limit_state(play: Play) -> str:
    limits = play.ledger.players["p"].limits
    if not limits:
        return "none"
    if limits[0].effective_at is None:
        return "set"
    return "raise ready" if limits[0].effective_at <= play.ledger.now else "raise pending"


def bonus_state(play: Play) -> str:
    bonuses = play.ledger.players["p"].bonuses
    if not bonuses:
        return "unknown"
    return "wagered" if bonuses[0].wagered_minor >= bonuses[0].requirement_minor else "granted"


STATE_OF: Mapping[str, Callable[[Play], str]] = {
    "bet": bet_state,
    "round": round_state,
    "session": session_state,
    "game wallet": game_wallet_state,
    "limit": limit_state,
    "bonus": bonus_state,
}


def every_step() -> Iterator[tuple[str, Step]]:
    return ((thing, step) for thing, steps in LIFECYCLES.items() for step in steps)


def profile_of(thing: str, setting: str) -> Profile:
    """The strict profile, with the setting that a line names in brackets."""
    profile = Profile("acme", wallet="transfer" if thing == "game wallet" else "seamless")
    if not setting:
        return profile
    name, _, value = setting.removesuffix(")").partition(" = ")
    values: Any = {"false": False}.get(value, value)
    more: dict[str, Any] = {"win_reversal": "take_available"} if name == "rollback_after_win" else {}
    return replace(profile, **{name: values}, **more)


@pytest.mark.parametrize(("thing", "step"), list(every_step()))
def test_every_line_is_what_the_law_does(thing: str, step: Step) -> None:
    event, _, setting = step.event.partition(" (")
    play = Play(Profile("acme", wallet="transfer" if thing == "game wallet" else "seamless"))
    for send in STATES[thing][step.state]:
        send(play)
    assert STATE_OF[thing](play) == step.state
    changed = profile_of(thing, setting)
    play.ledger.reference = replace(
        play.ledger.reference, providers={**play.ledger.reference.providers, "acme": changed}
    )
    answer = EVENTS[thing][event](play)
    if step.code != "-":
        assert answer.code.value == step.code
    play.ledger.pass_time(timedelta(minutes=2).total_seconds() if thing == "bet" else 0)
    assert STATE_OF[thing](play) == step.then


def test_every_state_and_every_event_has_its_line() -> None:
    for thing, steps in LIFECYCLES.items():
        assert {step.state for step in steps} == STATES[thing].keys()
        assert {step.then for step in steps} <= STATES[thing].keys()
        assert {step.event.partition(" (")[0] for step in steps} == EVENTS[thing].keys()


def drawn() -> str:
    """The page: a diagram of what changes the state, and the whole table."""
    parts = [HEAD]
    for thing, steps in LIFECYCLES.items():
        parts.append(f"\n## A {thing}\n\n```mermaid\nstateDiagram-v2\n")
        names = {state: state.replace(" ", "_") for state in STATES[thing]}
        parts += [f'    state "{state}" as {name}\n' for state, name in names.items() if state != name]
        parts.append(f"    [*] --> {names[steps[0].state]}\n")
        parts += [
            f"    {names[step.state]} --> {names[step.then]} : {step.event}\n"
            for step in steps
            if step.state != step.then
        ]
        parts.append("```\n\n| in | comes | answered | then |\n| --- | --- | --- | --- |\n")
        parts += [
            f"| {step.state} | {step.event} | {'' if step.code == '-' else f'`{step.code}`'} | {step.then} |\n"
            for step in steps
        ]
    return "".join(parts)


def test_the_page_is_drawn_from_the_tables() -> None:
    assert PAGE.read_text() == drawn()


if __name__ == "__main__":
    PAGE.write_text(drawn())
