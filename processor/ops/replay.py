"""Sending dead letters again: original bytes, key and headers, to the original topic and partition.

Each letter goes ``open → resending → resent``; a move names the status it was seen in, so two operators cannot send
one letter twice at once. A replay that was interrupted leaves one letter ``resending``; a later one takes it up
again. Sending twice does no harm: the transaction id is the original's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from processor.kafka.producing import EventSender
from processor.keys.key import Key
from processor.lane.dead_letters import EDITED, REPLAY_COUNT, REPLAY_HEADERS, REPLAY_OF
from processor.ops.signing import key_ring, operator_key, vouched
from processor.postgres.desk.desk import Desk
from processor.postgres.desk.letters import (
    OPEN,
    RESENDING,
    RESENT,
    Header,
    Letter,
    LetterFilter,
    Move,
    Original,
    find,
    move,
    originals,
)
from processor.settings import Settings

#: A letter that is ``resending`` for so long was left by a replay that was interrupted.
ABANDONED_AFTER = timedelta(minutes=5)
_PAGE = 200
#: Headers of an original that are as true of a corrected payload.
_OF_ANY_PAYLOAD = frozenset({"traceparent"})


@dataclass(frozen=True, slots=True)
class ReplayOrder:
    """Who sends letters again, why, how fast (None: as fast as it goes), how many, and how often one letter at most."""

    actor: str
    reason: str
    per_second: float | None = None
    max_letters: int | None = None
    max_replays: int = 3


@dataclass(slots=True)
class ReplayReport:
    """What came of a replay: letter ids by what happened to them."""

    sent: list[str] = field(default_factory=list)
    taken_by_another: list[str] = field(default_factory=list)
    in_a_loop: list[str] = field(default_factory=list)

    @property
    def refused_some(self) -> bool:
        """Whether letters were left as they are."""
        return bool(self.taken_by_another or self.in_a_loop)


async def eligible(desk: Desk, wanted: LetterFilter, *, limit: int | None) -> AsyncIterator[Original]:
    """The letters of a filter that can be sent again, in the order of their events: open ones, and those that an
    interrupted replay left."""
    given = 0
    after: tuple[int, int, str] | None = None
    while limit is None or given < limit:
        page = await originals(desk, wanted, after=after, limit=_PAGE)
        for original in page:
            letter = original.letter
            if _can_be_sent(letter):
                yield original
                given += 1
                if given == limit:
                    return
        if len(page) < _PAGE:
            return
        letter = page[-1].letter
        after = (letter.event_partition, letter.event_offset, letter.letter_id)


def _can_be_sent(letter: Letter) -> bool:
    return letter.status == OPEN or (letter.status == RESENDING and _is_abandoned(letter))


def _is_abandoned(letter: Letter) -> bool:
    changed = letter.status_changed_at
    return changed is not None and changed < datetime.now(UTC) - ABANDONED_AFTER


async def replay(
    settings: Settings,
    desk: Desk,
    letters: AsyncIterator[Original],
    order: ReplayOrder,
    progress: Callable[[int], None],
) -> ReplayReport:
    """Send letters again, one by one. Raises `errors.KafkaUnreachable`; what was sent until then stays sent."""
    report, pace = ReplayReport(), _Pace(order.per_second)
    ring = key_ring(settings)
    key = None if ring is None else operator_key(ring)
    async with EventSender(settings) as sender:
        async for original in letters:
            await pace.wait()
            await _replay_one(sender, desk, original, order, report, key)
            progress(len(report.sent) + len(report.taken_by_another) + len(report.in_a_loop))
    return report


async def one(desk: Desk, letter_id: str) -> AsyncIterator[Original]:
    """Just this letter, whatever its status; nothing where there is none."""
    found = await find(desk, letter_id)
    if found is not None:
        yield found


async def _replay_one(
    sender: EventSender,
    desk: Desk,
    original: Original,
    order: ReplayOrder,
    report: ReplayReport,
    key: Key | None,
) -> None:
    letter = original.letter
    if letter.replay_count >= order.max_replays:
        report.in_a_loop.append(letter.letter_id)
        return
    if not await _take(desk, letter, order):
        report.taken_by_another.append(letter.letter_id)
        return
    vouching = [] if key is None else vouched(key, letter.letter_id, original.value)
    sent = await sender.send_and_wait(
        original.value,
        key=original.key,
        headers=[*replayed_headers(letter, original.headers), *vouching],
        partition=letter.event_partition,
    )
    where = f"{sent.partition}@{sent.offset}"
    done = Move(order.actor, "dead-letters.resent", order.reason, where)
    await move(desk, letter.letter_id, RESENDING, RESENT, done)
    report.sent.append(letter.letter_id)


async def _take(desk: Desk, letter: Letter, order: ReplayOrder) -> bool:
    by = Move(order.actor, "dead-letters.replay", order.reason)
    if letter.status == OPEN:
        return await move(desk, letter.letter_id, OPEN, RESENDING, by)
    if letter.status != RESENDING:
        return False
    cutoff = datetime.now(UTC) - ABANDONED_AFTER
    return await move(desk, letter.letter_id, RESENDING, RESENDING, by, unchanged_since=cutoff)


def replayed_headers(letter: Letter, headers: list[Header]) -> list[Header]:
    """The original headers, and which letter this is a replay of, for the how-manieth time.

    A name that is not UTF-8 cannot be sent by any client of ours and is left out.
    """
    kept = [(name, value) for name, value in headers if name not in REPLAY_HEADERS and _is_sendable(name)]
    return [
        *kept,
        (REPLAY_OF, letter.letter_id.encode()),
        (REPLAY_COUNT, str(letter.replay_count + 1).encode()),
    ]


def edited_headers(letter: Letter, headers: list[Header]) -> list[Header]:
    """Of the original headers only the trace; and which letter the new event corrects, counted like a replay of it.

    What vouched for the old bytes, such as a signature, says nothing about the new ones.
    """
    kept = [(name, value) for name, value in headers if name in _OF_ANY_PAYLOAD]
    return [*replayed_headers(letter, kept), (EDITED, b"1")]


def _is_sendable(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


class _Pace:
    """Lets so many through per second, evenly."""

    def __init__(self, per_second: float | None) -> None:
        self._interval_seconds = 0.0 if per_second is None else 1.0 / per_second
        self._next_at = time.monotonic()

    async def wait(self) -> None:
        """Until it is the next one's turn."""
        delay_seconds = self._next_at - time.monotonic()
        if delay_seconds > 0:
            await asyncio.sleep(delay_seconds)
        self._next_at = max(self._next_at, time.monotonic() - self._interval_seconds) + self._interval_seconds
