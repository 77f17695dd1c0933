"""A result that the topic lost is told again by its lane, from what is stored, as it was; and nothing else changes."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from processor.lane.work import REPAIR, REPAIRED, Item, Position
from processor.ports import LaneRequest, OutRecord
from tests.unit.lane.test_apply import apply, start_of
from tests.unit.lane.world import World, bet


@pytest.fixture
def world() -> World:
    return World()


async def asked(world: World, sequence: int, player: str = "p-1") -> list[OutRecord]:
    """What lane 0 publishes for one request."""
    row = world.store.lanes[1, 0]
    items: list[Item] = [LaneRequest(1, REPAIR, sequence, player, 0, "eva", "the topic lost it")]
    batches, position = world.batches(0), Position.of(row)
    applied = [batch async for batch in batches.apply(items, position, lambda: False)]
    return [record for batch in applied for record in batch.records]


def body(record: OutRecord) -> Any:
    return orjson.loads(record.value or b"")


@pytest.mark.parametrize("sequence", [1, 2, 3, 4])
async def test_a_lost_result_is_told_again_as_it_was(world: World, sequence: int) -> None:
    events = [
        *start_of("p-1"),
        bet("p-1", "b-1", "2.50"),
        bet("p-1", "b-2", "900.00"),
        bet("p-1", "b-3", "1.00"),
    ]
    published = await apply(world, *events)
    (again,) = await asked(world, sequence)
    lost = published[sequence - 1]
    assert body(again) == body(lost)
    assert (again.topic, again.partition, again.key) == (lost.topic, lost.partition, lost.key)
    headers = dict(again.headers)
    assert REPAIRED in headers
    assert headers["wallet-batch"] == b"1/0/2"
    assert headers["ce_id"] == dict(lost.headers)["ce_id"]
    assert world.store.requests_done == [(1, "told again")]
    assert world.store.balance_minor("p-1", "EUR") == 9650


async def test_a_decision_that_there_is_not_is_not_told(world: World) -> None:
    await apply(world, *start_of("p-1"))
    assert await asked(world, 9) == []
    assert world.store.requests_done == [(1, "not found")]
