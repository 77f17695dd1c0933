"""`croupier currencies`: the installation's own, beside ISO 4217's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from processor.ops.console import AsOption, JsonOption, YesOption, show_json, show_table

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Currencies beside ISO 4217's.")


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="TOML: [currencies.DOGE] exponent = 8")],
    yes: YesOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    as_: AsOption = None,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Make the currencies of a file known. Shows what changes before it changes anything.

    A currency's exponent never changes and a currency never goes: amounts are stored in its minor units.
    """
    from processor.ops.reference import currency_documents
    from processor.ops.reference_apply import Wish
    from processor.ops.reference_apply import apply as apply_documents

    apply_documents("currencies", currency_documents, Wish(file, False, yes, dry_run, as_, reason, as_json))


@app.command("list")
def list_currencies(as_json: JsonOption = False) -> None:
    """Show the currencies that are stored."""
    from processor.ops.reference_apply import documents_of

    documents = documents_of("currencies")
    if as_json:
        show_json(documents)
        return
    rows = [(code, document["exponent"]) for code, document in sorted(documents.items())]
    show_table("", ("currency", ">decimals"), rows)
