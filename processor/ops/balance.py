"""`croupier balance PLAYER`: what a player has, by currency and pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from processor.ops.console import JsonOption, show_json, show_table
from processor.ops.runtime import load_settings, run_async

if TYPE_CHECKING:
    from processor.settings import Settings

app = typer.Typer(add_completion=False)


@app.command()
def balance(
    player: Annotated[str, typer.Argument(help="The player's id.")],
    as_json: JsonOption = False,
) -> None:
    """Show a player's balances by currency and pool. Exit 1 where the player is not known."""
    rows = run_async(_balances(load_settings(), player))
    if as_json:
        show_json({"player_id": player, "balances": rows})
        return
    show_table(
        f"Player {player}",
        ("currency", "pool", ">balance", ">entries"),
        [(row["currency"], row["pool"], row["balance"], row["version"]) for row in rows],
    )


async def _balances(settings: Settings, player: str) -> list[dict[str, Any]]:
    from processor.ops.desk import NotFound, amounts_of, open_desk
    from processor.postgres.desk.money import balances

    async with open_desk(settings, replica=True) as desk:
        rows = await balances(desk, player)
        amounts = await amounts_of(desk)
    if rows is None:
        raise NotFound(f"The player {player} is not known: no event of this player has been decided yet.")
    return [
        {
            "currency": row.currency,
            "pool": row.pool,
            "balance": amounts.text(row.balance_minor, row.currency),
            "balance_minor": str(row.balance_minor),
            "version": row.version,
        }
        for row in rows
    ]
