"""What `croupier parked` does: pages, one event's story, and requests that the lane carries out."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import Any

from rich.text import Text
from tenacity import AsyncRetrying, RetryError, retry_if_result, stop_after_delay, wait_fixed

from processor.ops.console import output, show_table
from processor.ops.desk import NotFound, open_desk, time_text
from processor.ops.original_bytes import View, as_document, headers_document, shown
from processor.postgres.desk.actions import Action, actions_on
from processor.postgres.desk.desk import Desk
from processor.postgres.desk.parked import (
    ParkedEvent,
    ParkedFilter,
    ParkedOriginal,
    Request,
    counts,
    find,
    page,
    request,
    request_state,
    requests_of,
)
from processor.settings import Settings

_LOOK_EVERY_SECONDS = 0.2

#: Why an event waits, in words.
WHY = {
    "missing_bet": "Its bet has not come yet.",
    "poison": "Deciding it failed; it is tried again before it becomes a dead letter.",
    "queued": "An earlier event of the same player and provider waits.",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a request: whether the lane has done it, and what it says."""

    request: int
    done: bool
    what_came: str | None


@dataclass(frozen=True, slots=True)
class ParkedStory:
    """One parked event with what people asked and did about it."""

    original: ParkedOriginal
    requests: list[Request]
    actions: list[Action]

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            **asdict(self.original.event),
            "reason_in_words": WHY.get(self.original.event.reason, self.original.event.reason),
            "key": as_document(self.original.key),
            "value": as_document(self.original.value),
            "headers": headers_document(self.original.headers),
            "requests": [one._asdict() for one in self.requests],
            "actions": [one._asdict() for one in self.actions],
        }


async def list_page(
    settings: Settings, wanted: ParkedFilter, after: int, limit: int
) -> tuple[list[ParkedEvent], dict[str, int]]:
    """A page of parked events, and the counts of the whole filter."""
    async with open_desk(settings) as desk:
        return await page(desk, wanted, after=after, limit=limit), await counts(desk, wanted)


async def show_story(settings: Settings, number: int) -> ParkedStory:
    """One parked event's story. Raises `NotFound`."""
    async with open_desk(settings) as desk:
        original = await find(desk, number)
        if original is None:
            raise _nothing_there(number)
        return ParkedStory(
            original, await requests_of(desk, number), await actions_on(desk, f"parked/{number}")
        )


def print_story(story: ParkedStory, view: View) -> None:
    """The story for a person."""
    event, console = story.original.event, output()
    console.print(
        Text(f"Parked event {event.number}: {WHY.get(event.reason, event.reason)}", style="bold yellow")
    )
    facts = (
        ("player", event.player_id),
        ("provider", event.provider),
        ("transaction id", event.transaction_id),
        ("awaits", event.awaits or "-"),
        ("event", f"partition {event.event_partition}, offset {event.event_offset}"),
        ("place in its queue", event.position),
        ("attempts", event.attempts),
        ("parked at", time_text(event.parked_at)),
        ("next attempt at", time_text(event.next_attempt_at)),
        ("gives up at", time_text(event.expires_at)),
        ("last error", event.last_error or "-"),
    )
    show_table("", ("", ""), facts)
    console.print(Text("Value", style="bold"))
    console.print(shown(story.original.value, view), markup=False)
    if story.requests:
        rows = [
            (time_text(one.created_at), one.actor, one.kind, one.why, one.what_came or "not yet carried out")
            for one in story.requests
        ]
        show_table("Requests", ("at", "who", "what", "why", "what came of it"), rows)


async def ask(
    settings: Settings, kind: str, number: int, *, who: str, why: str, wait_seconds: float
) -> Outcome:
    """Put a request before the lane and wait a while for what comes of it. Raises `NotFound`."""
    async with open_desk(settings) as desk:
        made = await request(desk, number, kind, actor=who, why=why)
        if made is None:
            raise _nothing_there(number)
        return await _wait(desk, made, wait_seconds)


async def _wait(desk: Desk, made: int, wait_seconds: float) -> Outcome:
    patience = AsyncRetrying(
        retry=retry_if_result(lambda outcome: not outcome.done),
        stop=stop_after_delay(wait_seconds),
        wait=wait_fixed(_LOOK_EVERY_SECONDS),
        sleep=asyncio.sleep,
    )
    try:
        return await patience(_look, desk, made)
    except RetryError:
        return Outcome(made, False, None)


async def _look(desk: Desk, made: int) -> Outcome:
    done_at, what_came = await request_state(desk, made)
    return Outcome(made, done_at is not None, what_came)


def _nothing_there(number: int) -> NotFound:
    return NotFound(f"No event {number} is parked (any more); `croupier parked list` shows those that are.")
