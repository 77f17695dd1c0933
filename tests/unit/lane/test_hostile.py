"""Hostile input at the door: a command or a dead letter, in bounded memory and time, and nothing that a terminal or a
log would obey, wherever it is shown."""

from __future__ import annotations

import io
import logging
import random
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import orjson
import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.domain.precedence import DECIDED_TYPES
from processor.keys.ring import KeyRing
from processor.keys.signer import EventSigner
from processor.lane import journal
from processor.lane.authenticate import Gate, authenticate
from processor.lane.dead_letters import door_letter
from processor.lane.decode import Door
from processor.lane.render import Renderer
from processor.lane.work import Arrival
from processor.ops.console import show_json, show_json_line
from processor.ops.lines import dead_letter_line, record_document
from processor.ops.original_bytes import View, as_document, headers_document, printable_name, shown
from processor.ports import OutRecord, StoredRecord
from processor.settings import Settings
from processor.telemetry.logging import configure_logging, logger
from schemas.dead_letters import read_headers
from tests.unit.keys.keyfiles import NOW_MS, key_file, ring_of
from tests.unit.lane.hostile import CORPUS, TERMINAL_TRICKS, Hostile, bet_with
from tests.unit.schemas.door import CURRENCIES

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
DOOR = Door(CURRENCIES, DECIDED_TYPES)
each = pytest.mark.parametrize("name", CORPUS)


class Shown(NamedTuple):
    """A dead-letter record as a consumer has it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    directory: Path = tmp_path_factory.mktemp("keys")
    return ring_of(directory, key_file("acme-1"), key_file("operator-1", owner="operator"))


def arrived(hostile: Hostile) -> Arrival:
    key, value, headers = hostile
    return Arrival(StoredRecord(3, 18, NOW_MS, key, value, headers))


def through_the_door(one: Arrival, gate: Gate | None = None) -> Arrival:
    authenticate([one], max_event_bytes=65_536, gate=gate)
    DOOR.open([one])
    return one


def letter_record(one: Arrival) -> OutRecord:
    """What is published of a refused event, having gone through the journal."""
    renderer = Renderer(
        currencies=CURRENCIES, topic="wallet.events", group="g", layout=1, lane=0, seq=1, at=NOW
    )
    letter = door_letter(one, renderer)
    (published,) = journal.decode(journal.encode([], [renderer.dead_letter(letter, one.record)]))
    return published


def check(one: Arrival) -> None:
    """A command or a reason, not both; a reason with a sentence of ours; the original in its letter, byte for byte."""
    assert (one.command is None) == (one.reason is not None)
    if one.reason is None:
        return
    assert one.reason != "POISON"
    assert one.detail.isprintable()
    assert len(one.detail.encode()) <= 512
    published, record = letter_record(one), one.record
    assert (published.key, published.value) == (record.key, record.value)
    ours = {name: value for name, value in published.headers if name.startswith("wallet-dlq-")}
    assert ours["wallet-dlq-reason"] == str(one.reason).encode()
    assert read_headers(published.headers).detail == one.detail


@each
def test_hostile_input_is_a_command_or_a_dead_letter(name: str) -> None:
    check(through_the_door(arrived(CORPUS[name])))


@each
def test_where_signing_is_required_hostile_input_is_not_even_parsed(name: str, ring: KeyRing) -> None:
    one = arrived(CORPUS[name])
    gate = Gate(ring, window_ms=300_000)
    authenticate([one], max_event_bytes=65_536, gate=gate)
    assert one.reason in ("TOO_LARGE", "BAD_SIGNATURE", "UNKNOWN_KEY")
    check(through_the_door(one, gate))


@each
def test_what_a_sender_signs_is_looked_at_no_less(name: str, ring: KeyRing) -> None:
    key, value, headers = CORPUS[name]
    signing = EventSigner(ring, key=ring.find(b"acme-1"), now_ms=lambda: NOW_MS)(value)
    unsigned, signed = (
        through_the_door(arrived((key, value, headers))),
        arrived((key, value, [*headers, *signing])),
    )
    check(through_the_door(signed, Gate(ring, window_ms=300_000)))
    assert signed.reason == unsigned.reason or signed.reason == "NOT_PERMITTED"


@given(data=st.data())
@settings(max_examples=150)
def test_hostile_input_cut_and_mixed_is_a_command_or_a_dead_letter(data: st.DataObject) -> None:
    names = st.sampled_from([name for name in CORPUS if "70,000" not in name and "megabyte" not in name])
    key, value, headers = (
        CORPUS[data.draw(names)][0],
        CORPUS[data.draw(names)][1],
        CORPUS[data.draw(names)][2],
    )
    cut = data.draw(st.integers(0, 400))
    mixed = None if value is None else value[:cut] + data.draw(st.binary(max_size=8)) + value[cut:]
    check(through_the_door(arrived((key, mixed, headers))))


# ------------------------------------------------------------------------------------- bounded time and memory


@each
def test_hostile_input_takes_memory_in_proportion_to_its_size(name: str) -> None:
    key, value, headers = CORPUS[name]
    size = (
        len(key or b"")
        + len(value or b"")
        + sum(100 + len(text) + len(content or b"") for text, content in headers)
    )
    tracemalloc.start()
    try:
        through_the_door(arrived((key, value, headers)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 128 * size + 1_000_000


def processor_seconds(work: Callable[[], object]) -> float:
    """The least of five runs, in this process's own time."""
    least = float("inf")
    for _ in range(5):
        began = time.process_time()
        work()
        least = min(least, time.process_time() - began)
    return least


