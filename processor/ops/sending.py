"""Publishing events and waiting for their answers: one result, or one dead letter, for each place on the
topic."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from processor.kafka.producing import EventSender, Sent, Signer
from processor.kafka.tailing import Start, TopicRecord, end_offsets, follow
from processor.ops import lines
from processor.ops.event_file import EventLine
from processor.ops.topic_reading import reading
from processor.settings import Settings

Place = tuple[int, int]


@dataclass(slots=True)
class EventAnswer:
    """What came of one line: its place on the events topic, and the record that answers it (None: none in
    time)."""

    number: int
    place: Place
    record: TopicRecord | None = None
    is_result: bool = False

    def document(self) -> dict[str, Any]:
        """For ``--json``: the result as it is, a dead letter's record, or only the place."""
        if self.record is None:
            return {"line": self.number, "partition": self.place[0], "offset": self.place[1], "answer": None}
        return lines.result_body(self.record) if self.is_result else lines.record_document(self.record)

    def line(self) -> Text:
        """For people, one line."""
        if self.record is None:
            return Text(
                f"line {self.number}: no answer yet ({self.place[0]}@{self.place[1]})", style="yellow"
            )
        if self.is_result:
            return lines.result_line(lines.result_body(self.record))
        return lines.dead_letter_line(self.record)


async def publish(
    settings: Settings, events: Sequence[EventLine], *, signer: Signer | None = None
) -> list[Sent]:
    """Publish the events in order; returns where each of them is. Raises `KafkaUnreachable`."""
    async with EventSender(settings, signer=signer) as sender:
        acknowledgements = [await sender.send(event.value, key=event.key) for event in events]
        await sender.flush()
        return [await acknowledgement for acknowledgement in acknowledgements]


async def publish_and_wait(
    settings: Settings,
    events: Sequence[EventLine],
    *,
    timeout_seconds: float,
    signer: Signer | None = None,
) -> list[EventAnswer]:
    """Publish the events and gather the answers that come in time, in the events' order."""
    starts = {topic: await end_offsets(settings, topic) for topic in _answer_topics(settings)}
    places = await publish(settings, events, signer=signer)
    answers = {
        (sent.partition, sent.offset): EventAnswer(event.number, (sent.partition, sent.offset))
        for event, sent in zip(events, places, strict=True)
    }
    await gather(settings, answers, starts=starts, timeout_seconds=timeout_seconds)
    return list(answers.values())


async def gather(
    settings: Settings,
    answers: Mapping[Place, EventAnswer],
    *,
    starts: Mapping[str, Start],
    timeout_seconds: float,
) -> None:
    """Follow both topics until every place has its answer, or the time is over."""
    missing = set(answers)

    async def watch(topic: str) -> None:
        async with reading(follow(settings, topic, start=starts[topic])) as records:
            async for record in records:
                place = source_place(record)
                if place in missing:
                    answers[place].record = record
                    answers[place].is_result = topic == settings.results_topic
                    missing.discard(place)
                if not missing:
                    return

    watchers = [asyncio.create_task(watch(topic)) for topic in starts]
    try:
        async with asyncio.timeout(timeout_seconds):
            await asyncio.wait(watchers, return_when=asyncio.FIRST_COMPLETED)
    except TimeoutError:
        pass  # what has no answer says so itself
    finally:
        for watcher in watchers:
            if not watcher.done():
                watcher.cancel()
        ended = await asyncio.gather(*watchers, return_exceptions=True)
    for end in ended:
        if isinstance(end, Exception):
            raise end


def _answer_topics(settings: Settings) -> tuple[str, str]:
    return settings.results_topic, settings.dead_letters_topic


def source_place(record: TopicRecord) -> Place | None:
    """The place of the event that a result or a dead letter answers, from its headers; None where it names
    none."""
    headers = lines.headers_as_text(record)
    parts: Sequence[str | None]
    if headers.get("wallet-dlq-offset") is not None:
        parts = (headers.get("wallet-dlq-partition"), headers.get("wallet-dlq-offset"))
    else:
        parts = (headers.get("ce_id") or "").split("-")[-2:]
    if len(parts) == 2 and parts[0] and parts[1] and parts[0].isdigit() and parts[1].isdigit():
        return int(parts[0]), int(parts[1])
    return None
