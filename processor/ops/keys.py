"""`croupier keys`: the senders' keys: new, list, rotate, revoke, check. It never prints a secret."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from processor.errors import KeysUnusable, WrongUsage
from processor.ops.console import AsOption, JsonOption, cell, notice, output, show_json, show_table
from processor.ops.runtime import actor, load_settings, run_async

if TYPE_CHECKING:
    from processor.keys.file import KeyFile
    from processor.postgres.desk.desk import Desk
    from processor.settings import Settings

T = TypeVar("T")

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Keys.")

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The key's id.")]
WhyOption = Annotated[str, typer.Option("--reason", help="Why, for the audit trail.")]


@app.command()
def new(
    owner: Annotated[str, typer.Argument(help="Whose key: a provider, cashier or operator.")],
    key_id: Annotated[
        str | None, typer.Option("--id", help="Its id. Default: the owner's name and the day.")
    ] = None,
    types: Annotated[
        list[str] | None,
        typer.Option("--type", help="An event type that it may sign. Default: all of its owner's."),
    ] = None,
    valid_days: Annotated[
        int | None, typer.Option(min=1, help="Days until it expires. Default: never.")
    ] = None,
    reason: WhyOption = "",
    as_: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key with a new secret. The secret is in its file and nowhere else: give it to its owner safely."""
    from processor.keys.writing import make

    settings = load_settings()
    directory = _directory(settings)

    async def act(desk: Desk) -> KeyFile:
        key = make(
            directory,
            owner=owner,
            environment=settings.environment,
            now=_now(),
            key_id=key_id,
            types=types or None,
            valid_days=valid_days,
        )
        await _note(desk, "keys.new", key.id, who, reason, f"for {owner}")
        return key

    who = actor(as_)
    key = run_async(_at_desk(settings, act))
    if as_json:
        show_json({"id": key.id, "file": str(directory / f"{key.id}.toml")})
    else:
        output().print(f"The key {key.id} is in {directory / (key.id + '.toml')}.", markup=False)


@app.command("list")
def list_keys(as_json: JsonOption = False) -> None:
    """Show every key: whose it is, what it may sign, how old it is, when it was last used."""
    settings = load_settings()
    directory = _directory(settings)
    rows, problems = _listed(settings, directory)
    if as_json:
        show_json({"keys": rows, "problems": problems})
    else:
        columns = (
            "id",
            "owner",
            "environment",
            "may sign",
            ">age (days)",
            "valid until",
            "state",
            "last used",
        )
        show_table("", columns, [_cells(row, settings) for row in rows])
    for problem in problems:
        notice(problem, style="red")
    old = [row["id"] for row in rows if row["rotate_soon"]]
    if old:
        notice(
            f"Older than {settings.key_warn_age_days} days, rotate soon: {', '.join(old)}.", style="yellow"
        )


