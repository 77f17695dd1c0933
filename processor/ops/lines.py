"""One record on one line, for people: a result with its colour, a dead letter with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from rich.text import Text

from processor.kafka.tailing import TopicRecord
from processor.ops.console import readable

ACCEPTED_STYLE, REJECTED_STYLE, REPEAT_STYLE, LETTER_STYLE = "green", "yellow", "cyan", "red"


def as_text(value: bytes | None) -> str | None:
    """Bytes as text, whatever they are; what is not UTF-8 is written out."""
    return None if value is None else value.decode("utf-8", "backslashreplace")


def headers_as_text(record: TopicRecord) -> dict[str, str | None]:
    """A record's headers as text; of a repeated name the last."""
    return {name: as_text(content) for name, content in record.headers}


def result_body(record: TopicRecord) -> dict[str, Any]:
    """The result in a record of the results topic; raises ValueError where it is none."""
    body = orjson.loads(record.value or b"")
    if not isinstance(body, dict):
        raise ValueError("a result is a JSON object")
    return body


def result_line(body: Mapping[str, Any]) -> Text:
    """``10:00:00.012 p-7 bet acme/b-1001 OK −2.50 EUR, total 97.50 (3@18)``, coloured by what came of it."""
    style = ACCEPTED_STYLE if body.get("status") == "accepted" else REJECTED_STYLE
    line = Text()
    line.append(readable(str(body.get("applied_at", ""))[11:23]), style="dim")
    line.append(f" {_plain(body, 'player_id')} {_plain(body, 'type')} ")
    line.append(f"{_plain(body, 'provider')}/{_plain(body, 'transaction_id')} ")
    line.append(_plain(body, "code"), style=f"bold {style}")
    if body.get("replayed"):
        line.append(" repeat", style=REPEAT_STYLE)
    if body.get("amount") is not None:
        line.append(f" {_plain(body, 'amount')} {_plain(body, 'currency')}", style=style)
    balance = body.get("balance")
    if isinstance(balance, dict):
        line.append(f", total {_plain(balance, 'total')}")
    source = body.get("source")
    if isinstance(source, dict):
        line.append(f" ({_plain(source, 'partition')}@{_plain(source, 'offset')})", style="dim")
    return line


def dead_letter_line(record: TopicRecord) -> Text:
    """``10:00:00.012 dead letter UNDECODABLE key p-7: the reason's detail (3@18)``."""
    headers = headers_as_text(record)
    line = Text(
        datetime.fromtimestamp(record.timestamp / 1000, UTC).strftime("%H:%M:%S.%f")[:12], style="dim"
    )
    line.append(" dead letter ", style=LETTER_STYLE)
    line.append(readable(headers.get("wallet-dlq-reason") or "?"), style=f"bold {LETTER_STYLE}")
    line.append(
        f" key {readable(as_text(record.key) or 'none')}: {readable(headers.get('wallet-dlq-detail') or '')}"
    )
    place = f" ({headers.get('wallet-dlq-partition')}@{headers.get('wallet-dlq-offset')})"
    line.append(readable(place), style="dim")
    line.append(readable(f" {headers.get('wallet-dlq-id') or ''}"), style="dim")
    return line


def record_document(record: TopicRecord) -> dict[str, Any]:
    """A record for ``--json``: a result as it is; anything else with its headers and its bytes as text."""
    document: dict[str, Any] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": datetime.fromtimestamp(record.timestamp / 1000, UTC).isoformat(timespec="milliseconds"),
        "key": as_text(record.key),
        "headers": headers_as_text(record),
        "value": as_text(record.value),
    }
    return document


def _plain(body: Mapping[str, Any], name: str) -> str:
    return readable(str(body.get(name)))
