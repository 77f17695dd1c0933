"""What must hold before a worker starts: servers answer, database migrated, topics right, lane layout right."""

from __future__ import annotations

import asyncio

from processor.errors import LayoutDiffers
from processor.kafka.topics import check_topics, require_kafka
from processor.ports import Layout
from processor.postgres.layout_store import PostgresLayoutStore
from processor.settings import Settings


async def check_installation(settings: Settings) -> None:
    """Refuse, in one sentence, an installation that a worker must not start on.

    Raises `KafkaUnreachable`, `PostgresUnreachable`, `NotMigrated`, `TopicMissing`, `TopicDiffers`,
    `LayoutDiffers`.
    """
    await require_kafka(settings)
    layout = await stored_layout(settings)
    if layout is not None:
        refuse_other_layout(settings, layout)
    await check_topics(settings, layout.partitions if layout is not None else settings.partitions)


async def stored_layout(settings: Settings) -> Layout | None:
    """The lane layout that the database holds, None before the first worker. Raises as `check_installation`."""
    store = PostgresLayoutStore(settings.postgres_dsn.get_secret_value())
    try:
        return await store.current()
    finally:
        await asyncio.shield(store.close())


def refuse_other_layout(settings: Settings, layout: Layout) -> None:
    """Raise `LayoutDiffers` where this worker's settings are not those of the stored layout."""
    asked = {
        "CROUPIER_LANES": (settings.lanes, layout.lanes),
        "CROUPIER_EVENTS_TOPIC": (settings.events_topic, layout.topic),
        "CROUPIER_SHARDS": (settings.shards, layout.shards),
    }
    wrong = [
        f"{name} is {ours!r}, stored is {stored!r}"
        for name, (ours, stored) in asked.items()
        if ours != stored
    ]
    if wrong:
        raise LayoutDiffers(
            f"The lane layout {layout.number} of this database is another: {'; '.join(wrong)}. "
            "Start the worker with the stored values; only `croupier lanes resize` changes a layout."
        )
