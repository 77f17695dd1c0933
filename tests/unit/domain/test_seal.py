"""Seals: any change of what was decided, of its order, or of a link before, gives another seal."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from processor.domain.seal import outcome_line, seal
from processor.domain.state import Entry, Outcome

OUTCOME = Outcome(
    "acme", "b1", "b1", "p", "bet", "OK", "0199", "EUR", 250, "2.50", "g", "r", "s", "x", "stake",
    (("bonus_id", None),), -250, "EUR", {"cash": -250}, None, 7, 3, 18,
)  # fmt: skip
ENTRY = Entry("p", 7, 0, "acme", "EUR", 250, "cash", "house:gaming", 9750, 2)

#: Not sealed: what may be erased, what other sealed columns tell, and the clock of the batch.
UNSEALED = {"metadata", "details", "split", "decided_at"}
SEALED_ENTRY = {field.name for field in fields(Entry)} - {"player_id", "sequence", "provider"}


def changed(value: object) -> Any:
    if isinstance(value, int):
        return value + 1
    return (("bonus_id", "y"),) if isinstance(value, tuple) else f"{value}x"


def test_the_same_columns_give_the_same_line() -> None:
    assert outcome_line(replace(OUTCOME), [replace(ENTRY)]) == outcome_line(OUTCOME, [ENTRY])


@pytest.mark.parametrize("name", sorted({field.name for field in fields(Outcome)} - UNSEALED))
def test_every_sealed_column_of_an_outcome_changes_its_line(name: str) -> None:
    other = replace(OUTCOME, **{name: changed(getattr(OUTCOME, name))})
    assert outcome_line(other, [ENTRY]) != outcome_line(OUTCOME, [ENTRY])


@pytest.mark.parametrize("name", sorted(SEALED_ENTRY))
def test_every_sealed_column_of_an_entry_changes_its_outcomes_line(name: str) -> None:
    value = getattr(ENTRY, name)
    change: dict[str, Any] = {name: 1 if value is None else changed(value)}
    other = replace(ENTRY, **change)
    assert outcome_line(OUTCOME, [other]) != outcome_line(OUTCOME, [ENTRY])


def test_a_chain_depends_on_what_was_before_and_on_the_order() -> None:
    lines = [b"one", b"two"]
    first = seal(b"\x00" * 32, lines)
    assert len(first) == 32
    assert seal(b"\x00" * 32, iter(lines)) == first
    assert seal(b"\x01" * 32, lines) != first
    assert seal(b"\x00" * 32, reversed(lines)) != first
    assert seal(b"\x00" * 32, []) != b"\x00" * 32


def test_absent_and_empty_are_not_the_same() -> None:
    assert outcome_line(replace(OUTCOME, kind=None)) != outcome_line(replace(OUTCOME, kind=""))
