"""`croupier sessions PLAYER`: each session with its duration and what it brought the player, newest first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from processor.ops import cursor
from processor.ops.console import JsonOption, notice, show_json, show_table
from processor.ops.csv_text import csv_text
from processor.ops.format import Format
from processor.ops.runtime import load_settings, run_async

if TYPE_CHECKING:
    from processor.ops.money import Amounts
    from processor.postgres.desk.play import PlayedSession, SessionFilter
    from processor.settings import Settings

app = typer.Typer(add_completion=False)

#: The columns of a CSV export; a session that moved several currencies has one line for each.
CSV_COLUMNS = (
    "session_id", "provider", "channel", "game_id", "opened_at", "ended_at", "duration_seconds", "currency", "staked",
    "won", "net",
)  # fmt: skip


@app.command()
def sessions(
    player: Annotated[str, typer.Argument(help="The player's id.")],
    session_id: Annotated[str | None, typer.Option("--session", help="Only this session.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Opened at or after this time (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(help="Opened before this time (UTC).")] = None,
    before: Annotated[
        str | None, typer.Option(metavar="WORD", help="The next page: the word that a page ended with.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Sessions on a page.")] = 50,
    format_: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.TABLE,
    as_json: JsonOption = False,
) -> None:
    """Show a player's sessions with duration and net position, newest first.

    The net is from the player's side: what was won and came back, less what was staked. What names no session
    belongs to the session of the bet that it refers to.
    """
    from processor.ops.desk import as_utc
    from processor.postgres.desk.play import SessionFilter

    key = None
    if before is not None:
        opened_at, last = cursor.read(before, 2)
        key = (cursor.read_time(opened_at, before), last)
    wanted = SessionFilter(player, session_id, as_utc(since), as_utc(until), key, limit)
    rows = run_async(_sessions(load_settings(), wanted))
    next_page = (
        cursor.written((rows[-1]["opened_at"], rows[-1]["session_id"])) if len(rows) == limit else None
    )
    if as_json or format_ is Format.JSON:
        show_json({"player_id": player, "sessions": rows, "next_before": next_page})
        return
    if format_ is Format.CSV:
        typer.echo(csv_text(CSV_COLUMNS, _lines(rows)), nl=False)
    else:
        _show(player, rows)
    if next_page is not None:
        notice(f"There may be more: --before {next_page} shows the next page.")


async def _sessions(settings: Settings, wanted: SessionFilter) -> list[dict[str, Any]]:
    from processor.ops.desk import NotFound, amounts_of, open_desk
    from processor.postgres.desk.play import sessions as read_sessions

    async with open_desk(settings, replica=True) as desk:
        rows = await read_sessions(desk, wanted)
        amounts = await amounts_of(desk)
    if rows is None:
        raise NotFound(
            f"The player {wanted.player_id} is not known: no event of this player has been decided."
        )
    now = datetime.now(UTC)
    return [_document(row, amounts, now) for row in rows]


def _document(row: PlayedSession, amounts: Amounts, now: datetime) -> dict[str, Any]:
    from processor.ops.desk import time_text

    return {
        "session_id": row.session_id,
        "provider": row.provider,
        "channel": row.channel,
        "game_id": row.game_id,
        "opened_at": time_text(row.opened_at),
        "ended_at": time_text(row.ended_at(now)),
        "duration_seconds": round(row.duration_seconds(now), 3),
        "moved": [
            {
                "currency": moved.currency,
                "staked": amounts.text(moved.staked_minor, moved.currency),
                "won": amounts.text(moved.won_minor, moved.currency),
                "net": amounts.text(moved.net_minor, moved.currency),
            }
            for moved in row.moved
        ],
    }


def _lines(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One line for each currency of a session, or one without any."""
    return [{**row, **moved} for row in rows for moved in row["moved"] or [{}]]


def _show(player: str, rows: list[dict[str, Any]]) -> None:
    columns = (
        "session",
        "provider",
        "channel",
        "opened at",
        "ended at",
        ">minutes",
        ">staked",
        ">won",
        ">net",
        "",
    )
    cells = [
        (
            line["session_id"],
            line["provider"],
            line["channel"],
            line["opened_at"][:19].replace("T", " "),
            "open" if line["ended_at"] is None else line["ended_at"][:19].replace("T", " "),
            f"{line['duration_seconds'] / 60:.1f}",
            line.get("staked"),
            line.get("won"),
            line.get("net"),
            line.get("currency"),
        )
        for line in _lines(rows)
    ]
    show_table(f"Player {player}", columns, cells)
