"""`croupier send`: publish JSON lines as events, and if asked wait for what comes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from processor.errors import CroupierError, WrongUsage
from processor.ops.console import JsonOption, complain, notice, output, show_json, show_json_line
from processor.ops.runtime import load_settings, run_async

if TYPE_CHECKING:
    from processor.ops.event_file import EventLine

app = typer.Typer(add_completion=False)

#: So many wrong lines are named one by one; of the others only the count is told.
_FAULTS_SHOWN = 20


@app.command()
def send(
    file: Annotated[str, typer.Argument(help="JSON lines, one event each; - reads standard input.")],
    force_as_is: Annotated[
        bool,
        typer.Option("--force-as-is", help="Send wrong lines too, byte for byte (they become dead letters)."),
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the results and show them.")] = False,
    timeout_seconds: Annotated[float, typer.Option(min=0.1, help="How long --wait waits.")] = 30.0,
    key: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Sign with this key of the keys' directory; else each provider's own, where signing is required.",
        ),
    ] = None,
    unsigned: Annotated[bool, typer.Option("--unsigned", help="Sign nothing, whatever is required.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Publish events; each record's key is its event's player_id.

    All lines are checked first, and nothing is sent while one is wrong. With --wait the exit code is 1 where
    an event got no answer in time, or became a dead letter.
    """
    from processor.ops.event_file import read_lines
    from processor.ops.sending import publish, publish_and_wait
    from processor.ops.signing import event_signer

    settings = load_settings()
    lines = read_lines(file)
    if not force_as_is:
        _refuse_wrong_lines(lines)
    if unsigned and key is not None:
        raise WrongUsage("Say --key or --unsigned, not both.")
    signer = None if unsigned else event_signer(settings, key)
    if not wait:
        places = run_async(publish(settings, lines, signer=signer))
        if as_json:
            show_json(
                {
                    "sent": len(places),
                    "places": [{"partition": place.partition, "offset": place.offset} for place in places],
                }
            )
        else:
            output().print(f"Sent {len(places)} events to {settings.events_topic}.")
        return
    answers = run_async(publish_and_wait(settings, lines, timeout_seconds=timeout_seconds, signer=signer))
    for answer in answers:
        if as_json:
            show_json_line(answer.document())
        else:
            output().print(answer.line())
    missing = sum(answer.record is None for answer in answers)
    if missing:
        notice(
            f"{missing} of {len(answers)} events got no answer within {timeout_seconds:g} s: they are parked "
            "(croupier parked list), or no worker runs.",
            style="yellow",
        )
    if any(not answer.is_result for answer in answers):
        raise typer.Exit(1)


def _refuse_wrong_lines(lines: list[EventLine]) -> None:
    from processor.ops.event_file import faults

    wrong = faults(lines)
    for fault in wrong[:_FAULTS_SHOWN]:
        complain(f"line {fault.number}: {fault.reason}: {fault.detail}")
    if wrong:
        raise WrongLines(
            f"Nothing was sent: {len(wrong)} of {len(lines)} lines would become dead letters. "
            "Correct them, or add --force-as-is."
        )


class WrongLines(CroupierError):
    """Some lines of the file are no events."""

    exit_code = 2
