"""Usage and the periods it is counted in, against every day counted on its own."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.domain.periods import PERIODS, start_of
from processor.domain.usage import Usage

FIRST = date(2026, 11, 16).toordinal()


@pytest.mark.parametrize(
    ("day", "week", "month"),
    [
        (date(2026, 11, 22), date(2026, 11, 16), date(2026, 11, 1)),
        (date(2026, 11, 23), date(2026, 11, 23), date(2026, 11, 1)),
        (date(2026, 12, 1), date(2026, 11, 30), date(2026, 12, 1)),
        (date(2024, 2, 29), date(2024, 2, 26), date(2024, 2, 1)),
    ],
)
def test_weeks_begin_on_monday_and_months_on_their_first(day: date, week: date, month: date) -> None:
    number = day.toordinal()
    assert [start_of(period, number) for period in PERIODS] == [number, week.toordinal(), month.toordinal()]


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 10**30)), min_size=1, max_size=30
    ),
    st.integers(0, 40),
)
def test_the_counts_of_each_period_are_the_sums_of_its_days(
    counted: list[tuple[int, int, int]], later: int
) -> None:
    usage, day = Usage(), FIRST
    by_day: dict[tuple[int, int], int] = {}
    for days_on, what, amount_minor in counted:
        day += days_on
        usage.count(day, what, amount_minor)
        usage = Usage.of(usage.text())
        by_day[(day, what)] = by_day.get((day, what), 0) + amount_minor
    asked = day + later
    for period in PERIODS:
        first = start_of(period, asked)
        expected = [
            sum(
                amount
                for (one, counted_), amount in by_day.items()
                if first <= one <= asked and counted_ == what
            )
            for what in range(4)
        ]
        assert list(usage.of_period(period, asked)) == expected


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 10**30))
def test_what_is_given_back_leaves_every_period_as_if_it_had_never_been(
    first: int, later: int, amount_minor: int
) -> None:
    usage = Usage()
    usage.count(FIRST + first, 0, amount_minor)
    usage.count(FIRST + first + later, 0, 7)
    usage.count(FIRST + first, 0, -amount_minor)
    assert [usage.of_period(period, FIRST + first + later)[0] for period in PERIODS] == [7, 7, 7]
