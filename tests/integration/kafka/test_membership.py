"""A consumer whose membership is beyond repair is replaced, and its lanes come back."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka.errors import GroupAuthorizationFailedError

from processor.settings import Settings
from tests.integration.kafka.conftest import ReaderFactory
from tests.integration.kafka.helpers import eventually, fetch_exactly, send_events


async def _fail() -> None:
    raise GroupAuthorizationFailedError("taken away for a minute")


@pytest.mark.parametrize("task", ["_heartbeat_task", "_coordination_task"])
async def test_a_membership_that_aiokafka_gives_up_is_taken_up_again(
    settings: Settings, start_reader: ReaderFactory, task: str
) -> None:
    await send_events(settings, 0, [b"a"])
    reader, heard = await start_reader()
    consumer = reader._membership.consumer
    assert consumer is not None
    assert reader.problem() is None
    await _break(consumer._coordinator, task)
    assert "GroupAuthorizationFailed" in (reader.problem() or "")
    await eventually(lambda: reader.problem() is None and len(reader.assigned()) == 4)
    assert reader._membership.consumer is not consumer
    assert heard.heard.count(("assigned", [0, 1, 2, 3])) == 2
    reader.seek(0, 0)
    assert [one.value for one in await fetch_exactly(reader, [0], 1)] == [b"a"]


@pytest.mark.parametrize("task", ["_fetch_task", "_sync_task"])
async def test_a_consumer_that_reads_nothing_any_more_is_replaced(
    settings: Settings, start_reader: ReaderFactory, task: str
) -> None:
    """Its group takes it for well, and it would keep its lanes for ever."""
    reader, _ = await start_reader()
    consumer = reader._membership.consumer
    assert consumer is not None
    await _break(consumer._fetcher if task == "_fetch_task" else consumer._client, task)
    assert "GroupAuthorizationFailed" in (reader.problem() or "")
    await eventually(lambda: reader.problem() is None and len(reader.assigned()) == 4)
    assert reader._membership.consumer is not consumer
    await send_events(settings, 0, [b"a"])
    reader.seek(0, 0)
    assert [one.value for one in await fetch_exactly(reader, [0], 1)] == [b"a"]


async def _break(owner: object, name: str) -> None:
    """End one of a consumer's tasks with an error that it does not know."""
    running: asyncio.Task[None] = getattr(owner, name)
    failed = asyncio.create_task(_fail())
    await asyncio.wait({failed})
    setattr(owner, name, failed)
    running.cancel()
    await asyncio.wait({running})
