"""Parked events, and requests about them that the lane carries out behind its own fence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from processor.postgres.desk.desk import Desk

_FILE = "desk_parked"

RETRY, DISCARD = "parked.retry", "parked.discard"


@dataclass(frozen=True, slots=True)
class ParkedFilter:
    """Which parked events; None asks for all."""

    player_id: str | None = None
    provider: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """One event that waits: a head for its bet or a better attempt, or a follower behind it. Broker times."""

    number: int
    player_id: str
    provider: str
    position: int
    transaction_id: str
    event_partition: int
    event_offset: int
    broker_time: datetime
    reason: str
    awaits: str | None
    attempts: int
    parked_at: datetime
    next_attempt_at: datetime
    expires_at: datetime
    last_error: str | None


class ParkedOriginal(NamedTuple):
    """A parked event with its key, value and headers, byte for byte."""

    event: ParkedEvent
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


class Request(NamedTuple):
    """What an operator asked of a lane, and what came of it (None: not carried out yet)."""

    number: int
    kind: str
    actor: str
    why: str
    created_at: datetime
    done_at: datetime | None
    what_came: str | None


async def page(desk: Desk, wanted: ParkedFilter, *, after: int, limit: int) -> list[ParkedEvent]:
    """Parked events in the order of their numbers, above ``after``."""
    rows = await desk.fetch(_FILE, "list", after, wanted.player_id, wanted.provider, wanted.reason, limit)
    return [ParkedEvent(*row) for row in rows]


async def counts(desk: Desk, wanted: ParkedFilter) -> dict[str, int]:
    """How many events wait, by reason."""
    rows = await desk.fetch(_FILE, "counts", wanted.player_id, wanted.provider, wanted.reason)
    return dict(rows)


async def find(desk: Desk, number: int) -> ParkedOriginal | None:
    """One parked event with its bytes."""
    row = await desk.one(_FILE, "one", number)
    if row is None:
        return None
    *plain, key, value, names, values = row
    headers = [
        (name.decode("utf-8", "surrogateescape"), content)
        for name, content in zip(names, values, strict=True)
    ]
    return ParkedOriginal(ParkedEvent(*plain), key, value, headers)


async def request(desk: Desk, number: int, kind: str, *, actor: str, why: str) -> int | None:
    """Ask the lane to retry or discard a parked event; the request's number, None where nothing is parked there."""
    row = await desk.one(_FILE, "request", number, kind, actor, why)
    return None if row is None else int(row["number"])


async def request_state(desk: Desk, request_number: int) -> tuple[datetime | None, str | None]:
    """When the lane carried a request out (None: not yet), and what came of it."""
    row = await desk.one(_FILE, "request_state", request_number)
    return (None, None) if row is None else (row["done_at"], row["what_came"])


async def requests_of(desk: Desk, number: int) -> list[Request]:
    """What operators have asked about a parked event."""
    return [Request(*row) for row in await desk.fetch(_FILE, "requests_of", number)]
