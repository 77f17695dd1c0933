"""Reading a topic in a block: its consumer is closed when the block is left, however it is left."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from processor.kafka.tailing import TopicRecord


@asynccontextmanager
async def reading(records: AsyncIterator[TopicRecord]) -> AsyncIterator[AsyncIterator[TopicRecord]]:
    """The records of `kafka.tailing.follow` or `read_to_end`, closed at the end of the block."""
    try:
        yield records
    finally:
        await cast("AsyncGenerator[TopicRecord, None]", records).aclose()
