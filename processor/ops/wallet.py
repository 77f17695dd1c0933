"""`croupier wallet`: the wallet's own policy: the order of its pools, and what jurisdictions decide."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from processor.ops.console import AsOption, JsonOption, YesOption, output, readable, show_json

app = typer.Typer(add_completion=False, no_args_is_help=True, help="The wallet's policy.")


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="TOML: [wallet.jurisdictions.DE] limit_raise_hours = 168")],
    yes: YesOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    as_: AsOption = None,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Make the policy of a file the wallet's, whole. Shows what changes before it changes anything."""
    from processor.ops.reference import wallet_documents
    from processor.ops.reference_apply import Wish
    from processor.ops.reference_apply import apply as apply_documents

    apply_documents("wallet", wallet_documents, Wish(file, False, yes, dry_run, as_, reason, as_json))


@app.command()
def show(as_json: JsonOption = False) -> None:
    """Show the policy in force, defaults included."""
    from processor.ops.reference import wallet_documents
    from processor.ops.reference_apply import documents_of

    stored = documents_of("wallet").get("policy", {})
    policy = wallet_documents({"wallet": stored})["policy"]
    if as_json:
        show_json(policy)
        return
    for name, value in policy.items():
        output().print(f"{name} = {readable(repr(value))}", markup=False)
