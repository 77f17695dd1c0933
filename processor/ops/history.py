"""`croupier history PLAYER`: every decided transaction with its legs, newest first, in pages by key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from processor.ops.console import JsonOption, cell, notice, show_json, show_table
from processor.ops.csv_text import csv_text
from processor.ops.format import Format
from processor.ops.runtime import load_settings, run_async

if TYPE_CHECKING:
    from processor.ops.money import Amounts
    from processor.postgres.desk.history import HistoryFilter, Transaction
    from processor.settings import Settings

app = typer.Typer(add_completion=False)

#: The columns of a CSV export, in order; a transaction with several legs has one line for each.
CSV_COLUMNS = (
    "sequence", "decided_at", "type", "provider", "transaction_id", "wallet_transaction_id", "code", "kind",
    "game_id", "round_id", "session_id", "reference", "amount", "currency", "leg", "debit", "credit", "leg_amount",
    "leg_currency",
)  # fmt: skip


@app.command()
def history(
    player: Annotated[str, typer.Argument(help="The player's id.")],
    provider: Annotated[str | None, typer.Option(help="Only this provider's.")] = None,
    type_: Annotated[str | None, typer.Option("--type", help="Only this event type: bet, win, …")] = None,
    code: Annotated[str | None, typer.Option(help="Only this outcome: OK, INSUFFICIENT_FUNDS, …")] = None,
    round_id: Annotated[str | None, typer.Option("--round", help="Only this round.")] = None,
    session_id: Annotated[str | None, typer.Option("--session", help="Only this session.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Decided at or after this time (UTC).")] = None,
    until: Annotated[datetime | None, typer.Option(help="Decided before this time (UTC).")] = None,
    before: Annotated[
        int | None, typer.Option(min=1, help="Only sequences below this: the next page.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Transactions on a page.")] = 50,
    format_: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.TABLE,
    as_json: JsonOption = False,
) -> None:
    """Show a player's transactions with their legs, newest first."""
    from processor.ops.desk import as_utc
    from processor.postgres.desk.history import HistoryFilter

    wanted = HistoryFilter(
        player_id=player,
        provider=provider,
        type=type_,
        code=code,
        round_id=round_id,
        session_id=session_id,
        since=as_utc(since),
        until=as_utc(until),
        before=before,
        limit=limit,
    )
    rows = run_async(_history(load_settings(), wanted))
    next_page = rows[-1]["sequence"] if len(rows) >= limit else None
    if as_json or format_ is Format.JSON:
        show_json({"player_id": player, "transactions": rows, "next_before": next_page})
        return
    if format_ is Format.CSV:
        typer.echo(as_csv(rows), nl=False)
    else:
        show_transactions(f"Player {player}", rows)
    if next_page is not None:
        notice(f"There may be more: --before {next_page} shows the next page.")


async def _history(settings: Settings, wanted: HistoryFilter) -> list[dict[str, Any]]:
    from processor.ops.desk import NotFound, amounts_of, open_desk
    from processor.postgres.desk.history import history as read_history

    async with open_desk(settings, replica=True) as desk:
        rows = await read_history(desk, wanted)
        amounts = await amounts_of(desk)
    if rows is None:
        raise NotFound(
            f"The player {wanted.player_id} is not known: no event of this player has been decided."
        )
    return [transaction_document(row, amounts) for row in rows]


def transaction_document(row: Transaction, amounts: Amounts) -> dict[str, Any]:
    """One transaction as JSON, amounts as decimal strings."""
    from processor.ops.desk import time_text

    return {
        "sequence": row.sequence,
        "decided_at": time_text(row.decided_at),
        "type": row.type,
        "provider": row.provider,
        "transaction_id": row.transaction_id,
        "wallet_transaction_id": row.wallet_transaction_id,
        "code": row.code,
        "kind": row.kind,
        "game_id": row.game_id,
        "round_id": row.round_id,
        "session_id": row.session_id,
        "reference": row.reference,
        "amount": amounts.text(row.moved_minor, row.moved_currency) if row.moved_currency else None,
        "currency": row.moved_currency or row.currency,
        "event": {"partition": row.event_partition, "offset": row.event_offset},
        "revision": row.revision,
        "legs": [
            {
                "leg": leg.leg,
                "debit": leg.debit,
                "credit": leg.credit,
                "amount": amounts.text(leg.amount_minor, leg.currency),
                "currency": leg.currency,
            }
            for leg in row.legs
        ],
    }


def as_csv(rows: Sequence[dict[str, Any]]) -> str:
    """The transactions as CSV with a header line; one line for each leg, or one without legs."""
    return csv_text(CSV_COLUMNS, lines_of(rows))


def lines_of(rows: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each transaction once for each of its legs, or once without."""
    for row in rows:
        for leg in row["legs"] or [{}]:
            yield {
                **row,
                "leg": leg.get("leg"),
                "debit": leg.get("debit"),
                "credit": leg.get("credit"),
                "leg_amount": leg.get("amount"),
                "leg_currency": leg.get("currency"),
            }


def show_transactions(title: str, rows: Sequence[dict[str, Any]]) -> None:
    """Transactions with their legs as a table."""
    columns = (">seq", "decided at", "type", "provider", "transaction id", "code", ">amount", "", "legs")
    show_table(title, columns, [_cells(row) for row in rows])


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    style = "green" if row["code"] == "OK" else "yellow"
    legs = Text("\n").join(
        cell(f"{leg['debit']} → {leg['credit']} {leg['amount']} {leg['currency']}") for leg in row["legs"]
    )
    return (
        row["sequence"],
        row["decided_at"][:23].replace("T", " "),
        row["type"],
        row["provider"],
        row["transaction_id"],
        cell(row["code"], style),
        row["amount"],
        row["currency"],
        legs,
    )
