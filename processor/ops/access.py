"""`croupier access`: who may come to the cluster, from where, to do what and how much."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from processor.ops.console import AsOption, JsonOption, YesOption, confirmed, output, show_json, show_table
from processor.ops.runtime import actor, load_settings, run_async

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from processor.kafka.access.plan import Change
    from processor.kafka.access.rights import Access
    from processor.settings import Settings

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Access rights on the cluster.")

_STYLES = {"+": "green", "-": "red"}


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="TOML: prefix, [principals.NAME] … (docs/access.md)")],
    yes: YesOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    renew_passwords: Annotated[
        bool,
        typer.Option("--renew-passwords", help="Also set the passwords of users that are there already."),
    ] = False,
    as_: AsOption = None,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Make the cluster's users, rights and quotas what a file says. Shows what changes before it changes anything.

    What the file does not say of principals with its prefix is removed; other principals are left alone. Needs an
    administrator (CROUPIER_KAFKA_ADMIN_USERNAME). Each change is a row in the audit trail.
    """
    from processor.kafka.access.plan import UserChange, changes
    from processor.ops.access_file import read_access_file
    from processor.ops.reference import read_toml

    settings = load_settings()
    wish = read_access_file(read_toml(file))
    before = run_async(_granted(settings)).of(wish.prefix)
    found = changes(before, wish.access(settings), renew_passwords=renew_passwords)
    fresh = {one.principal for one in found if isinstance(one, UserChange) and one.sign == "+"}
    passwords = {name: wish.password(name, file.parent) for name in sorted(fresh)}
    if not as_json:
        _show(found)
    done = False
    if found and not dry_run:
        if not confirmed(f"Make {len(found)} changes on {settings.kafka_bootstrap}?", yes=yes):
            raise typer.Exit(1)
        why = reason or f"croupier access apply {file.name}"
        run_async(_carry_out(settings, found, passwords, actor(as_), why))
        done = True
    if as_json:
        show_json({"changes": [_document(one) for one in found], "applied": done})
    elif done:
        output().print(f"Applied {len(found)} changes.")


async def _granted(settings: Settings) -> Access:
    from processor.kafka.access.cluster import administration

    async with administration(settings) as cluster:
        return await cluster.read()


async def _carry_out(
    settings: Settings, found: Sequence[Change], passwords: Mapping[str, str], who: str, why: str
) -> None:
    """Change by change, each noted: where one fails, the record says how far it came."""
    from processor.kafka.access.cluster import administration
    from processor.ops.desk import open_desk
    from processor.postgres.desk.actions import note

    async with open_desk(settings) as desk, administration(settings) as cluster:
        for change in found:
            await cluster.carry_out(change, passwords)
            target, details = f"principal/{change.principal}", f"{change.sign} {change.in_words()}"
            await note(desk, actor=who, action="access.apply", target=target, why=why, details=details)


@app.command()
def show(
    granted: Annotated[
        bool, typer.Option("--granted", help="What the cluster grants now, instead of what is needed.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Print the least rights that this installation needs: by role on the cluster, by login in the database.

    The cluster's follow from the settings alone (topics, group, CROUPIER_APP). The database's are read from the
    database, as `croupier migrate` has granted them. With --granted: what the cluster grants, to everybody.
    """
    settings = load_settings()
    if granted:
        _show_granted(settings, as_json=as_json)
        return
    needed = _needed(settings)
    grants = run_async(_database_grants(settings))
    if as_json:
        show_json({"cluster": needed, "database": grants})
        return
    rows = [(role, right) for role, rights in needed.items() for right in rights]
    show_table("On the cluster", ("role", "right"), rows)
    show_table("In the database", ("login", "right", "on"), [tuple(one.values()) for one in grants])


def _needed(settings: Settings) -> dict[str, list[str]]:
    from typing import get_args

    from processor.kafka.access.rights import Role, rights_of

    return {role: [one.in_words() for one in sorted(rights_of(role, settings))] for role in get_args(Role)}


async def _database_grants(settings: Settings) -> list[dict[str, str]]:
    from processor.ops.desk import open_desk

    async with open_desk(settings) as desk:
        return [dict(row) for row in await desk.fetch("desk_access", "grants", settings.worker_role)]


def _show_granted(settings: Settings, *, as_json: bool) -> None:
    had = run_async(_granted(settings))
    rows = [(one.principal, one.in_words()) for one in sorted(had.grants)]
    rows += [
        (name, f"a password for {one}")
        for name, all_of in sorted(had.users.items())
        for one in sorted(all_of)
    ]
    rows += [
        (name, f"quota {key} = {value:g}")
        for name, values in sorted(had.quotas.items())
        for key, value in values.items()
    ]
    if as_json:
        show_json([{"principal": name, "has": what} for name, what in rows])
    else:
        show_table("", ("principal", "has"), rows)


def _document(change: Change) -> dict[str, str]:
    return {"sign": change.sign, "principal": change.principal, "what": change.in_words()}


def _show(found: Sequence[Change]) -> None:
    if not found:
        output().print("Nothing changes: the cluster grants what the file says.")
    for change in found:
        line = f"{change.sign} {change.principal}: {change.in_words()}"
        output().print(Text(line, style=_STYLES[change.sign]))
