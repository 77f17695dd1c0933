"""Two lanes meet: one id from two players, at the same moment."""

from __future__ import annotations

import asyncio

import orjson

from processor.kafka.producing import partition_for
from processor.lane.observer import SilentObserver
from processor.lane.steps import Step
from tests.installations import Database, Topics
from tests.integration.lane.house import bet, deposit, make_house, open_player


class Retries(SilentObserver):
    """Remembers what was tried again."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def retrying(self, lane: int, error: BaseException, attempt: int) -> None:
        self.errors.append(type(error).__name__)


class BothHaveLoaded:
    """Holds two batches after step 5, until both have read that the id is unknown."""

    def __init__(self) -> None:
        self.barrier: asyncio.Barrier | None = None

    async def __call__(self, step: int, when: str, seq: int) -> None:
        barrier = self.barrier
        if barrier is not None and (step, when) == (Step.LOAD, "after"):
            await barrier.wait()
            self.barrier = None


async def test_one_id_from_two_players_in_two_lanes_is_taken_once_and_the_second_conflicts(
    database: Database, topics: Topics
) -> None:
    house = await make_house(database, topics)
    first, second = (_player_of_lane(lane, topics.partitions) for lane in (0, 1))
    await house.send(open_player(first), deposit(first, "9.00"), open_player(second), deposit(second, "9.00"))
    hook, observer = BothHaveLoaded(), Retries()
    async with house.worker(hook=hook, observer=observer):
        await house.wait_for(4)
        hook.barrier = asyncio.Barrier(2)
        await house.send(bet(first, "b-1", "1.00"), bet(second, "b-1", "1.00"))
        records = await house.wait_for(6)
    codes = [orjson.loads(record.value or b"")["code"] for record in records]
    assert sorted(codes) == ["CONFLICT", "OK", "OK", "OK", "OK", "OK"]
    assert "LaneRace" in observer.errors


def _player_of_lane(lane: int, partitions: int) -> str:
    """A player id whose key's partition is of this lane (there are two)."""
    return next(
        name
        for name in map("p-{}".format, range(100))
        if partition_for(name.encode(), partitions) % 2 == lane
    )
