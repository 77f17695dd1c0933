"""`croupier dead-letters`: the work list of events that were set aside: list, show, replay, edit, discard, files."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from processor.errors import WrongUsage
from processor.ops.console import (
    AsOption,
    JsonOption,
    YesOption,
    cell,
    confirmed,
    notice,
    output,
    show_json,
    show_table,
)
from processor.ops.letter_commands import edit, export, import_letters
from processor.ops.letter_options import (
    PlacesOption,
    PlayerOption,
    ProviderOption,
    ReasonOption,
    SinceOption,
    Status,
    UntilOption,
    letter_filter,
)
from processor.ops.original_bytes import View
from processor.ops.runtime import actor, load_settings, run_async

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Events set aside.")

LetterArgument = Annotated[
    str | None, typer.Argument(metavar="[ID]", help="One letter; else a filter, or --all.")
]
EveryOption = Annotated[bool, typer.Option("--all", help="All open letters, where no filter is given.")]


@app.command("list")
def list_letters(
    status: Annotated[Status | None, typer.Option(help="Only letters in this status.")] = None,
    code: ReasonOption = None,
    provider: ProviderOption = None,
    player: PlayerOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    places: PlacesOption = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Letters on a page.")] = 50,
    after: Annotated[str | None, typer.Option(metavar="ID", help="The page after this letter.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show letters, newest first, and how many there are by status and reason."""
    from processor.ops.letters import list_page

    wanted = letter_filter(
        status=status, code=code, provider=provider, player=player, since=since, until=until, places=places
    )
    letters, counts = run_async(list_page(load_settings(), wanted, after=after, limit=limit))
    next_page = letters[-1].letter_id if len(letters) == limit else None
    if as_json:
        counted = [
            {"status": status, "reason": reason, "letters": number}
            for (status, reason), number in counts.items()
        ]
        show_json(
            {"counts": counted, "letters": [asdict(letter) for letter in letters], "next_after": next_page}
        )
        return
    show_table("", ("status", "reason", ">letters"), [(*place, number) for place, number in counts.items()])
    if letters:
        output().print()
    columns = ("id", "set aside at", "status", "reason", "provider", "player", "detail")
    rows = [
        (
            letter.letter_id,
            letter.created_at.strftime("%Y-%m-%d %H:%M:%S"),
            letter.status,
            cell(letter.reason, "red"),
            letter.provider,
            letter.player_id,
            letter.detail,
        )
        for letter in letters
    ]
    show_table("", columns, rows)
    if next_page is not None:
        notice(f"There may be more: --after {next_page} shows the next page.")


@app.command()
def show(
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="The letter's id.")],
    view: Annotated[View, typer.Option("--as", help="How to show the original bytes.")] = View.AUTO,
    as_json: JsonOption = False,
) -> None:
    """Show one letter: the original bytes and headers, why it was set aside, what people did with it, and what a
    replay would do now."""
    from processor.ops.letters import print_letter, show_letter

    document = run_async(show_letter(load_settings(), letter_id))
    if as_json:
        show_json(document.as_json())
    else:
        print_letter(document, view)


@app.command()
def replay(
    letter_id: LetterArgument = None,
    every: EveryOption = False,
    code: ReasonOption = None,
    provider: ProviderOption = None,
    player: PlayerOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    places: PlacesOption = None,
    rate: Annotated[float | None, typer.Option(min=0.01, help="Letters per second at most.")] = None,
    max_letters: Annotated[int | None, typer.Option("--max", min=1, help="So many letters at most.")] = None,
    max_replays: Annotated[
        int, typer.Option(min=1, help="Leave a letter alone that was replayed so often and came back.")
    ] = 3,
    reason: Annotated[str, typer.Option(help="Why, for the audit trail.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would come of it.")] = False,
    yes: YesOption = False,
    as_: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send letters again: original bytes, key, headers, to the original partition.

    One letter is sent at once; a filter or --all only tells what would come of it, until --yes is added. Exit 1
    where some letters were left as they are.
    """
    from processor.ops.letters import foresee_letters, replay_letters
    from processor.ops.replay import ReplayOrder

    wanted = letter_filter(
        status=None, code=code, provider=provider, player=player, since=since, until=until, places=places
    )
    _one_or_many(letter_id, every, wanted)
    settings = load_settings()
    if dry_run or (letter_id is None and not yes):
        foreseen = run_async(foresee_letters(settings, letter_id, wanted, max_letters, max_replays))
        if as_json:
            show_json({"dry_run": True, **foreseen})
        else:
            show_table("A replay now would be", ("", ">letters"), list(foreseen.items()))
            notice("Nothing was sent: add --yes to send." if not dry_run else "Nothing was sent.")
        return
    order = ReplayOrder(actor(as_), reason, rate, max_letters, max_replays)
    report = run_async(replay_letters(settings, letter_id, wanted, order, quiet=as_json))
    if as_json:
        show_json({"dry_run": False, **asdict(report)})
    else:
        output().print(f"Sent again: {len(report.sent)}.")
        if report.taken_by_another:
            output().print(f"Not open any more, left alone: {', '.join(report.taken_by_another)}.")
        if report.in_a_loop:
            output().print(
                f"Replayed {max_replays} times already, left alone: {', '.join(report.in_a_loop)}."
            )
    if report.refused_some:
        raise typer.Exit(1)


@app.command()
def discard(
    letter_id: LetterArgument = None,
    every: EveryOption = False,
    code: ReasonOption = None,
    provider: ProviderOption = None,
    player: PlayerOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    places: PlacesOption = None,
    reason: Annotated[str, typer.Option(help="Why, for the audit trail; required.")] = "",
    yes: YesOption = False,
    as_: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Close open letters for good. The rows stay; many at once need --yes."""
    from processor.ops.letters import count_open, discard_letters

    if not reason.strip():
        raise WrongUsage("Say with --reason why it is discarded; it is kept in the audit trail.")
    wanted = letter_filter(
        status=Status.OPEN,
        code=code,
        provider=provider,
        player=player,
        since=since,
        until=until,
        places=places,
    )
    _one_or_many(letter_id, every, wanted)
    settings = load_settings()
    if letter_id is None:
        number = run_async(count_open(settings, wanted))
        if not confirmed(f"Discard {number} open letters?", yes=yes):
            raise typer.Exit(1)
    discarded, left = run_async(discard_letters(settings, letter_id, wanted, actor(as_), reason))
    if as_json:
        show_json({"discarded": discarded, "not_open": left})
    else:
        output().print(
            f"Discarded: {len(discarded)}." + (f" Not open, left alone: {', '.join(left)}." if left else "")
        )
    if left:
        raise typer.Exit(1)


app.command("edit")(edit)
app.command("export")(export)
app.command("import")(import_letters)


def _one_or_many(letter_id: str | None, every: bool, wanted: object) -> None:
    from processor.postgres.desk.letters import LetterFilter

    is_filtered = wanted not in (LetterFilter(), LetterFilter(status=Status.OPEN))
    if letter_id is not None and (every or is_filtered):
        raise WrongUsage("Name one letter, or a filter, not both.")
    if letter_id is None and not every and not is_filtered:
        raise WrongUsage("Name a letter, give a filter, or say --all.")
