"""A log line is a sentence and an action word, and nobody's input can forge another."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Literal

import orjson
import pytest
import structlog

from processor.settings import Settings
from processor.telemetry.logging import configure_logging, logger, written_out

FORGED = 'p-7\n{"message": "forged", "level": "info"}\x1b[2J\x00'


@pytest.fixture(autouse=True)
def quiet_afterwards() -> Iterator[None]:
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield
    logging.getLogger().handlers = handlers
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()


def lines_of(log_format: Literal["json", "console"], level: Literal["debug", "info"] = "info") -> io.StringIO:
    stream = io.StringIO()
    configure_logging(Settings(log_format=log_format, log_level=level), stream=stream)
    return stream


def test_a_json_line_has_the_sentence_the_action_and_the_fields() -> None:
    stream = lines_of("json")
    logger(lane=3).info("Lane 3 is ready.", action="lane.ready")
    line = orjson.loads(stream.getvalue())
    assert (line["message"], line["action"], line["lane"], line["level"]) == (
        "Lane 3 is ready.",
        "lane.ready",
        3,
        "info",
    )
    assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_control_characters_cannot_forge_a_line(log_format: Literal["json", "console"]) -> None:
    stream = lines_of(log_format)
    logger(player=FORGED).warning(f"The player {FORGED} is unknown.", action="test", values=[FORGED])
    text = stream.getvalue()
    assert text.count("\n") == 1
    assert "\x1b" not in text
    assert "\x00" not in text


def test_a_traceback_for_people_is_set_off_and_written_out() -> None:
    stream = lines_of("console")
    try:
        raise ValueError(FORGED)
    except ValueError:
        logger().error("It failed.", action="test", exc_info=True)
    first, *rest = stream.getvalue().rstrip("\n").split("\n")
    assert "It failed." in first
    assert rest
    assert all(line.startswith("    | ") for line in rest)
    assert "\x1b" not in stream.getvalue()


def test_libraries_lines_take_the_same_form() -> None:
    stream = lines_of("json")
    logging.getLogger("somebody").warning("took %d ms\nforged", 3)
    line = orjson.loads(stream.getvalue())
    assert (line["action"], line["library"]) == ("library", "somebody")


def test_what_is_below_the_level_is_not_written() -> None:
    stream = lines_of("json")
    logger().debug("Not this.", action="test")
    assert stream.getvalue() == ""


def test_what_json_cannot_hold_does_not_lose_the_line() -> None:
    stream = lines_of("json")
    logger().info("Odd.", action="test", lone="\ud800", huge=2**80, thing=object())
    assert orjson.loads(stream.getvalue())["message"] == "Odd."


def test_printable_text_stays_as_it_is() -> None:
    assert written_out("Zoë pays 2,50 €") == "Zoë pays 2,50 €"
    assert written_out("a\u202eb\tc") == "a\\u202eb\\tc"
