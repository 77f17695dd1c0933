"""The circuit breaker: poison in a row or by share stops a lane, single ones do not."""

from __future__ import annotations

from itertools import count

from processor.lane.breaker import Breaker

PLACES = count()


def breaker() -> Breaker:
    return Breaker(in_a_row=3, share=0.5, window=10)


def new() -> tuple[int, int]:
    """The place of an event that nobody has seen yet."""
    return 0, next(PLACES)


def test_another_attempt_of_an_event_counts_for_nothing() -> None:
    one = breaker()
    first, second = new(), new()
    for _ in range(50):
        assert one.poison(first) is None
        assert one.poison(second) is None
    assert one.poison(new()) is not None


def test_a_lane_that_is_resumed_counts_the_same_events_anew() -> None:
    one = breaker()
    places = [new() for _ in range(3)]
    assert [one.poison(place) is None for place in places] == [True, True, False]
    assert one.poison(places[0]) is not None


def test_poison_in_a_row_stops_the_lane() -> None:
    one = breaker()
    assert [one.poison(new()) is None for _ in range(3)] == [True, True, False]


def test_a_healthy_batch_breaks_the_row() -> None:
    one = breaker()
    for _ in range(10):
        assert one.poison(new()) is None
        assert one.poison(new()) is None
        one.healthy(5)


def test_a_share_above_the_limit_stops_the_lane_once_the_window_is_full() -> None:
    one = breaker()
    verdicts = []
    for _ in range(9):
        verdicts += [one.poison(new()), one.poison(new())]
        one.healthy(1)
    assert verdicts[0] is None
    assert verdicts[-1] is not None


def test_old_events_leave_the_window() -> None:
    one = breaker()
    for _ in range(2):
        one.poison(new())
    one.healthy(1)
    for _ in range(100):
        one.healthy(10)
    assert one.poison(new()) is None
