"""Logs: every line is a sentence plus a stable `action` word, as JSON or for a terminal.

Nothing that comes from outside can forge a line: JSON escapes what is not printable, and the form for people
writes them out (``\\n`` stays two characters) and sets every line of a traceback off with a bar. Lines of the
libraries (`logging`) take the same path, with the action ``library``.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Literal, TextIO

import orjson
import structlog

from processor.telemetry.escapes import terminal_safe
from processor.telemetry.sparing import Sparing

if TYPE_CHECKING:
    from processor.settings import Settings

EventDict = MutableMapping[str, Any]

#: Libraries that tell more at `info` than an operator wants to read, and the same too often while a server is away.
_QUIET_LIBRARIES = ("aiokafka", "asyncio")


def configure_logging(settings: Settings, *, stream: TextIO | None = None) -> None:
    """Set up structlog and the libraries' `logging` for this process; lines go to ``stream`` (standard
    error)."""
    target = sys.stderr if stream is None else stream
    level = getattr(logging, settings.log_level.upper())
    shared = _shared_processors()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_library_line, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(settings.log_format, colours=target.isatty()),
            ],
        )
    )
    handler.addFilter(Sparing(_QUIET_LIBRARIES))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for library in _QUIET_LIBRARIES:
        logging.getLogger(library).setLevel(max(level, logging.WARNING))


def logger(**bound: object) -> structlog.typing.FilteringBoundLogger:
    """A logger whose lines all carry these fields. Call it as ``log.info("A sentence.", action="word")``."""
    made: structlog.typing.FilteringBoundLogger = structlog.get_logger().bind(**bound)
    return made


def _shared_processors() -> list[structlog.typing.Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _with_action,
    ]


def _rendering(log_format: Literal["json", "console"], *, colours: bool) -> list[structlog.typing.Processor]:
    if log_format == "json":
        return [
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(serializer=_as_json),
        ]
    return [
        _written_out,
        structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback),
    ]


def _with_action(_: object, __: str, event: EventDict) -> EventDict:
    event.setdefault("action", "unnamed")
    return event


def _library_line(_: object, __: str, event: EventDict) -> EventDict:
    event["action"] = "library"
    record = event.get("_record")
    if isinstance(record, logging.LogRecord):
        event["library"] = record.name
    return event


def _as_json(event: Mapping[str, Any], **_: object) -> str:
    try:
        line = orjson.dumps(event, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()
    except orjson.JSONEncodeError:
        line = orjson.dumps({str(name): written_out(str(value)) for name, value in event.items()}).decode()
    return terminal_safe(line)


def _written_out(_: object, __: str, event: EventDict) -> EventDict:
    for name, value in event.items():
        if name == "exception":
            event[name] = "\n".join("    | " + written_out(line) for line in str(value).split("\n"))
        elif isinstance(value, str):
            event[name] = written_out(value)
        elif not isinstance(value, (int, float, bool, type(None))):
            event[name] = written_out(repr(value))
    return event


def written_out(text: str) -> str:
    """The text with every character that a terminal would obey written out (``\\x1b``, ``\\n``)."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
