"""`croupier games`: the games of providers whose profile says `games = "listed"`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from processor.ops.console import AsOption, JsonOption, YesOption, show_json, show_table

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Games of providers that list theirs.")


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="TOML: [games.acme.book-of-tests] name = …")],
    remove_missing: Annotated[
        bool, typer.Option("--remove-missing", help="Also remove what the file does not name.")
    ] = False,
    yes: YesOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    as_: AsOption = None,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Make the games of a file known. Shows what changes before it changes anything.

    Games that the file does not name stay.
    """
    from processor.ops.reference import game_documents
    from processor.ops.reference_apply import Wish
    from processor.ops.reference_apply import apply as apply_documents

    apply_documents("games", game_documents, Wish(file, remove_missing, yes, dry_run, as_, reason, as_json))


@app.command("list")
def list_games(as_json: JsonOption = False) -> None:
    """Show the games that are stored."""
    from processor.ops.reference_apply import documents_of

    documents = documents_of("games")
    if as_json:
        show_json(documents)
        return
    rows = [
        (*name.split("/", 1), document.get("name"), document.get("status"))
        for name, document in sorted(documents.items())
    ]
    show_table("", ("provider", "game", "name", "status"), rows)
