"""What libraries say again and again is told once, counted, and told again when it goes on."""

from __future__ import annotations

import logging

import pytest

from processor.telemetry.sparing import QUIET_SECONDS, Sparing


class Ear:
    """Hears what passes, at a time that is set by hand."""

    def __init__(self) -> None:
        self.time = 0.0
        self.heard: list[str] = []
        self._filter = Sparing({"aiokafka"}, lambda: self.time)

    def say(
        self, text: str, *figures: object, name: str = "aiokafka.conn", level: int = logging.ERROR
    ) -> None:
        record = logging.LogRecord(name, level, "", 0, text, figures, None)
        if self._filter.filter(record):
            self.heard.append(record.getMessage())


@pytest.fixture
def ear() -> Ear:
    return Ear()


def test_the_first_line_of_a_kind_is_told_and_the_next_ones_are_counted(ear: Ear) -> None:
    for node in range(5):
        ear.say("Unable connect to node %s", node)
    assert ear.heard == ["Unable connect to node 0"]
    ear.time = QUIET_SECONDS
    ear.say("Unable connect to node %s", 7)
    ear.time += QUIET_SECONDS
    ear.say("Unable connect to node %s", 8)
    assert ear.heard[1:] == ["Unable connect to node 7 (and 4 more of this kind)", "Unable connect to node 8"]


def test_other_words_another_level_and_another_logger_are_another_kind(ear: Ear) -> None:
    ear.say("gone")
    ear.say("here")
    ear.say("gone", level=logging.WARNING)
    ear.say("gone", name="aiokafka.client")
    assert ear.heard == ["gone", "here", "gone", "gone"]


def test_our_own_lines_are_all_told(ear: Ear) -> None:
    for _ in range(3):
        ear.say("The lane is not ready", name="processor.lane")
    assert len(ear.heard) == 3


def test_a_line_with_a_per_cent_sign_of_its_own_can_stand_for_others(ear: Ear) -> None:
    for _ in range(2):
        ear.say("%s done", "100 %")
    ear.time = QUIET_SECONDS
    ear.say("%s done", "100 %")
    assert ear.heard[-1] == "100 % done (and 1 more of this kind)"


def test_only_so_many_kinds_are_remembered(ear: Ear) -> None:
    for number in range(300):
        ear.say(f"kind {number}")
    ear.say("kind 0")
    ear.say("kind 299")
    assert len(ear.heard) == 301
