"""`croupier rounds`: a round's whole story by its id, and rounds that nobody has settled in time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from processor.ops import cursor
from processor.ops.console import JsonOption, notice, output, show_json, show_table
from processor.ops.csv_text import csv_text
from processor.ops.format import Format
from processor.ops.runtime import load_settings, run_async

if TYPE_CHECKING:
    from processor.ops.money import Amounts
    from processor.postgres.desk.play import PlayedRound, RoundKey, StuckKey, StuckRound
    from processor.settings import Settings

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Rounds.")

STUCK_COLUMNS = (
    "player_id", "provider", "round_id", "game_id", "opened_at", "unsettled_bets", "unsettled", "currency",
)  # fmt: skip

NextOption = Annotated[
    str | None,
    typer.Option("--after", metavar="WORD", help="The next page: the word that a page ended with."),
]


@app.command()
def show(
    round_id: Annotated[str, typer.Argument(metavar="ROUND", help="The round's id.")],
    player: Annotated[str | None, typer.Option(help="Only this player's.")] = None,
    provider: Annotated[str | None, typer.Option(help="Only this provider's.")] = None,
    after: NextOption = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Players' rounds on a page.")] = 20,
    format_: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.TABLE,
    as_json: JsonOption = False,
) -> None:
    """Show a round's whole story: each player's stakes and winnings in it, and every decision from its first bet to
    its last correction, with the legs. Exit 1 where no round has this id."""
    from processor.postgres.desk.play import RoundKey

    key = RoundKey() if after is None else RoundKey(*cursor.read(after, 2))
    found = run_async(_stories(load_settings(), round_id, player, provider, key, limit))
    next_page = (
        cursor.written((found[-1]["player_id"], found[-1]["provider"])) if len(found) == limit else None
    )
    if as_json or format_ is Format.JSON:
        show_json({"round_id": round_id, "rounds": found, "next_after": next_page})
        return
    if format_ is Format.CSV:
        _export(found)
    else:
        _show_stories(found)
    if next_page is not None:
        notice(f"There may be more: --after {next_page} shows the next page.")


@app.command()
def stuck(
    provider: Annotated[str | None, typer.Option(help="Only this provider's.")] = None,
    after: NextOption = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Rounds on a page.")] = 100,
    format_: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.TABLE,
    as_json: JsonOption = False,
) -> None:
    """Show open rounds older than their provider's round_timeout_hours with stakes that nobody has settled, oldest
    first. Exit 1 where there are any: ask the provider for their wins, rollbacks or ends."""
    from processor.postgres.desk.play import StuckKey

    key = StuckKey()
    if after is not None:
        opened_at, *rest = cursor.read(after, 4)
        key = StuckKey(cursor.read_time(opened_at, after), *rest)
    rows = run_async(_stuck(load_settings(), provider, key, limit))
    last = rows[-1] if len(rows) == limit else None
    names = ("opened_at", "player_id", "provider", "round_id")
    next_page = None if last is None else cursor.written([last[name] for name in names])
    if as_json or format_ is Format.JSON:
        show_json({"rounds": rows, "next_after": next_page})
    elif format_ is Format.CSV:
        typer.echo(csv_text(STUCK_COLUMNS, rows), nl=False)
    elif rows:
        _show_stuck(rows)
    else:
        output().print("No round is stuck.")
    if next_page is not None and not as_json:
        notice(f"There may be more: --after {next_page} shows the next page.")
    if rows:
        raise typer.Exit(1)


async def _stories(
    settings: Settings, round_id: str, player: str | None, provider: str | None, after: RoundKey, limit: int
) -> list[dict[str, Any]]:
    from processor.ops.desk import NotFound, amounts_of, open_desk
    from processor.ops.history import transaction_document
    from processor.postgres.desk.history import story
    from processor.postgres.desk.play import rounds

    async with open_desk(settings, replica=True) as desk:
        found = await rounds(desk, round_id, player, provider, after, limit)
        if not found:
            raise NotFound(f"No round {round_id} is known of such a player and provider.")
        amounts = await amounts_of(desk)
        return [
            {
                **_round_document(one, amounts),
                "transactions": [
                    transaction_document(row, amounts)
                    for row in await story(desk, one.player, one.provider, round_id)
                ],
            }
            for one in found
        ]


def _round_document(one: PlayedRound, amounts: Amounts) -> dict[str, Any]:
    from processor.ops.desk import time_text

    return {
        "player_id": one.player_id,
        "provider": one.provider,
        "round_id": one.round_id,
        "game_id": one.game_id,
        "opened_at": time_text(one.opened_at),
        "closed_at": time_text(one.closed_at),
        "bets": one.bets,
        "bets_rolled_back": one.bets_rolled_back,
        "wins": one.wins,
        "staked": amounts.text(one.staked_minor, one.currency),
        "won": amounts.text(one.won_minor, one.currency),
        "net": amounts.text(one.won_minor - one.staked_minor, one.currency),
        "currency": one.currency,
    }


async def _stuck(
    settings: Settings, provider: str | None, after: StuckKey, limit: int
) -> list[dict[str, Any]]:
    from processor.domain.profiles import Profile
    from processor.ops.desk import open_desk
    from processor.ops.money import Amounts
    from processor.postgres.desk.play import stuck_rounds
    from processor.postgres.reference import reference_of

    async with open_desk(settings, replica=True) as desk:
        reference = reference_of(await desk.fetch("reference", "read"))
        rows = await stuck_rounds(
            desk,
            {name: profile.round_timeout_hours for name, profile in reference.providers.items()},
            Profile("").round_timeout_hours,
            datetime.now(UTC),
            provider=provider,
            after=after,
            limit=limit,
        )
    amounts = Amounts(reference.currencies)
    return [_stuck_document(row, amounts) for row in rows]


def _stuck_document(row: StuckRound, amounts: Amounts) -> dict[str, Any]:
    from processor.ops.desk import time_text

    return {
        "player_id": row.player_id,
        "provider": row.provider,
        "round_id": row.round_id,
        "game_id": row.game_id,
        "opened_at": time_text(row.opened_at),
        "unsettled_bets": row.bets,
        "unsettled": amounts.text(row.staked_minor, row.currency),
        "currency": row.currency,
    }


def _export(found: list[dict[str, Any]]) -> None:
    from processor.ops.history import CSV_COLUMNS, lines_of

    lines = [
        {"player_id": one["player_id"], **line} for one in found for line in lines_of(one["transactions"])
    ]
    typer.echo(csv_text(("player_id", *CSV_COLUMNS), lines), nl=False)


def _show_stories(found: list[dict[str, Any]]) -> None:
    from processor.ops.history import show_transactions

    for one in found:
        end = "open" if one["closed_at"] is None else f"closed at {one['closed_at']}"
        show_transactions(
            f"Round {one['round_id']} of player {one['player_id']} at {one['provider']}: opened at {one['opened_at']}, "
            f"{end}; staked {one['staked']}, won {one['won']}, net {one['net']} {one['currency'] or ''}".rstrip(),
            one["transactions"],
        )


def _show_stuck(rows: list[dict[str, Any]]) -> None:
    columns = ("opened at", "player", "provider", "round", "game", ">bets", ">unsettled", "")
    names = (
        "player_id", "provider", "round_id", "game_id", "unsettled_bets", "unsettled", "currency",
    )  # fmt: skip
    show_table(
        "",
        columns,
        [(row["opened_at"][:19].replace("T", " "), *(row[name] for name in names)) for row in rows],
    )
