"""`croupier topics`: bring the cluster's three topics to the state that the worker needs, or say what
differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from processor.ops.console import JsonOption, output, show_json
from processor.ops.runtime import load_settings, run_async

if TYPE_CHECKING:
    from processor.settings import Settings

app = typer.Typer(add_completion=False, no_args_is_help=True, help="The three topics.")


@app.command()
def create(as_json: JsonOption = False) -> None:
    """Create the topics that are missing, then check all three. Topics that exist are never altered."""
    settings = load_settings()
    made = run_async(_create(settings))
    if as_json:
        show_json({"created": made, "topics": _names(settings), "partitions": settings.partitions})
    elif made:
        output().print(f"Created with {settings.partitions} partitions each: {', '.join(made)}.")
    else:
        output().print("All three topics are there and as they must be.")


@app.command()
def check(as_json: JsonOption = False) -> None:
    """Check that the topics are as the worker needs them; exit 4 says what differs."""
    from processor.kafka.topics import check_topics

    settings = load_settings()
    run_async(check_topics(settings, settings.partitions))
    if as_json:
        show_json({"topics": _names(settings), "partitions": settings.partitions, "ok": True})
    else:
        output().print("All three topics are as they must be.")


async def _create(settings: Settings) -> list[str]:
    from processor.kafka.topics import check_topics, create_topics

    made = await create_topics(settings)
    await check_topics(settings, settings.partitions)
    return made


def _names(settings: Settings) -> list[str]:
    return [settings.events_topic, settings.results_topic, settings.dead_letters_topic]