@app.command()
def rotate(
    key_id: IdArgument,
    overlap_days: Annotated[int, typer.Option(min=0, help="Days for which the old key stays valid.")] = 7,
    reason: WhyOption = "",
    as_: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a new key in a key's place; both are valid for the overlap."""
    from processor.keys.writing import rotate as rotate_key

    settings = load_settings()
    directory, who = _directory(settings), actor(as_)

    async def act(desk: Desk) -> tuple[KeyFile, KeyFile]:
        old, made = rotate_key(directory, key_id, now=_now(), overlap_days=overlap_days)
        await _note(desk, "keys.rotate", old.id, who, reason, f"by {made.id}, valid until {old.not_after}")
        return old, made

    old, made = run_async(_at_desk(settings, act))
    if as_json:
        show_json({"old": old.id, "old_valid_until": old.not_after, "new": made.id})
    else:
        output().print(
            f"The new key is {made.id}; {old.id} stays valid until {old.not_after:%Y-%m-%d %H:%M} UTC.",
            markup=False,
        )


@app.command()
def revoke(
    key_id: IdArgument,
    reason: WhyOption = "",
    as_: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a key's secret away, at once and for good; workers notice within seconds."""
    from processor.keys.writing import revoke as revoke_key

    if not reason.strip():
        raise WrongUsage("Say with --reason why the key is revoked; it is kept in the audit trail.")
    settings = load_settings()
    who = actor(as_)
    # A key that got into wrong hands is taken away first; that Postgres is away must not keep it alive.
    key = revoke_key(_directory(settings), key_id, now=_now())

    async def act(desk: Desk) -> None:
        await _note(desk, "keys.revoke", key_id, who, reason, None)

    if as_json:
        show_json({"id": key.id, "revoked_at": key.revoked_at})
    else:
        output().print(f"The key {key.id} is revoked.", markup=False)
    run_async(_at_desk(settings, act))


@app.command()
def check(as_json: JsonOption = False) -> None:
    """Look for keys that are too old, open to others, for another environment, or no keys at all. Exit 1 on any."""
    from processor.keys.inspection import Rules, findings
    from processor.keys.writing import unreadable

    settings = load_settings()
    directory = _directory(settings)
    rules = Rules(settings.environment, settings.key_warn_age_days, settings.key_max_age_days)
    try:
        found = findings(directory, rules, _now())
    except OSError as error:
        raise unreadable(directory, error) from None
    if as_json:
        show_json([finding._asdict() for finding in found])
    elif not found:
        output().print("Nothing is wrong with the keys.")
    else:
        rows = [
            (one.key, cell("bad" if one.bad else "soon", "red" if one.bad else "yellow"), one.sentence)
            for one in found
        ]
        show_table("", ("key", "", "what"), rows)
    if any(finding.bad for finding in found):
        raise typer.Exit(1)


def _directory(settings: Settings) -> Path:
    if settings.keys_directory is None:
        raise KeysUnusable(
            "There are no keys here: set CROUPIER_KEYS_DIRECTORY to the directory that holds them."
        )
    return settings.keys_directory


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


async def _at_desk(settings: Settings, act: Callable[[Desk], Awaitable[T]]) -> T:
    """What is done is noted in the audit trail; where that cannot be, nothing is done."""
    from processor.ops.desk import open_desk

    async with open_desk(settings) as desk:
        return await act(desk)


async def _note(desk: Desk, action: str, key_id: str, who: str, why: str, details: str | None) -> None:
    from processor.postgres.desk.actions import note

    await note(desk, actor=who, action=action, target=f"key/{key_id}", why=why, details=details)


def _listed(settings: Settings, directory: Path) -> tuple[list[dict[str, Any]], list[str]]:
    from processor.keys.ring import read_directory
    from processor.keys.writing import unreadable

    try:
        reading = read_directory(directory)
    except OSError as error:
        raise unreadable(directory, error) from None
    last_uses = run_async(_last_uses(settings))
    now = _now()
    rows = [_row(key, settings, now, last_uses) for key in reading.files.values()]
    return rows, list(reading.problems.values())


def _row(
    key: KeyFile, settings: Settings, now: datetime, last_uses: dict[str, datetime] | None
) -> dict[str, Any]:
    from processor.keys.inspection import State, age_days, state_of

    state, days = state_of(key, settings.environment, now), age_days(key, now)
    return {
        "id": key.id,
        "owner": key.owner,
        "environment": key.environment,
        "types": key.types,
        "age_days": round(days, 1),
        "valid_from": key.not_before,
        "valid_until": key.not_after,
        "state": state.value,
        "rotate_soon": state in (State.VALID, State.NOT_YET) and days >= settings.key_warn_age_days,
        "last_used_at": None if last_uses is None else last_uses.get(key.id),
        "last_use_known": last_uses is not None,
    }


async def _last_uses(settings: Settings) -> dict[str, datetime] | None:
    """When workers last saw each key used, None where the database does not say."""
    from processor.errors import Unreachable, WrongInstallation
    from processor.ops.desk import open_desk
    from processor.postgres.desk.key_uses import last_uses

    try:
        async with open_desk(settings) as desk:
            return await last_uses(desk)
    except (Unreachable, WrongInstallation) as away:
        notice(f"When keys were last used is not known now: {away}", style="yellow")
        return None


def _cells(row: dict[str, Any], settings: Settings) -> tuple[object, ...]:
    style = {"valid": "green", "not yet valid": "yellow"}.get(row["state"], "red")
    days = row["age_days"]
    until, used = row["valid_until"], row["last_used_at"]
    return (
        row["id"],
        row["owner"],
        row["environment"],
        "all that its owner may send" if row["types"] is None else ", ".join(row["types"]),
        cell(days, "red" if days > settings.key_max_age_days else "yellow" if row["rotate_soon"] else ""),
        "-" if until is None else f"{until:%Y-%m-%d %H:%M}",
        cell(row["state"], style),
        "?" if not row["last_use_known"] else "never" if used is None else f"{used:%Y-%m-%d %H:%M}",
    )
