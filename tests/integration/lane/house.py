"""A worker inside the test's own process, on real servers: events in, results out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from processor.bootstrap import serve
from processor.kafka.producing import EventSender
from processor.kafka.tailing import TopicRecord, read_to_end
from processor.lane.observer import SilentObserver
from processor.ports import StepHook
from processor.postgres.reference import replace_documents
from processor.settings import Settings
from tests.installations import Database, Topics

NOW = "2026-11-22T10:00:00Z"


class Loud(SilentObserver):
    """Says on standard output what goes wrong, so that a failing test tells it."""

    def retrying(self, lane: int, error: BaseException, attempt: int) -> None:
        print(f"lane {lane} tries again ({attempt}): {error!r}")  # noqa: T201  # a failing test shows what it prints

    def recovering(self, lane: int, why: str) -> None:
        print(f"lane {lane} recovers: {why}")  # noqa: T201  # a failing test shows what it prints

    def fenced(self, lane: int, why: str) -> None:
        print(f"lane {lane} is fenced: {why}")  # noqa: T201  # a failing test shows what it prints

    def stopped(self, lane: int, reason: str) -> None:
        print(f"lane {lane} stopped: {reason}")  # noqa: T201  # a failing test shows what it prints

    def poison(self, lane: int, partition: int, offset: int, error: BaseException) -> None:
        print(f"lane {lane}: {partition}/{offset} is poison: {error!r}")  # noqa: T201  # a failing test shows what it prints


@dataclass
class House:
    """One installation: its settings, and what a test says to it."""

    settings: Settings
    database: Database
    task: asyncio.Task[None] | None = None

    async def send(self, *events: Mapping[str, Any]) -> None:
        """Publish events, in order, each keyed by its player."""
        async with EventSender(self.settings) as sender:
            for event in events:
                await sender.send_and_wait(orjson.dumps(event), key=str(event["player_id"]).encode())

    async def send_raw(self, key: bytes | None, value: bytes | None, **more: Any) -> None:
        """Publish bytes as they are."""
        async with EventSender(self.settings) as sender:
            await sender.send_and_wait(value, key=key, **more)

    async def results(self) -> list[dict[str, Any]]:
        """All committed results so far."""
        return [
            orjson.loads(record.value or b"") for record in await self.records(self.settings.results_topic)
        ]

    async def records(self, topic: str) -> list[TopicRecord]:
        """All committed records of a topic."""
        return [record async for record in read_to_end(self.settings, topic)]

    async def wait_for(self, count: int, *, topic: str | None = None) -> list[TopicRecord]:
        """The records of a topic (the results' by default), once there are so many."""
        while len(found := await self.records(topic or self.settings.results_topic)) < count:
            if self.task is not None and self.task.done():
                self.task.result()
            await asyncio.sleep(0.05)
        return found

    @asynccontextmanager
    async def worker(
        self, *, hook: StepHook | None = None, observer: SilentObserver | None = None, **changes: Any
    ) -> AsyncIterator[None]:
        """A worker that serves within the block, and drains at its end."""
        stopping = asyncio.Event()
        settings = self.settings.model_copy(update=changes)
        self.task = asyncio.create_task(
            serve(settings, stopping=stopping, hook=hook, observer=observer or Loud())
        )
        try:
            yield
        finally:
            stopping.set()
            await self.task


async def make_house(database: Database, topics: Topics, **changes: Any) -> House:
    """An installation with the provider ``acme`` (no session needed)."""
    settings = Settings.model_validate(
        {
            "kafka_bootstrap": topics.bootstrap,
            "events_topic": topics.events,
            "results_topic": topics.results,
            "dead_letters_topic": topics.dead_letters,
            "group": topics.group,
            "app": topics.app,
            "partitions": topics.partitions,
            "lanes": 2,
            "session_timeout_seconds": 6,
            "postgres_dsn": database.worker_dsn,
            "postgres_migrator_dsn": database.migrator_dsn,
            **changes,
        }
    )
    await replace_documents(
        database.migrator_dsn, "providers", {"acme": {"require_session": False}}, actor="test", why="test"
    )
    return House(settings, database)


def open_player(player: str, currency: str = "EUR") -> dict[str, Any]:
    """The operator opens a player."""
    return _event("open_player", f"open-{player}-{currency}", player, provider="operator", currency=currency)


def deposit(player: str, amount: str, number: int = 1, currency: str = "EUR") -> dict[str, Any]:
    """The cashier books money in."""
    named = f"deposit-{player}-{number}"
    return _event("deposit", named, player, provider="cashier", currency=currency, amount=amount)


def bet(player: str, named: str, amount: str, **more: Any) -> dict[str, Any]:
    """A stake at acme."""
    return _event(
        "bet", named, player, currency="EUR", amount=amount, game_id="g", **{"round_id": f"r-{named}", **more}
    )


def win(player: str, named: str, reference: str, amount: str, **more: Any) -> dict[str, Any]:
    """A win of that bet."""
    round_id = more.pop("round_id", f"r-{reference}")
    return _event(
        "win",
        named,
        player,
        currency="EUR",
        amount=amount,
        game_id="g",
        round_id=round_id,
        reference=reference,
        **more,
    )


def rollback(player: str, named: str, reference: str) -> dict[str, Any]:
    """The bet never happened."""
    return _event("rollback", named, player, reference=reference)


def _event(type_: str, named: str, player: str, *, provider: str = "acme", **more: Any) -> dict[str, Any]:
    return {
        "type": type_,
        "provider": provider,
        "transaction_id": named,
        "player_id": player,
        "occurred_at": NOW,
        **more,
    }


def codes(results: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Transaction id to code."""
    return {result["transaction_id"]: result["code"] for result in results}
