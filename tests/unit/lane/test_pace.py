"""The pace of a lane that keeps up: batches are begun late enough to take along what comes, and never later."""

from __future__ import annotations

import pytest

from processor.lane.pace import Pace


def measured(apply_seconds: float, publish_seconds: float) -> Pace:
    pace = Pace()
    for _ in range(100):
        pace.applied(apply_seconds)
        pace.publishing(10.0)
        pace.published(10.0 + publish_seconds)
    return pace


def test_the_next_batch_is_begun_so_that_it_is_a_fact_when_the_one_before_is_published() -> None:
    pace = measured(0.010, 0.050)
    pace.publishing(20.0)
    assert pace.hold_seconds(20.0) == pytest.approx(0.040)
    assert pace.hold_seconds(20.030) == pytest.approx(0.010)
    assert pace.hold_seconds(20.041) < 0


def test_nothing_is_held_back_where_applying_takes_longer_or_nothing_was_measured() -> None:
    assert measured(0.050, 0.010).hold_seconds(10.0) < 0
    assert Pace().hold_seconds(0.0) == 0


def test_one_slow_publication_holds_nothing_back_for_long() -> None:
    pace = measured(0.010, 9.0)
    pace.publishing(20.0)
    assert pace.hold_seconds(20.0) == pytest.approx(0.1)


def test_the_newest_figures_count_most() -> None:
    pace = measured(0.010, 0.100)
    for _ in range(20):
        pace.publishing(1.0)
        pace.published(1.020)
    assert pace.publish_seconds == pytest.approx(0.020, abs=0.002)
