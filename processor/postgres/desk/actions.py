"""The append-only record of what operators did: who, what, to which, why."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from processor.postgres.desk.desk import Desk

_FILE = "desk_actions"


class Action(NamedTuple):
    """One act of a person."""

    at: datetime
    actor: str
    action: str
    why: str
    details: str | None


async def actions_on(desk: Desk, target: str) -> list[Action]:
    """What was done to a target (``dead-letter/…``, ``parked/…``, ``lane/…``), in order."""
    return [Action(*row) for row in await desk.fetch(_FILE, "of_target", target)]


async def note(
    desk: Desk, *, actor: str, action: str, target: str, why: str, details: str | None = None
) -> None:
    """Note an act that changes no row of its own."""
    await desk.fetch(_FILE, "note", actor, action, target, why, details)
