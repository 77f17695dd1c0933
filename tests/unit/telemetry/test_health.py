"""Liveness is that loops turn; readiness is that every assigned lane can work."""

from __future__ import annotations

from processor.telemetry.health import Health


class Seconds:
    """A monotonic clock that a test turns."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def make() -> tuple[Health, Seconds]:
    seconds = Seconds()
    return Health(stall_seconds=10, monotonic=seconds), seconds


def test_a_worker_without_lanes_is_alive_and_not_ready() -> None:
    health, _ = make()
    assert health.live().good
    assert not health.readiness().good


def test_a_worker_that_got_no_partitions_is_ready_to_stand_by() -> None:
    health, _ = make()
    health.rebalanced(0)
    assert health.readiness().good


def test_partitions_without_lanes_yet_are_not_ready() -> None:
    health, _ = make()
    health.rebalanced(4)
    assert health.readiness().body["reasons"] == {"worker": "its lanes are starting"}


def test_one_lane_that_waits_makes_the_worker_unready_and_says_why() -> None:
    health, _ = make()
    health.rebalanced(2)
    for lane in (0, 1):
        health.turned(lane)
        health.ready(lane, True, "")
    assert health.readiness().good
    health.ready(1, False, "Postgres is away")
    verdict = health.readiness()
    assert not verdict.good
    assert verdict.body["reasons"] == {"lane 1": "Postgres is away"}


def test_a_loop_that_turns_is_alive_though_it_is_not_ready() -> None:
    health, seconds = make()
    health.turned(0)
    health.ready(0, False, "Postgres is away")
    for _ in range(5):
        seconds.now += 9
        health.turned(0)
        assert health.live().good


def test_a_loop_that_hangs_is_not_alive() -> None:
    health, seconds = make()
    health.turned(0)
    health.turned(1)
    seconds.now += 9
    health.turned(1)
    seconds.now += 2
    verdict = health.live()
    assert not verdict.good
    assert verdict.body["stalled_seconds"] == {"0": 11.0}


def test_a_lane_that_was_put_down_need_not_turn() -> None:
    health, seconds = make()
    health.turned(0)
    health.left(0)
    seconds.now += 1000
    assert health.live().good


def test_a_lane_that_stopped_itself_is_unready_but_alive() -> None:
    health, seconds = make()
    health.rebalanced(1)
    health.turned(0)
    health.ready(0, True, "")
    health.stopped(0, "the receipt is ahead of the ledger")
    seconds.now += 1000
    assert health.live().good
    assert health.readiness().body["reasons"] == {"lane 0": "the receipt is ahead of the ledger"}


def test_trouble_of_the_worker_itself_is_told_apart_from_lanes() -> None:
    health, seconds = make()
    health.rebalanced(0)
    health.ready(-1, False, "Postgres is away")
    seconds.now += 1000
    assert health.live().good
    assert health.readiness().body == {
        "ready": False,
        "lanes": [],
        "partitions": 0,
        "reasons": {"worker": "Postgres is away"},
    }
