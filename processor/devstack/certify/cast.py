"""Who plays a case: names made unique for the run, and each step turned into the record that is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from processor.devstack.certify.cases import DEFAULT_CURRENCY, DEFAULT_PLAYER, Case, Step

_OWN_SENDERS: Final = ("cashier", "operator")
_PLACE: Final = ("game_id", "round_id")

#: The fields that a step may leave out, by type; every type has player_id, provider and occurred_at.
DEFAULTED: Final[dict[str, tuple[str, ...]]] = {
    "bet": ("currency", *_PLACE, "session_id"),
    "win": ("currency", *_PLACE, "session_id"),
    "bet_win": ("currency", *_PLACE, "session_id"),
    "batch": ("currency", *_PLACE, "session_id"),
    "adjust": ("currency",),
    "close_round": _PLACE,
    "open_session": ("session_id", "currency", "expires_at"),
    "close_session": ("session_id",),
    "transfer_in": ("currency",),
    "transfer_out": ("currency",),
    "deposit": ("currency",),
    "withdraw": ("currency",),
    "grant_bonus": ("currency",),
    "expire_bonus": ("currency",),
    "release_bonus": ("currency",),
    "open_player": ("currency",),
    "set_limit": ("currency",),
    "confirm_limit": ("currency",),
}


@dataclass(frozen=True, slots=True)
class Message:
    """One record to send."""

    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]


class Cast:
    """The unique names of one case in one run: ``c1f3a9-12`` before every player, provider and session."""

    def __init__(self, case: Case, run: str, number: int) -> None:
        self._case = case
        self.name = f"{run}-{number}"
        self.provider = self.name
        self.other = f"{self.name}-other"

    def player(self, name: str) -> str:
        return f"{self.name}-{name}"

    def players(self) -> list[str]:
        """Every player that this case opens."""
        return [self.player(name) for name in self._case.given]

    def _provider(self, name: str) -> str:
        if name in _OWN_SENDERS:
            return name
        return self.other if name == "other" else f"{self.name}-{name}"

    def opening(self) -> Iterator[Step]:
        """The steps that bring the players into the state that the case is given."""
        for name, given in self._case.given.items():
            yield from _opening(name, given)

    def message(self, step: Step) -> Message:
        headers = [(name, value.encode()) for name, value in step.headers.items()]
        if step.raw is not None:
            return Message(self._key(step, self.player(DEFAULT_PLAYER)), step.raw.encode(), headers)
        body = self._body(step)
        return Message(
            self._key(step, str(body["player_id"])), json.dumps(body, ensure_ascii=False).encode(), headers
        )

    def _key(self, step: Step, player_id: str) -> bytes:
        if step.key is None:
            return player_id.encode()
        return (self.player(step.key) if step.key in self._case.given else str(step.key)).encode()

    def _body(self, step: Step) -> dict[str, Any]:
        now = datetime.now(UTC)
        player = str(step.fields.get("player_id", DEFAULT_PLAYER))
        sender = str(step.fields["provider"]) if "provider" in step.fields else None
        defaults = {
            "currency": self._case.given.get(player, {}).get("currency", DEFAULT_CURRENCY),
            "game_id": "g",
            "round_id": "r",
            "session_id": "s",
            "expires_at": (now + timedelta(hours=1)).isoformat(),
        }
        body: dict[str, Any] = {
            "type": step.type,
            "provider": self.provider if sender is None else self._provider(sender),
            "transaction_id": self._transaction_id(sender, step.transaction_id),
            "player_id": self.player(player),
            "occurred_at": now.isoformat(),
        }
        body |= {name: defaults[name] for name in DEFAULTED.get(step.type or "", ())}
        body |= {name: value for name, value in step.fields.items() if name not in {"player_id", "provider"}}
        if "session_id" in body and isinstance(body["session_id"], str):
            body["session_id"] = f"{self.name}-{body['session_id']}"
        if "reference" in body and isinstance(body["reference"], str):
            body["reference"] = self._transaction_id(sender, body["reference"])
        return body

    def _transaction_id(self, sender: str | None, transaction_id: str) -> str:
        # The cashier and the operator are shared by all cases, so their ids are not.
        return f"{self.name}-{transaction_id}" if sender in _OWN_SENDERS else transaction_id


def _opening(name: str, given: dict[str, Any] | Any) -> Iterator[Step]:
    def step(type_: str, provider: str, **fields: Any) -> Step:
        fields = {"player_id": name, "provider": provider, **fields}
        return Step(type_, f"given-{name}-{type_}", fields, {"code": "OK"})

    about = {key: given[key] for key in ("country", "time_zone", "jurisdiction") if key in given}
    yield step("open_player", "operator", **about)
    if float(given.get("cash", 0)) > 0:
        yield step("deposit", "cashier", amount=str(given["cash"]))
    if float(given.get("bonus", 0)) > 0:
        yield step("grant_bonus", "cashier", amount=str(given["bonus"]), bonus_id="given")
    if given.get("session", "open") not in {"none", None, False}:
        yield step("open_session", "operator", session_id="s")
    if given.get("session") == "closed":
        yield step("close_session", "operator", session_id="s")
    if given.get("blocked"):
        yield step("block_player", "operator", reason="given")
