"""`croupier dead-letters edit`, `export` and `import`: their words (the other commands are in `dead_letters`)."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from processor.errors import WrongUsage
from processor.ops.console import AsOption, JsonOption, YesOption, confirmed, notice, output, show_json
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
from processor.ops.runtime import actor, load_settings, run_async


def edit(
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="The letter's id.")],
    file: Annotated[
        Path | None, typer.Option(help="The corrected payload. Default: it is opened in $EDITOR.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for the audit trail; required.")] = "",
    yes: YesOption = False,
    as_: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Correct a letter's payload and send it as a new event, linked to the old one.

    It is shown to the door and the law before: what would be set aside again is not sent (exit 1).
    """
    from processor.ops.letter_edit import foresee_edit, in_editor, open_original, send_edit

    if not reason.strip():
        raise WrongUsage("Say with --reason why it is edited; it is kept in the audit trail.")
    settings, who = load_settings(), actor(as_)
    original = run_async(open_original(settings, letter_id))
    value = in_editor(original.value) if file is None else _read(file)
    foreseen = run_async(foresee_edit(settings, original, value))
    notice(f"The corrected event now would be {foreseen.words()}")
    if not confirmed("Send it?", yes=yes):
        raise typer.Exit(1)
    edited = run_async(send_edit(settings, original, value, foreseen, actor=who, why=reason))
    if as_json:
        show_json(asdict(edited))
    else:
        output().print(
            f"Sent as a new event to {edited.partition}@{edited.offset}; letter {letter_id} is resent."
        )


def export(
    status: Annotated[Status | None, typer.Option(help="Only letters in this status.")] = None,
    code: ReasonOption = None,
    provider: ProviderOption = None,
    player: PlayerOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    places: PlacesOption = None,
    output_file: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write. Default: standard output.")
    ] = None,
) -> None:
    """Write letters as JSON lines, byte for byte (Base64 where bytes are no UTF-8), in the order of their events."""
    from processor.ops.letter_files import export as export_letters

    wanted = letter_filter(
        status=status, code=code, provider=provider, player=player, since=since, until=until, places=places
    )
    settings = load_settings()
    if output_file is None:
        number = run_async(export_letters(settings, wanted, sys.stdout.buffer))
    else:
        with _opened(output_file) as file:
            number = run_async(export_letters(settings, wanted, file))
    notice(f"Exported: {number}.")


def import_letters(
    file: Annotated[Path, typer.Argument(help="A file that `export` wrote.")],
    reason: Annotated[str, typer.Option(help="Why, for the audit trail; required.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would come of it.")] = False,
    as_: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put exported letters into the work list. One that is there already stays as it is; exit 1 where bytes differ."""
    from processor.ops.letter_files import bring_in

    if not reason.strip() and not dry_run:
        raise WrongUsage("Say with --reason why they are imported; it is kept in the audit trail.")
    lines = _read(file).split(b"\n")
    report = run_async(bring_in(load_settings(), lines, actor=actor(as_), why=reason, dry_run=dry_run))
    if as_json:
        show_json({"dry_run": dry_run, **asdict(report)})
    else:
        output().print(
            f"{'Would be imported' if dry_run else 'Imported'}: {len(report.imported)}; "
            f"there already: {len(report.already_there)}."
        )
        for letter_id in report.differing:
            output().print(f"Left out: {letter_id} is there with other bytes.")
        for fault in report.no_letters:
            output().print(f"Left out: {fault}.", markup=False)
    if report.refused_some:
        raise typer.Exit(1)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes().rstrip(b"\n")
    except OSError as error:
        raise WrongUsage(f"The file {file} cannot be read: {error.strerror or error}.") from error


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("wb")
    except OSError as error:
        raise WrongUsage(f"The file {file} cannot be written: {error.strerror or error}.") from error
