"""Dead letters as a work list: pages, counts, originals, and status moves that two operators cannot both make."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from processor.postgres.desk.desk import Desk

_FILE = "desk_letters"

OPEN, RESENDING, RESENT, DISCARDED = "open", "resending", "resent", "discarded"

Header = tuple[str, bytes | None]


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """Which dead letters; None asks for all. Times are when the letter was made; offsets include both ends."""

    status: str | None = None
    reason: str | None = None
    provider: str | None = None
    player_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    partition: int | None = None
    first_offset: int | None = None
    last_offset: int | None = None

    def arguments(self) -> tuple[object, ...]:
        """The statements' first nine arguments."""
        return (
            self.status,
            self.reason,
            self.provider,
            self.player_id,
            self.since,
            self.until,
            self.partition,
            self.first_offset,
            self.last_offset,
        )


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter without its bytes; ``size`` is the value's in bytes, None where there was no value."""

    letter_id: str
    status: str
    reason: str
    detail: str
    attempts: int
    event_partition: int
    event_offset: int
    broker_time: datetime
    provider: str | None
    player_id: str | None
    transaction_id: str | None
    replay_count: int
    replay_of: str | None
    layout: int
    lane: int
    seq: int
    created_at: datetime
    status_changed_at: datetime | None
    size: int | None


class Original(NamedTuple):
    """A letter with the event's key, value and headers, byte for byte."""

    letter: Letter
    key: bytes | None
    value: bytes | None
    headers: list[Header]


class Move(NamedTuple):
    """Who moves a letter, by which act, and why; ``details`` is for the record."""

    actor: str
    action: str
    why: str
    details: str | None = None


async def page(
    desk: Desk, wanted: LetterFilter, *, after: tuple[datetime, str] | None, limit: int
) -> list[Letter]:
    """Letters without their bytes, newest first; ``after`` is the (created_at, letter_id) of the last one seen."""
    created_at, letter_id = after or (None, None)
    rows = await desk.fetch(_FILE, "list", *wanted.arguments(), created_at, letter_id, limit)
    return [Letter(*row) for row in rows]


async def counts(desk: Desk, wanted: LetterFilter) -> dict[tuple[str, str], int]:
    """How many letters, by (status, reason)."""
    rows = await desk.fetch(_FILE, "counts", *wanted.arguments())
    return {(status, reason): letters for status, reason, letters in rows}


async def originals(
    desk: Desk, wanted: LetterFilter, *, after: tuple[int, int, str] | None, limit: int
) -> list[Original]:
    """Letters with their bytes in the order of their events; ``after`` is the last one's (partition, offset, id)."""
    rows = await desk.fetch(_FILE, "originals", *wanted.arguments(), *(after or (-1, -1, "")), limit)
    return [_original(row) for row in rows]


async def find(desk: Desk, letter_id: str) -> Original | None:
    """One letter with its bytes."""
    row = await desk.one(_FILE, "letter", letter_id)
    return None if row is None else _original(row)


async def successors(desk: Desk, letter_id: str) -> list[tuple[str, str, str, datetime]]:
    """(letter id, status, reason, made at) of the letters that replays of this one became."""
    return [tuple(row) for row in await desk.fetch(_FILE, "successors", letter_id)]


async def move(
    desk: Desk,
    letter_id: str,
    from_status: str,
    to_status: str,
    by: Move,
    *,
    unchanged_since: datetime | None = None,
) -> bool:
    """Move a letter and note the act, in one transaction; False where it is no longer in ``from_status``.

    With ``unchanged_since`` only a letter that nobody has moved since then is moved (an interrupted replay's).
    """
    row = await desk.one(
        _FILE,
        "move",
        letter_id,
        from_status,
        to_status,
        by.actor,
        by.action,
        by.why,
        by.details,
        unchanged_since,
    )
    return row is not None


async def put_back(desk: Desk, original: Original, by: Move) -> bool:
    """Put an exported letter into the work list and note the act, in one transaction; False where its id is there."""
    letter = original.letter
    row = await desk.one(
        _FILE,
        "put_back",
        letter.letter_id,
        letter.status,
        letter.reason,
        letter.detail,
        letter.attempts,
        letter.event_partition,
        letter.event_offset,
        letter.broker_time,
        original.key,
        original.value,
        [name.encode("utf-8", "surrogateescape") for name, _ in original.headers],
        [content for _, content in original.headers],
        letter.provider,
        letter.player_id,
        letter.transaction_id,
        letter.replay_count,
        letter.replay_of,
        letter.created_at,
        letter.status_changed_at,
        by.actor,
        by.action,
        by.why,
        by.details,
    )
    return row is not None


def _original(row: Any) -> Original:
    *plain, key, value, names, values = row
    headers = [
        (name.decode("utf-8", "surrogateescape"), content)
        for name, content in zip(names, values, strict=True)
    ]
    return Original(Letter(*plain), key, value, headers)
