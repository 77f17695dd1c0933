"""What the results audit compares the topics with: each decision's place, each batch's seal, as streams."""

from __future__ import annotations

from collections.abc import AsyncIterator

from processor.postgres.desk.desk import Desk

_FILE = "desk_results"


async def published(desk: Desk) -> dict[tuple[int, int], int]:
    """(layout, lane) to the last batch that Kafka is known to hold."""
    return {(layout, lane): seq for layout, lane, seq in await desk.fetch(_FILE, "published")}


async def batches(desk: Desk) -> AsyncIterator[tuple[int, int, int, str, int]]:
    """(layout, lane, seq, seal in hex, outcomes and dead letters in it) of every batch, in order."""
    async for layout, lane, seq, seal, publishes in desk.stream(_FILE, "batches"):
        yield layout, lane, seq, seal, publishes


async def outcomes(desk: Desk) -> AsyncIterator[tuple[int, int, int, int, int, str, str, str]]:
    """(layout, lane, seq, event partition, event offset, provider, id, wallet transaction id) of every decision."""
    async for *place, provider, transaction_id, wallet_transaction_id in desk.stream(_FILE, "outcomes"):
        layout, lane, seq, partition, offset = place
        yield layout, lane, seq, partition, offset, provider, transaction_id, str(wallet_transaction_id)
