"""`croupier parked`: events that wait for another: list, show, ask the lane to retry or discard them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from processor.errors import WrongUsage
from processor.ops.console import AsOption, JsonOption, cell, notice, output, show_json, show_table
from processor.ops.original_bytes import View
from processor.ops.runtime import actor, load_settings, run_async

if TYPE_CHECKING:
    from processor.ops.waiting import Outcome

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Events that wait.")

NumberArgument = Annotated[int, typer.Argument(metavar="NUMBER", help="The parked event's number.")]
WaitOption = Annotated[
    float, typer.Option("--wait-seconds", min=0, help="How long to wait for the lane to do it.")
]

_REASON_STYLES = {"missing_bet": "yellow", "poison": "red", "queued": "dim"}


@app.command("list")
def list_parked(
    player: Annotated[str | None, typer.Option(help="Only this player's.")] = None,
    provider: Annotated[str | None, typer.Option(help="Only this provider's.")] = None,
    why: Annotated[str | None, typer.Option(help="Only missing_bet, poison or queued.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Events on a page.")] = 50,
    after: Annotated[int, typer.Option(min=0, metavar="NUMBER", help="The page after this event.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Show events that wait, in the order in which they were parked."""
    from processor.ops.waiting import list_page
    from processor.postgres.desk.parked import ParkedFilter

    events, counts = run_async(list_page(load_settings(), ParkedFilter(player, provider, why), after, limit))
    next_page = events[-1].number if len(events) == limit else None
    if as_json:
        show_json({"counts": counts, "events": [asdict(event) for event in events], "next_after": next_page})
        return
    columns = (
        ">number",
        "player",
        "provider",
        "transaction id",
        "why",
        "awaits",
        ">attempts",
        "gives up at (UTC)",
    )
    rows = [
        (
            event.number,
            event.player_id,
            event.provider,
            event.transaction_id,
            cell(event.reason, _REASON_STYLES.get(event.reason, "")),
            event.awaits,
            event.attempts,
            event.expires_at.strftime("%Y-%m-%d %H:%M:%S"),
        )
        for event in events
    ]
    show_table(
        ", ".join(f"{number} {reason}" for reason, number in counts.items()) or "Nothing waits.",
        columns,
        rows,
    )
    if next_page is not None:
        notice(f"There may be more: --after {next_page} shows the next page.")


@app.command()
def show(
    number: NumberArgument,
    view: Annotated[View, typer.Option("--as", help="How to show the original bytes.")] = View.AUTO,
    as_json: JsonOption = False,
) -> None:
    """Show one parked event: what it waits for, its bytes, and what operators asked about it."""
    from processor.ops.waiting import print_story, show_story

    story = run_async(show_story(load_settings(), number))
    if as_json:
        show_json(story.as_json())
    else:
        print_story(story, view)


@app.command()
def retry(
    number: NumberArgument,
    reason: Annotated[str, typer.Option(help="Why, for the audit trail.")] = "",
    wait_seconds: WaitOption = 10.0,
    as_: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask the lane to try the event again in its next batch."""
    _ask("parked.retry", number, reason, wait_seconds, as_, as_json)


@app.command()
def discard(
    number: NumberArgument,
    reason: Annotated[str, typer.Option(help="Why, for the audit trail; required.")] = "",
    wait_seconds: WaitOption = 10.0,
    as_: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask the lane to decide the event's final outcome now, without waiting any longer."""
    if not reason.strip():
        raise WrongUsage("Say with --reason why it is discarded; it is kept in the audit trail.")
    _ask("parked.discard", number, reason, wait_seconds, as_, as_json)


def _ask(kind: str, number: int, reason: str, wait_seconds: float, as_: str | None, as_json: bool) -> None:
    from processor.ops.waiting import ask

    outcome: Outcome = run_async(
        ask(load_settings(), kind, number, who=actor(as_), why=reason, wait_seconds=wait_seconds)
    )
    if as_json:
        show_json(asdict(outcome))
    elif outcome.done:
        output().print(f"The lane has done it: {outcome.what_came}.")
    else:
        output().print(
            f"Request {outcome.request} waits for the lane; it is carried out as soon as a worker has it."
        )
    if outcome.done and outcome.what_came == "not found":
        raise typer.Exit(1)