def test_no_hostile_input_takes_much_longer_than_honest_input_of_its_size() -> None:
    honest = bet_with(x=[["y" * 8] * 10] * 520)
    assert 60_000 < len(honest) < 65_536
    honest_seconds = processor_seconds(lambda: through_the_door(arrived((b"p-7", honest, ()))))
    slow = {
        name: round(seconds / honest_seconds, 1)
        for name, hostile in CORPUS.items()
        if "headers" not in name
        and (seconds := processor_seconds(lambda: through_the_door(arrived(hostile)))) > 30 * honest_seconds  # noqa: B023  # called at once
    }
    assert slow == {}


# ------------------------------------------------------------------------ nothing that a terminal or a log obeys


def harmless(text: str) -> bool:
    """Printable, but for line breaks of our own."""
    return all(letter.isprintable() or letter == "\n" for letter in text)


@pytest.mark.parametrize("view", list(View))
@each
def test_nothing_shown_of_a_letter_is_obeyed_by_a_terminal(name: str, view: View) -> None:
    key, value, headers = CORPUS[name]
    assert harmless(shown(value, view))
    assert harmless(shown(key, View.TEXT))
    assert all(harmless(shown(content, View.TEXT)) for _, content in headers[:50])


@each
def test_a_tailed_letter_is_one_line_that_a_terminal_only_shows(name: str) -> None:
    one = through_the_door(arrived(CORPUS[name]))
    if one.reason is None:
        return
    published = letter_record(one)
    record = Shown("wallet.dead-letters", 3, 5, NOW_MS, published.key, published.value, published.headers)
    line = dead_letter_line(record).plain
    assert line.isprintable()


@each
def test_json_of_a_letter_is_one_document_that_a_terminal_only_shows(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    key, value, headers = CORPUS[name]
    record = Shown(
        "wallet.dead-letters", 3, 5, NOW_MS, key, value, [(printable_name(n), c) for n, c in headers[:50]]
    )
    show_json_line(record_document(record))
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert line.rstrip("\n").isprintable()
    show_json({"value": as_document(value), "headers": headers_document(headers[:50])})
    text = capsys.readouterr().out
    assert harmless(text)
    assert orjson.loads(text)["value"] == as_document(value)


@pytest.fixture
def quiet_afterwards() -> Iterator[None]:
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield
    logging.getLogger().handlers = handlers
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()


@pytest.mark.usefixtures("quiet_afterwards")
@pytest.mark.parametrize("log_format", ["json", "console"])
def test_whatever_is_logged_is_one_line_that_a_terminal_only_shows(log_format: str) -> None:
    stream = io.StringIO()
    configure_logging(Settings.model_validate({"log_format": log_format}), stream=stream)
    tricks = [*TERMINAL_TRICKS, "".join(random.Random(7).choices("".join(TERMINAL_TRICKS), k=200))]
    for trick in tricks:
        logger(player=trick).warning(f"It is {trick}.", action="test", values=[trick], raw=trick.encode())
    text = stream.getvalue()
    assert text.count("\n") == len(tricks)
    assert harmless(text)
