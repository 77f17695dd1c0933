"""`croupier balance PLAYER`: what a player has, by currency and pool, and how far his bonuses are wagered."""

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
    """Show a player's balances by currency and pool, and his bonuses. Exit 1 where the player is not known."""
    rows, bonuses = run_async(_wallet(load_settings(), player))
    if as_json:
        show_json({"player_id": player, "balances": rows, "bonuses": bonuses})
        return
    show_table(
        f"Player {player}",
        ("currency", "pool", ">balance", ">entries"),
        [(row["currency"], row["pool"], row["balance"], row["version"]) for row in rows],
    )
    if bonuses:
        show_table(
            "Bonuses",
            ("bonus", "currency", ">wagered", ">of"),
            [
                (one["bonus_id"], one["currency"], one["wagered"], one["wagering_requirement"])
                for one in bonuses
            ],
        )


async def _wallet(settings: Settings, player: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    from processor.ops.desk import NotFound, amounts_of, open_desk
    from processor.postgres.desk.money import balances, bonuses

    async with open_desk(settings, replica=True) as desk:
        rows = await balances(desk, player)
        found = await bonuses(desk, player)
        amounts = await amounts_of(desk)
    if rows is None:
        raise NotFound(f"The player {player} is not known: no event of this player has been decided yet.")
    told = [
        {
            "bonus_id": one.bonus_id,
            "currency": one.currency,
            "wagered": amounts.text(one.wagered_minor, one.currency),
            "wagering_requirement": amounts.text(one.requirement_minor, one.currency),
        }
        for one in found
    ]
    return [
        {
            "currency": row.currency,
            "pool": row.pool,
            "balance": amounts.text(row.balance_minor, row.currency),
            "balance_minor": str(row.balance_minor),
            "version": row.version,
        }
        for row in rows
    ], told
