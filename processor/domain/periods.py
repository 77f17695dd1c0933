"""Periods: the days, weeks and months of a player's time zone, by numbers of days (1: a Monday, 0001-01-01)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

DAY: Final = "day"
WEEK: Final = "week"
MONTH: Final = "month"

#: In the order in which limits of equal rank are named.
PERIODS: Final = (DAY, WEEK, MONTH)


def day_number(time_zone: str | None, at: datetime) -> int:
    """The player's own day at a moment (aware UTC); without a time zone of his the days are UTC's."""
    local = at if time_zone is None else at.astimezone(ZoneInfo(time_zone))
    return local.toordinal()


def start_of(period: str, day: int) -> int:
    """The first day of the period that a day is in; weeks begin on Monday."""
    if period == DAY:
        return day
    if period == WEEK:
        return day - (day - 1) % 7
    return day - date.fromordinal(day).day + 1


def ends_at(time_zone: str | None, period: str, day: int) -> datetime:
    """When the period that a day is in is over: the player's next midnight, Monday or first of a month, in UTC.

    A midnight that a clock change skips is the moment of the change; of one that comes twice it is the first.
    """
    first = date.fromordinal(start_of(period, day))
    if period == MONTH:
        after = (first + timedelta(days=31)).replace(day=1)
    else:
        after = first + timedelta(days=7 if period == WEEK else 1)
    zone = UTC if time_zone is None else ZoneInfo(time_zone)
    return datetime(after.year, after.month, after.day, tzinfo=zone).astimezone(UTC)
