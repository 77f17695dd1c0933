"""Rounds and sessions as operators ask: the players of a round, what sessions moved, rounds that are stuck."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from processor.postgres.desk.desk import Desk

_FILE = "desk_history"


class RoundKey(NamedTuple):
    """Where a page of rounds of one id ended."""

    player_id: str = ""
    provider: str = ""


@dataclass(frozen=True, slots=True)
class PlayedRound:
    """A player's round. ``player`` is the ledger's own number; amounts are minor units of ``currency``."""

    player_id: str
    player: int
    provider: str
    round_id: str
    game_id: str | None
    currency: str | None
    opened_at: datetime
    closed_at: datetime | None
    bets: int
    bets_rolled_back: int
    wins: int
    staked_minor: int
    won_minor: int


class Moved(NamedTuple):
    """What a session moved in one currency, in minor units: the net is from the player's side."""

    currency: str
    staked_minor: int
    won_minor: int
    net_minor: int


@dataclass(slots=True)
class PlayedSession:
    """A session with what it moved, by currency. ``ended_at`` is None while it is open."""

    session_id: str
    provider: str
    channel: str
    currency: str
    game_id: str | None
    opened_at: datetime
    expires_at: datetime
    closed_at: datetime | None
    replaced_at: datetime | None
    moved: list[Moved] = field(default_factory=list)

    def ended_at(self, now: datetime) -> datetime | None:
        """When it was closed, replaced or had expired, whichever came first."""
        ends = [time for time in (self.closed_at, self.replaced_at, self.expires_at) if time is not None]
        return min(ends) if min(ends) <= now else None

    def duration_seconds(self, now: datetime) -> float:
        """How long it has lasted, until now where it is open."""
        return ((self.ended_at(now) or now) - self.opened_at).total_seconds()


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which of a player's sessions; ``before`` is (opened_at, session id) of the last one of the page before."""

    player_id: str
    session_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: tuple[datetime, str] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class StuckRound:
    """An open round past its time with ``bets`` that nobody has settled, ``staked_minor`` taken for them."""

    player_id: str
    player: int
    provider: str
    round_id: str
    game_id: str | None
    currency: str | None
    opened_at: datetime
    bets: int
    staked_minor: int


class StuckKey(NamedTuple):
    """Where a page of stuck rounds ended."""

    opened_at: datetime | None = None
    player_id: str | None = None
    provider: str | None = None
    round_id: str | None = None


async def rounds(
    desk: Desk, round_id: str, player_id: str | None, provider: str | None, after: RoundKey, limit: int
) -> list[PlayedRound]:
    """The rounds of this id, by player and provider."""
    rows = await desk.fetch(_FILE, "rounds", round_id, player_id, provider, *after, limit)
    return [
        replace(PlayedRound(*row), staked_minor=int(row["staked_minor"]), won_minor=int(row["won_minor"]))
        for row in rows
    ]


async def sessions(desk: Desk, wanted: SessionFilter) -> list[PlayedSession] | None:
    """A page of a player's sessions, newest first, with what each moved; None where the player is not known."""
    player = await desk.one("desk_money", "player", wanted.player_id)
    if player is None:
        return None
    before = wanted.before or (None, None)
    rows = await desk.fetch(
        _FILE,
        "sessions",
        player["number"],
        *before,
        wanted.session_id,
        wanted.since,
        wanted.until,
        wanted.limit,
    )
    found = {row["session_id"]: PlayedSession(*row) for row in rows}
    for row in await desk.fetch(_FILE, "session_sums", player["number"], list(found)):
        sums = (int(row[name]) for name in ("staked_minor", "won_minor", "net_minor"))
        found[row["session_id"]].moved.append(Moved(row["currency"], *sums))
    return list(found.values())


async def stuck_rounds(
    desk: Desk,
    timeout_hours: Mapping[str, int],
    default_hours: int,
    now: datetime,
    *,
    provider: str | None,
    after: StuckKey,
    limit: int,
) -> list[StuckRound]:
    """Rounds still open though their provider's time for a round is over, with stakes not settled, oldest first."""
    rows = await desk.fetch(
        _FILE,
        "stuck_rounds",
        list(timeout_hours),
        list(timeout_hours.values()),
        default_hours,
        now,
        provider,
        *after,
        limit,
    )
    return [replace(StuckRound(*row), staked_minor=int(row["staked_minor"])) for row in rows]
