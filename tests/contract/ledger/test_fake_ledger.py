"""The ledger in memory keeps the same behaviour suite, so that tests of the lane may trust it."""

from __future__ import annotations

import pytest

from tests.contract.ledger.behaviour import BatchBehaviour, LeaseBehaviour, NewLedger, QueueBehaviour
from tests.contract.ledger.bookkeeper import LANES, SHARDS
from tests.fakes.ledger import FakeLedger, FakeStore


@pytest.fixture
def new_ledger() -> NewLedger:
    store = FakeStore()

    def make() -> FakeLedger:
        return FakeLedger(store, lanes=LANES, shards=SHARDS)

    return make


class TestFakeLease(LeaseBehaviour):
    """In memory."""


class TestFakeBatch(BatchBehaviour):
    """In memory."""


class TestFakeQueue(QueueBehaviour):
    """In memory."""
