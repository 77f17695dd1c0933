"""What people ask of a history, as calls that a desk answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from processor.postgres.desk.desk import Desk
from processor.postgres.desk.history import HistoryFilter, history, story
from processor.postgres.desk.play import RoundKey, SessionFilter, StuckKey, rounds, sessions, stuck_rounds


class Question(NamedTuple):
    """One thing that is asked; ``ask`` gives how many rows came."""

    words: str
    ask: Callable[[Desk], Awaitable[int]]


def questions(player: int, longest: int) -> list[Question]:
    """Of a player with so many decisions, by his number."""
    name, middle = f"p-{player}", longest // 2
    now = datetime.now(UTC)
    round_id, session_id = f"r-{player}-{middle // 2}", f"s-{player}-{middle // 100}"

    def page(**wanted: Any) -> Callable[[Desk], Awaitable[int]]:
        async def ask(desk: Desk) -> int:
            return len(await history(desk, HistoryFilter(name, **wanted)) or ())

        return ask

    def of_sessions(**wanted: Any) -> Callable[[Desk], Awaitable[int]]:
        async def ask(desk: Desk) -> int:
            return len(await sessions(desk, SessionFilter(name, **wanted)) or ())

        return ask

    async def of_a_round(desk: Desk) -> int:
        found = await rounds(desk, round_id, name, None, RoundKey(), 50)
        return len(found) and len(await story(desk, player, "acme", round_id))

    async def stuck(desk: Desk) -> int:
        return len(await stuck_rounds(desk, {}, 24, now, provider=None, after=StuckKey(), limit=50))

    return [
        Question("the newest page", page()),
        Question("a page from the middle", page(before=middle)),
        Question("a day", page(since=now - timedelta(days=10), until=now - timedelta(days=9))),
        Question("one session's decisions", page(session_id=session_id)),
        Question("one round's story", of_a_round),
        Question("the newest sessions with their sums", of_sessions()),
        Question("one session with its sums", of_sessions(session_id=session_id)),
        Question("rounds that are stuck (of all players)", stuck),
    ]
