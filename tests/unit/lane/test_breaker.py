"""The circuit breaker: poison in a row or by share stops a lane, single ones do not."""

from __future__ import annotations

from processor.lane.breaker import Breaker


def breaker() -> Breaker:
    return Breaker(in_a_row=3, share=0.5, window=10)


def test_poison_in_a_row_stops_the_lane() -> None:
    one = breaker()
    assert [one.poison() is None for _ in range(3)] == [True, True, False]


def test_a_healthy_batch_breaks_the_row() -> None:
    one = breaker()
    for _ in range(10):
        assert one.poison() is None
        assert one.poison() is None
        one.healthy(5)


def test_a_share_above_the_limit_stops_the_lane_once_the_window_is_full() -> None:
    one = breaker()
    verdicts = []
    for _ in range(9):
        verdicts += [one.poison(), one.poison()]
        one.healthy(1)
    assert verdicts[0] is None
    assert verdicts[-1] is not None


def test_old_events_leave_the_window() -> None:
    one = breaker()
    for _ in range(2):
        one.poison()
    one.healthy(1)
    for _ in range(100):
        one.healthy(10)
    assert one.poison() is None
