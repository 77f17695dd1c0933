"""Columns travel as joined text and arrive as they were."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.errors import LedgerRefusedData
from processor.postgres.cells import NOTHING, PARTING, cells, columns_of, storable, turned
from tests.integration.postgres.installed import Installed

TEXTS = st.text(st.characters(exclude_characters=PARTING + NOTHING, exclude_categories=["Cs"]))


def taken_apart(joined: str | None, count: int) -> list[str | None]:
    """As ``cells()`` does it in the database."""
    if joined is None:
        return [None] * count
    return [None if each == NOTHING else each for each in joined.split(PARTING)]


@given(st.lists(st.none() | TEXTS | st.integers() | st.booleans(), min_size=1))
def test_what_is_joined_comes_apart_as_it_was(column: list[str | int | bool | None]) -> None:
    expected = [None if each is None else str(each) for each in column]
    assert taken_apart(cells(column), len(column)) == expected


@given(st.lists(TEXTS, max_size=3), TEXTS, st.sampled_from([PARTING, NOTHING]), TEXTS)
def test_a_value_with_a_parting_character_is_refused(
    others: list[str], start: str, parting: str, end: str
) -> None:
    with pytest.raises(LedgerRefusedData):
        cells([*others, None, start + parting + end])
    with pytest.raises(LedgerRefusedData):
        cells([*others, start + parting + end])


def test_rows_are_turned_into_columns() -> None:
    assert turned([("a", 1, None), ("b", None, None)]) == [f"a{PARTING}b", f"1{PARTING}{NOTHING}", None]
    assert columns_of([], 2) == [None, None]


def test_texts_for_people_show_what_cannot_be_stored() -> None:
    assert storable("a\x00b\x1d\n\ud800 ü") == "a\\x00b\\x1d\n\\ud800 ü"
    assert storable(None) is None


async def test_the_database_takes_them_apart_alike(installed: Installed) -> None:
    worker = await installed.worker()
    for column in (["a", None, "", "ü\n'\"\\{}NULL"], [""], ["NULL"], [None], [None, ""], ["", ""]):
        got = await worker.fetchval("SELECT cells($1)", cells(column))
        assert (got or [None]) == column
    now = datetime.now(UTC)
    assert await worker.fetchval("SELECT cells($1)::timestamptz[]", cells([now, None])) == [now, None]
    assert await worker.fetchval("SELECT cells($1)::boolean[]", cells([True, False])) == [True, False]
