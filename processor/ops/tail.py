"""`croupier tail`: follow results, or dead letters, as they are committed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from processor.ops.console import JsonOption, notice, output, show_json_line
from processor.ops.runtime import load_settings, run_async

if TYPE_CHECKING:
    from processor.kafka.tailing import TopicRecord
    from processor.settings import Settings

app = typer.Typer(add_completion=False)


@app.command()
def tail(
    dead_letters: Annotated[
        bool, typer.Option("--dead-letters", help="Dead letters instead of results.")
    ] = False,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="All that the topic still has.")
    ] = False,
    player: Annotated[str | None, typer.Option(help="Only records with this key.")] = None,
    follow: Annotated[bool, typer.Option(help="Wait for more at the end; else stop there.")] = True,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many records.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Follow results (or dead letters) that are committed, one line each, until Ctrl-C."""
    settings = load_settings()
    topic = settings.dead_letters_topic if dead_letters else settings.results_topic
    if not follow:
        from_beginning = True
    run_async(_tail(settings, topic, from_beginning, player, follow, limit, as_json))


async def _tail(
    settings: Settings,
    topic: str,
    from_beginning: bool,
    player: str | None,
    follow: bool,
    limit: int | None,
    as_json: bool,
) -> None:
    from processor.kafka.tailing import Start, read_to_end
    from processor.kafka.tailing import follow as follow_topic
    from processor.ops.topic_reading import reading

    start: Start = "beginning" if from_beginning else "end"
    records = (
        follow_topic(settings, topic, start=start) if follow else read_to_end(settings, topic, start=start)
    )
    if follow and not as_json:
        notice(f"Following {topic}; Ctrl-C ends it.")
    shown = 0
    async with reading(records) as open_records:
        async for record in open_records:
            if player is not None and record.key != player.encode():
                continue
            _show(settings, record, as_json)
            shown += 1
            if shown == limit:
                return


def _show(settings: Settings, record: TopicRecord, as_json: bool) -> None:
    from processor.ops import lines

    if record.topic == settings.dead_letters_topic:
        if as_json:
            show_json_line(lines.record_document(record))
        else:
            output().print(lines.dead_letter_line(record))
        return
    body = lines.result_body(record)
    if as_json:
        show_json_line(body)
    else:
        output().print(lines.result_line(body))
