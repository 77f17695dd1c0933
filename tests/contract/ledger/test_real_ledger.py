"""The ledger in Postgres keeps the behaviour suite."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from processor.postgres.ledger import PostgresLedger
from tests.contract.ledger.behaviour import BatchBehaviour, LeaseBehaviour, NewLedger, QueueBehaviour
from tests.installations import Database
from tests.integration.postgres.installed import Installed, install


@pytest.fixture
async def installed(database: Database) -> AsyncIterator[Installed]:
    made = await install(database)
    yield made
    await made.close()


@pytest.fixture
def new_ledger(installed: Installed) -> NewLedger:
    def make() -> PostgresLedger:
        return installed.ledger()

    return make


class TestRealLease(LeaseBehaviour):
    """In Postgres."""


class TestRealBatch(BatchBehaviour):
    """In Postgres."""


class TestRealQueue(QueueBehaviour):
    """In Postgres."""
