"""What `croupier dead-letters` does: pages, one letter's whole story, foreseeing, sending again, discarding."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from processor.ops.console import cell, notices, output, readable, show_table
from processor.ops.desk import NotFound, open_desk, time_text
from processor.ops.original_bytes import View, as_document, headers_document, printable_name, shown
from processor.ops.preview import Foreseen, PastEvent, counted, foresee
from processor.ops.replay import ReplayOrder, ReplayReport, eligible, one, replay
from processor.postgres.desk.actions import Action, actions_on
from processor.postgres.desk.desk import Desk
from processor.postgres.desk.letters import (
    DISCARDED,
    OPEN,
    Letter,
    LetterFilter,
    Move,
    Original,
    counts,
    find,
    move,
    page,
    successors,
)
from processor.settings import Settings
from schemas.reasons import Reason

Successor = tuple[str, str, str, datetime]


@dataclass(frozen=True, slots=True)
class LetterStory:
    """One letter with everything that is known about it."""

    original: Original
    actions: list[Action]
    successors: list[Successor]
    foreseen: Foreseen

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            **asdict(self.original.letter),
            "reason_in_words": reason_in_words(self.original.letter.reason),
            "key": as_document(self.original.key),
            "value": as_document(self.original.value),
            "headers": headers_document(self.original.headers),
            "actions": [action._asdict() for action in self.actions],
            "became": [{"letter_id": one[0], "status": one[1], "reason": one[2]} for one in self.successors],
            "replay_now": {
                "fate": self.foreseen.fate,
                "code": self.foreseen.code,
                "detail": self.foreseen.detail,
            },
        }


def reason_in_words(reason: str) -> str:
    """What a reason means, for a person; a reason of a newer program stays its name."""
    return next((known.sentence for known in Reason if known == reason), reason)


async def list_page(
    settings: Settings, wanted: LetterFilter, *, after: str | None, limit: int
) -> tuple[list[Letter], dict[tuple[str, str], int]]:
    """A page of letters, and the counts of the whole filter. Raises `NotFound` for an unknown ``after``."""
    async with open_desk(settings) as desk:
        key = None
        if after is not None:
            last = (await _found(desk, after)).letter
            key = (last.created_at, last.letter_id)
        return await page(desk, wanted, after=key, limit=limit), await counts(desk, wanted)


async def show_letter(settings: Settings, letter_id: str) -> LetterStory:
    """One letter's whole story. Raises `NotFound`."""
    async with open_desk(settings) as desk:
        original = await _found(desk, letter_id)
        actions = await actions_on(desk, f"dead-letter/{letter_id}")
        later = await successors(desk, letter_id)
    (foreseen,) = await foresee(settings, [_past(original)])
    return LetterStory(original, actions, later, foreseen)


def print_letter(story: LetterStory, view: View) -> None:
    """The story for a person."""
    letter, console = story.original.letter, output()
    console.print(Text(f"{letter.letter_id}: {letter.reason}", style="bold red"))
    console.print(readable(f"{reason_in_words(letter.reason)} {letter.detail}"), markup=False)
    facts = (
        ("status", letter.status),
        ("set aside at", time_text(letter.created_at)),
        ("event", f"partition {letter.event_partition}, offset {letter.event_offset}"),
        ("broker time", time_text(letter.broker_time)),
        ("sender says", f"provider {letter.provider or '?'}, player {letter.player_id or '?'}"),
        ("attempts", letter.attempts),
        ("replays before", letter.replay_count),
        ("replay of", letter.replay_of or "-"),
        ("a replay now", story.foreseen.words()),
    )
    show_table("", ("", ""), facts)
    console.print(Text("Key", style="bold"))
    console.print(shown(story.original.key, View.TEXT), markup=False)
    console.print(Text(f"Value ({letter.size if letter.size is not None else 'no'} bytes)", style="bold"))
    console.print(shown(story.original.value, view), markup=False)
    if story.original.headers:
        rows = [(printable_name(name), shown(value, View.TEXT)) for name, value in story.original.headers]
        show_table("Headers", ("name", "value"), rows)
    acts = [(time_text(act.at), act.actor, act.action, act.why, act.details) for act in story.actions]
    if acts:
        show_table("What people did", ("at", "who", "what", "why", "details"), acts)
    if story.successors:
        rows_after = [(one[0], one[1], cell(one[2], "red")) for one in story.successors]
        show_table("Replays became", ("letter", "status", "reason"), rows_after)


async def foresee_letters(
    settings: Settings, letter_id: str | None, wanted: LetterFilter, limit: int | None, max_replays: int
) -> dict[str, int]:
    """How many letters a replay would send, by what would come of them; and those left alone as loops."""
    async with open_desk(settings) as desk:
        letters = [original async for original in _chosen(desk, letter_id, wanted, limit)]
    looped = [original for original in letters if original.letter.replay_count >= max_replays]
    sent = [_past(original) for original in letters if original.letter.replay_count < max_replays]
    return {**counted(await foresee(settings, sent)), "left alone (replayed too often)": len(looped)}


async def replay_letters(
    settings: Settings, letter_id: str | None, wanted: LetterFilter, order: ReplayOrder, *, quiet: bool
) -> ReplayReport:
    """Send the chosen letters again, with a progress bar on standard error. Raises `NotFound`, `errors.Unreachable`."""
    console = notices()
    columns = (TextColumn("sending again"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    async with open_desk(settings) as desk:
        total = 1
        if letter_id is None:
            number = sum((await counts(desk, _open(wanted))).values())
            total = number if order.max_letters is None else min(number, order.max_letters)
        else:
            await _found(desk, letter_id)
        bars = Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal)
        with bars:
            task = bars.add_task("", total=total)
            letters = _chosen(desk, letter_id, wanted, order.max_letters)
            return await replay(
                settings, desk, letters, order, lambda done: bars.update(task, completed=done)
            )


async def count_open(settings: Settings, wanted: LetterFilter) -> int:
    """How many letters of a filter are open."""
    async with open_desk(settings) as desk:
        return sum((await counts(desk, _open(wanted))).values())


async def discard_letters(
    settings: Settings, letter_id: str | None, wanted: LetterFilter, who: str, reason: str
) -> tuple[list[str], list[str]]:
    """Close letters; the ids of those that were, and of those that were not open. Raises `NotFound`."""
    by = Move(who, "dead-letters.discard", reason)
    discarded: list[str] = []
    left: list[str] = []
    async with open_desk(settings) as desk:
        if letter_id is not None:
            await _found(desk, letter_id)
        ids = [original.letter.letter_id async for original in _chosen(desk, letter_id, wanted, None)]
        for one_id in ids:
            moved = await move(desk, one_id, OPEN, DISCARDED, by)
            (discarded if moved else left).append(one_id)
    return discarded, left


def _chosen(
    desk: Desk, letter_id: str | None, wanted: LetterFilter, limit: int | None
) -> AsyncIterator[Original]:
    return one(desk, letter_id) if letter_id is not None else eligible(desk, wanted, limit=limit)


async def _found(desk: Desk, letter_id: str) -> Original:
    original = await find(desk, letter_id)
    if original is None:
        raise NotFound(
            f"There is no dead letter {letter_id}; `croupier dead-letters list` shows those that there are."
        )
    return original


def _past(original: Original) -> PastEvent:
    return PastEvent(original.letter.event_partition, original.key, original.value, original.headers)


def _open(wanted: LetterFilter) -> LetterFilter:
    return replace(wanted, status=OPEN)
