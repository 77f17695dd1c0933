"""Answers as records of the two topics, matched by the place of the event they answer."""

from __future__ import annotations

from typing import Any

import orjson

from processor.devstack.replies import Place, read_letter, read_result
from processor.ports import StoredRecord


class Record(StoredRecord):
    """A record with the topic it came from."""

    topic = "a-topic"


def record(value: bytes | None, headers: list[tuple[str, bytes | None]]) -> Any:
    return Record(3, 99, 0, b"p", value, headers)


def test_a_result_answers_the_event_that_its_source_names() -> None:
    body = {"code": "OK", "message": "Bet accepted.", "source": {"partition": 3, "offset": 18}}
    reply = read_result(record(orjson.dumps(body), []))
    assert (reply.place, reply.body, reply.reason) == (Place(3, 18), body, None)
    assert reply.in_words() == "OK: Bet accepted."


def test_a_dead_letter_answers_the_event_that_its_headers_name() -> None:
    headers: list[tuple[str, bytes | None]] = [
        ("empty", None),
        ("wallet-dlq-partition", b"3"),
        ("wallet-dlq-offset", b"18"),
        ("wallet-dlq-reason", b"POISON"),
        ("wallet-dlq-detail", b"It overflows."),
    ]
    reply = read_letter(record(None, headers))
    assert (reply.place, reply.body, reply.reason) == (Place(3, 18), None, "POISON")
    assert reply.in_words() == "a dead letter POISON: It overflows."
