"""`croupier players`: correct where a player lives, while no worker runs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from processor.errors import WrongUsage
from processor.ops.console import AsOption, JsonOption, output, show_json
from processor.ops.runtime import actor, load_settings, run_async

if TYPE_CHECKING:
    from processor.ops.player_move import Moved
    from processor.settings import Settings

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Players.")


@app.callback()
def players() -> None:
    """Players."""


@app.command()
def move(
    player: Annotated[str, typer.Argument(help="The player's id.")],
    partition: Annotated[
        int | None,
        typer.Option(min=0, help="Where he lives from now on. Default: what Java's partitioner says."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for the audit trail; required.")] = "",
    as_: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a player live in another partition, where a wrong partitioner opened him. Every worker is stopped before."""
    if not reason.strip():
        raise WrongUsage("Say with --reason why he moves; it is kept in the audit trail.")
    moved = run_async(_move(load_settings(), player, partition, actor(as_), reason))
    if as_json:
        show_json(asdict(moved))
    else:
        output().print(
            f"Player {player} lives in partition {moved.to_partition} (before: {moved.from_partition})."
        )


async def _move(settings: Settings, player: str, partition: int | None, who: str, why: str) -> Moved:
    from processor.ops.player_move import move_player

    return await move_player(settings, player, partition, actor=who, why=why)
