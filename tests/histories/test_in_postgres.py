"""The same histories through Postgres: byte for byte what the ledger in memory says, and books that are proved."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings

from processor.postgres.audit import audit
from tests.fakes.ledger import FakeLedger, FakeStore
from tests.histories.events import History, histories
from tests.histories.playing import Stage, known_of
from tests.installations import Database
from tests.integration.postgres.installed import install


@dataclass
class Both:
    """One lane in memory and one in Postgres, on which all histories are played, each under names of its own."""

    in_memory: Stage
    in_postgres: Stage
    numbers: count[int] = field(default_factory=lambda: count(1))

    async def compare(self, history: History) -> None:
        prefix = f"h{next(self.numbers)}-"
        expected = await self.in_memory.play(history, prefix)
        assert await self.in_postgres.play(history, prefix) == expected
        known = await known_of(self.in_memory.ledger, prefix)
        assert await known_of(self.in_postgres.ledger, prefix) == known


@pytest.fixture
async def both(database: Database) -> AsyncIterator[Both]:
    """Both lanes; once all histories are played, the books are proved."""
    installed = await install(database)
    yield Both(Stage(FakeLedger(FakeStore(), shards=4)), Stage(installed.ledger()))
    await installed.close()
    report = await audit(database.worker_dsn)
    assert [proof.fault for proof in report.proofs if proof.fault] == []


@pytest.mark.model
@settings(
    max_examples=max(50, settings().max_examples // 20),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(history=histories())
async def test_postgres_says_what_memory_says_and_its_books_are_proved(both: Both, history: History) -> None:
    await both.compare(history)
