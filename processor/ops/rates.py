"""`croupier rates`: what one currency is in another, each rate with its time and its source."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from processor.ops.console import AsOption, JsonOption, YesOption, show_json, show_table

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Rates of conversion.")


@app.command()
def apply(
    file: Annotated[
        Path,
        typer.Argument(
            help='TOML: [[rates]] from = "USD" to = "EUR" rate = "0.92" at = 2026-11-26T12:00:00Z source = "ecb"'
        ),
    ],
    yes: YesOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    as_: AsOption = None,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Add the rates of a file. Shows what changes before it changes anything.

    The newest rate that is not in the future applies, unless it is too old (`croupier wallet show`). Of each pair the
    newest are kept: what was converted has its own rate stored with it.
    """
    from processor.ops.reference import merged_rates, rate_documents
    from processor.ops.reference_apply import Wish
    from processor.ops.reference_apply import apply as apply_documents

    wish = Wish(file, False, yes, dry_run, as_, reason, as_json)
    apply_documents("rates", rate_documents, wish, merged=merged_rates)


@app.command("list")
def list_rates(as_json: JsonOption = False) -> None:
    """Show the rates that are stored, of each pair the newest first."""
    from processor.ops.reference import newest_first
    from processor.ops.reference_apply import documents_of

    documents = documents_of("rates")
    rows = [
        {"from": source, "to": target, "at": at.isoformat(), **documents[name]}
        for name, (source, target, at) in newest_first(documents).items()
    ]
    if as_json:
        show_json({"rates": rows})
        return
    cells = [(row["from"], row["to"], row["rate"], row["at"], row["source"]) for row in rows]
    show_table("", ("from", "to", ">rate", "at", "source"), cells)
