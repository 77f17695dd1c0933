"""Seals: any change of what was decided, of its order, or of a link before, gives another seal."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from processor.domain.seal import entry_line, outcome_line, seal, sealed_lines
from processor.domain.state import Entry, Outcome

OUTCOME = Outcome(
    "acme", "b1", "b1", "p", "bet", "OK", "0199", "EUR", 250, "2.50", "g", "r", "s", "x", "stake",
    (("bonus_id", None),), -250, "EUR", {"cash": -250}, None, 7, 3, 18,
)  # fmt: skip
ENTRY = Entry("p", 7, 0, "acme", "EUR", 250, "cash", "house:gaming", 9750, 2)

#: Not in the line: what may be erased, the clocks of batch and broker, and the player, whose id stands before it.
UNSEALED = {"metadata", "decided_at", "broker_time", "player_id"}
SEALED_ENTRY = {field.name for field in fields(Entry)} - {"player_id", "sequence"}


def changed(value: object) -> Any:
    if isinstance(value, int):
        return value + 1
    return (("bonus_id", "y"),) if isinstance(value, tuple) else f"{value}x"


def test_the_same_columns_give_the_same_line() -> None:
    assert outcome_line(replace(OUTCOME)) == outcome_line(OUTCOME)
    assert entry_line(replace(ENTRY)) == entry_line(ENTRY)


@pytest.mark.parametrize("name", sorted({field.name for field in fields(Outcome)} - UNSEALED))
def test_every_sealed_column_of_an_outcome_changes_its_line(name: str) -> None:
    other = replace(OUTCOME, **{name: changed(getattr(OUTCOME, name))})
    assert outcome_line(other) != outcome_line(OUTCOME)


@pytest.mark.parametrize("name", sorted(SEALED_ENTRY))
def test_every_sealed_column_of_an_entry_changes_its_line(name: str) -> None:
    side = replace(ENTRY, credit_balance_after_minor=1, credit_version=1)
    other = replace(side, **{name: changed(getattr(side, name))})
    assert entry_line(other) != entry_line(side)


def test_a_chain_depends_on_what_was_before_and_on_the_order() -> None:
    lines = ["one", "two"]
    first = seal(b"\x00" * 32, lines)
    assert len(first) == 32
    assert seal(b"\x00" * 32, iter(lines)) == first
    assert seal(b"\x01" * 32, lines) != first
    assert seal(b"\x00" * 32, reversed(lines)) != first
    assert seal(b"\x00" * 32, []) != b"\x00" * 32


def test_a_line_has_a_tab_between_its_columns_and_nothing_where_there_is_none() -> None:
    assert outcome_line(replace(OUTCOME, kind=None, reference=None, own=(), split={})).split("\t") == [
        "acme", "b1", "b1", "0199", "7", "bet", "OK", "EUR", "250", "2.50", "g", "r", "s", "", "", "", "-250", "EUR",
        "{}", "", "3", "18",
    ]  # fmt: skip
    assert entry_line(ENTRY).split("\t") == [
        "0", "acme", "EUR", "250", "cash", "house:gaming", "9750", "2", "", "",
    ]  # fmt: skip


def test_all_that_moved_being_cash_is_not_told_again() -> None:
    assert outcome_line(OUTCOME).split("\t")[18] == ""
    assert outcome_line(replace(OUTCOME, split={"cash": -200, "bonus": -50})).split("\t")[18] == (
        '{"cash":-200,"bonus":-50}'
    )


def test_what_is_sealed_names_the_player_and_has_entries_behind_their_decision() -> None:
    second = replace(OUTCOME, sequence=8, key="b2")
    third = replace(ENTRY, sequence=8, leg=0)
    outcomes, entries = [OUTCOME, second], [ENTRY, third, replace(third, leg=1)]
    lines, entry_lines = ["first", "second"], ["a", "b", "c"]
    assert sealed_lines(outcomes, lines, entries, entry_lines) == [
        "p\tfirst", "a", "p\tsecond", "b", "c",
    ]  # fmt: skip
    with pytest.raises(AssertionError, match="belongs to no outcome"):
        sealed_lines([OUTCOME], lines[:1], entries, entry_lines)
