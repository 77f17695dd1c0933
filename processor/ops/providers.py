"""`croupier providers`: how each game provider plays."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from processor.ops.console import AsOption, JsonOption, YesOption, show_json, show_table

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Provider profiles.")


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="TOML: [providers.acme] …")],
    remove_missing: Annotated[
        bool, typer.Option("--remove-missing", help="Also remove what the file does not name.")
    ] = False,
    yes: YesOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    as_: AsOption = None,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Make the providers of a file known. Shows what changes before it changes anything.

    A provider's profile is what the file says, with defaults for the rest. Providers that the file does not name stay.
    """
    from processor.ops.reference import provider_documents
    from processor.ops.reference_apply import Wish
    from processor.ops.reference_apply import apply as apply_documents

    apply_documents(
        "providers", provider_documents, Wish(file, remove_missing, yes, dry_run, as_, reason, as_json)
    )


@app.command("list")
def list_providers(as_json: JsonOption = False) -> None:
    """Show the providers that are stored."""
    from processor.ops.reference_apply import documents_of

    documents = documents_of("providers")
    if as_json:
        show_json(documents)
        return
    columns = (
        "provider",
        "wallet",
        "status",
        "wins per bet",
        "settlement",
        "rollback unknown",
        "games",
        "currencies",
    )
    keys = ("wallet", "status", "wins_per_bet", "settlement", "rollback_unknown", "games")
    rows = [
        (name, *(document.get(key) for key in keys), ", ".join(document.get("currencies", [])) or "any")
        for name, document in sorted(documents.items())
    ]
    show_table("", columns, rows)
