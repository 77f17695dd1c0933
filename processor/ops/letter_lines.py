"""Dead letters as JSON lines, byte for byte: what `dead-letters export` writes and `import` reads."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import orjson

from processor.postgres.desk.letters import Header, Letter, Original

#: The name of the form; a later form gets another number and is read beside this one.
FORM: Final = "croupier.dead-letter.1"
_PLAIN: Final = (
    "letter_id", "status", "reason", "detail", "attempts", "event_partition", "event_offset", "provider", "player_id",
    "transaction_id", "replay_count", "replay_of", "layout", "lane", "seq",
)  # fmt: skip
_TIMES: Final = ("broker_time", "created_at", "status_changed_at")


class NotALetter(ValueError):
    """A line that is no exported letter; the message says why."""


def line_of(original: Original) -> bytes:
    """One letter as one line, without its end."""
    letter = original.letter
    document: dict[str, Any] = {"form": FORM}
    document |= {name: getattr(letter, name) for name in _PLAIN}
    document |= {name: getattr(letter, name) for name in _TIMES}
    document["key"] = _bytes_out(original.key)
    document["value"] = _bytes_out(original.value)
    document["headers"] = [
        [_bytes_out(name.encode("utf-8", "surrogateescape")), _bytes_out(content)]
        for name, content in original.headers
    ]
    return orjson.dumps(document, option=orjson.OPT_UTC_Z)


def letter_of(line: bytes) -> Original:
    """The letter of one line. Raises `NotALetter`."""
    try:
        document = orjson.loads(line)
        if document["form"] != FORM:
            raise NotALetter(f"its form is {document['form']!r}, this program reads {FORM!r}")
        fields: dict[str, Any] = {name: document[name] for name in _PLAIN}
        fields |= {name: _time(document[name]) for name in _TIMES}
        key, value = _bytes_in(document["key"]), _bytes_in(document["value"])
        headers = _headers_in(document["headers"])
    except orjson.JSONDecodeError as error:
        raise NotALetter(f"it is not JSON: {error}") from error
    except KeyError as error:
        raise NotALetter(f"it has no {error.args[0]}") from error
    except (TypeError, AttributeError, binascii.Error, UnicodeError) as error:
        raise NotALetter(f"it is not of the form {FORM}: {error}") from error
    size = None if value is None else len(value)
    return Original(Letter(**fields, size=size), key, value, headers)


def _bytes_out(content: bytes | None) -> Any:
    """Text where the bytes are UTF-8, which gives the same bytes again; else Base64."""
    if content is None:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


def _bytes_in(content: Any) -> bytes | None:
    if content is None:
        return None
    if isinstance(content, str):
        return content.encode()
    return base64.b64decode(content["base64"], validate=True)


def _headers_in(headers: Sequence[Sequence[Any]]) -> list[Header]:
    found: list[Header] = []
    for name, content in headers:
        found.append(((_bytes_in(name) or b"").decode("utf-8", "surrogateescape"), _bytes_in(content)))
    return found


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
