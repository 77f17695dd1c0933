"""`croupier topics`: bring the cluster's three topics to the state that the worker needs, or say what
differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

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


@app.command()
def grow(
    partitions: Annotated[int, typer.Option(min=1, max=1024, help="Partitions that each topic shall have.")],
    as_json: JsonOption = False,
) -> None:
    """Give all three topics more partitions. Senders and workers are stopped before, and everything is decided;
    `croupier lanes resize` comes after it."""
    from processor.ops.grow import grow as grow_topics

    settings = load_settings()
    grown = run_async(grow_topics(settings, partitions))
    if as_json:
        show_json({"grown": grown, "partitions": partitions})
    else:
        output().print(
            f"Grown to {partitions} partitions: {', '.join(grown) or 'none, they had them'}. "
            f"Next: `croupier lanes resize`, and CROUPIER_PARTITIONS={partitions} in the settings."
        )


async def _create(settings: Settings) -> list[str]:
    from processor.kafka.security import as_admin
    from processor.kafka.topics import check_topics, create_topics

    made = await create_topics(settings)
    await check_topics(
        as_admin(settings), settings.partitions
    )  # nobody has been given a right to new topics yet
    return made


def _names(settings: Settings) -> list[str]:
    return [settings.events_topic, settings.results_topic, settings.dead_letters_topic]
