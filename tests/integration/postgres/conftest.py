"""Fixtures of the Postgres adapter's tests: a fresh ledger for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.installations import Database
from tests.integration.postgres.installed import Installed, install


@pytest.fixture
async def installed(database: Database) -> AsyncIterator[Installed]:
    """A migrated database with a layout."""
    made = await install(database)
    yield made
    await made.close()
