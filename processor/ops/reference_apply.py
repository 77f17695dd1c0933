"""Applying reference data: read what is stored, show the difference, and only then, if it is wanted, store it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import typer
from rich.text import Text

from processor.ops.console import confirmed, notice, output, readable, show_json
from processor.ops.desk import open_desk
from processor.ops.reference import (
    FIXED_BY_FIRST_EVENT,
    Change,
    Document,
    Documents,
    changes,
    read_toml,
    refuse_exponent_changes,
    refuse_fixed_changes,
)
from processor.ops.runtime import actor, load_settings, run_async
from processor.postgres.desk.actions import note
from processor.postgres.reference import ids_are_used, read_documents, replace_documents
from processor.settings import Settings

Kind = Literal["providers", "games", "currencies", "wallet", "rates"]

#: What is stored once the named documents are added to those that were there.
Merged = Callable[[Mapping[str, Document], Mapping[str, Document]], Documents]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a command was asked: which file, whether names the file lacks go, whether to ask, whether to store."""

    file: Path
    remove_missing: bool
    yes: bool
    dry_run: bool
    who: str | None
    reason: str
    as_json: bool


def _added(before: Mapping[str, Document], named: Mapping[str, Document]) -> Documents:
    return {**before, **named}


def apply(
    kind: Kind, parse: Callable[[Mapping[str, Any]], Documents], wish: Wish, *, merged: Merged = _added
) -> None:
    """Apply a file to the stored documents of a kind. Ends with exit code 1 where a change was not confirmed."""
    settings = load_settings()
    named = parse(read_toml(wish.file))
    before = run_async(read_documents(_dsn(settings), kind))
    after = named if wish.remove_missing else merged(before, named)
    found = changes(before, after)
    _refuse_what_is_fixed(settings, kind, found)
    if not wish.as_json:
        _show(kind, found)
    stored = None
    if found and not wish.dry_run:
        if not confirmed(f"Apply {len(found)} changes to {kind}?", yes=wish.yes):
            raise typer.Exit(1)
        why = wish.reason or f"croupier {kind} apply {wish.file.name}"
        stored = run_async(_store(settings, kind, after, actor(wish.who), why))
    if wish.as_json:
        documents = [{"name": one.name, "before": one.before, "after": one.after} for one in found]
        show_json({"kind": kind, "changes": documents, "revision": stored, "applied": stored is not None})
    elif stored is not None:
        output().print(f"Applied as revision {stored}; running workers were told.")


async def _store(settings: Settings, kind: Kind, after: Documents, who: str, why: str) -> int:
    revision = await replace_documents(_dsn(settings), kind, after, actor=who, why=why)
    async with open_desk(settings) as desk:
        target, details = f"reference/{kind}", f"revision {revision}"
        await note(desk, actor=who, action=f"{kind}.apply", target=target, why=why, details=details)
    return revision


def documents_of(kind: Kind) -> Documents:
    """The stored documents of a kind, by name."""
    settings = load_settings()
    return run_async(read_documents(settings.postgres_dsn.get_secret_value(), kind))


def _dsn(settings: Settings) -> str:
    return (settings.postgres_migrator_dsn or settings.postgres_dsn).get_secret_value()


def _refuse_what_is_fixed(settings: Settings, kind: Kind, found: Sequence[Change]) -> None:
    if kind == "currencies":
        refuse_exponent_changes(found)
    if kind == "providers":
        touched = [change.name for change in found if change.before is not None]
        used = run_async(_used(settings, touched)) if touched else set()
        refuse_fixed_changes(found, has_events=used.__contains__)


async def _used(settings: Settings, names: Sequence[str]) -> set[str]:
    return {name for name in names if await ids_are_used(_dsn(settings), name)}


def _show(kind: Kind, found: Sequence[Change]) -> None:
    if not found:
        output().print(f"Nothing changes: all {kind} are as the file says.")
        return
    for change in found:
        for line in difference(change):
            output().print(line)
    for change in found:
        if kind == "providers" and change.before is None:
            fixed = " and ".join(FIXED_BY_FIRST_EVENT)
            notice(f"{change.name} is new: {fixed} cannot change after its first event.")


def difference(change: Change) -> list[Text]:
    """A change as lines: the name, then what it had (red) and has (green)."""
    name = readable(change.name)
    if change.before is None:
        return [Text(f"+ {name}", style="bold green"), *_lines("+", change.after or {}, "green")]
    if change.after is None:
        return [Text(f"- {name}", style="bold red"), *_lines("-", change.before, "red")]
    lines = [Text(f"~ {name}", style="bold yellow")]
    for field in sorted(change.before.keys() | change.after.keys()):
        if change.before.get(field) != change.after.get(field):
            lines += _lines("-", {field: change.before.get(field)}, "red") if field in change.before else []
            lines += _lines("+", {field: change.after.get(field)}, "green") if field in change.after else []
    return lines


def _lines(sign: str, document: Document, style: str) -> list[Text]:
    return [
        Text(f"    {sign} {name} = {readable(repr(value))}", style=style) for name, value in document.items()
    ]
