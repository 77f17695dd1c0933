"""`croupier discrepancies`: transfers out whose provider told another balance than the wallet's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from processor.errors import WrongUsage
from processor.ops.console import JsonOption, cell, notice, show_json, show_table
from processor.ops.runtime import load_settings, run_async

if TYPE_CHECKING:
    from processor.ops.money import Amounts
    from processor.postgres.desk.discrepancies import Discrepancy, DiscrepancyFilter, Place
    from processor.settings import Settings

app = typer.Typer(add_completion=False)


@app.command()
def discrepancies(
    provider: Annotated[str | None, typer.Option(help="Only this provider's.")] = None,
    player: Annotated[str | None, typer.Option(help="Only this player's.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Only from this time on (UTC).")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Lines on a page.")] = 50,
    after: Annotated[
        str | None, typer.Option(metavar="PLACE", help="The page after this one's last place.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show transfers out whose provider told another balance, newest first.

    Refused ones moved nothing; settled ones booked the provider's figure as the session's game result.
    """
    from processor.ops.desk import as_utc
    from processor.postgres.desk.discrepancies import DiscrepancyFilter

    place = None if after is None else _place(after)
    found = run_async(
        _rows(load_settings(), DiscrepancyFilter(provider, player, as_utc(since), place, limit))
    )
    next_page = found[-1]["place"] if len(found) == limit else None
    if as_json:
        show_json({"discrepancies": found, "next_after": next_page})
        return
    columns = (
        "decided at (UTC)", "player", "provider", "transaction id", "currency", ">wallet", ">reported", ">difference",
        "what came of it",
    )  # fmt: skip
    styles = {"refused": "red", "settled": "yellow"}
    rows = [
        (
            row["decided_at"], row["player_id"], row["provider"], row["transaction_id"], row["currency"], row["held"],
            row["reported"], row["difference"], cell(row["outcome"], styles[row["outcome"]]),
        )
        for row in found
    ]  # fmt: skip
    show_table("" if rows else "No discrepancies.", columns, rows)
    if next_page is not None:
        notice(f"There may be more: --after '{next_page}' shows the next page.")


async def _rows(settings: Settings, wanted: DiscrepancyFilter) -> list[dict[str, Any]]:
    from processor.ops.desk import amounts_of, open_desk
    from processor.postgres.desk.discrepancies import discrepancies as read

    async with open_desk(settings, replica=True) as desk:
        found = await read(desk, wanted)
        amounts = await amounts_of(desk)
    return [_row(one, amounts) for one in found]


def _row(one: Discrepancy, amounts: Amounts) -> dict[str, Any]:
    from processor.ops.desk import time_text

    reported_minor = amounts.minor(one.reported, one.currency)
    return {
        "decided_at": time_text(one.place.decided_at),
        "player_id": one.place.player_id,
        "sequence": one.place.sequence,
        "provider": one.provider,
        "transaction_id": one.transaction_id,
        "code": one.code,
        "outcome": "refused" if one.settled_minor is None else "settled",
        "currency": one.currency,
        "held": amounts.text(one.held_minor, one.currency),
        "reported": amounts.text(reported_minor, one.currency),
        "difference": amounts.text(reported_minor - one.held_minor, one.currency),
        "place": f"{time_text(one.place.decided_at)}/{one.place.sequence}/{one.place.player_id}",
    }


def _place(text: str) -> Place:
    """A place as a page before has told it: time, sequence, player."""
    from processor.postgres.desk.discrepancies import Place

    try:
        time, sequence, player_id = text.split("/", 2)
        return Place(datetime.fromisoformat(time).astimezone(UTC), player_id, int(sequence))
    except ValueError as error:
        raise WrongUsage(
            f"--after {text!r} is no place: give one as a page of this command has told it."
        ) from error
