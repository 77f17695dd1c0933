"""Fixtures for all tests: one stack for the session, started when a test first asks; fresh databases and topics.

Where the environment names servers (CROUPIER_KAFKA_BOOTSTRAP and both DSNs) these are used, else the embedded stack;
with CROUPIER_TEST_SECURED=1 that one in its secured form (`make test-secure`).
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable

import hypothesis
import pytest

from processor.devstack.embedded import EmbeddedStack
from processor.devstack.stack import KAFKA_BOOTSTRAP, ExternalStack, Stack, security_of
from tests.installations import Database, Topics, drop, make_database, make_template, make_topics

DatabaseFactory = Callable[[], Awaitable[Database]]
TopicsFactory = Callable[[int], Awaitable[Topics]]

SECURED = os.environ.get("CROUPIER_TEST_SECURED") == "1"

# Machines are noisy: no example has a deadline, and none is too slow. `make model` loads the second profile.
hypothesis.settings.register_profile(
    "default", deadline=None, print_blob=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile(
    "model", parent=hypothesis.settings.get_profile("default"), max_examples=10_000
)
hypothesis.settings.load_profile("default")


@pytest.fixture(scope="session")
async def stack() -> AsyncIterator[Stack]:
    """The session's Kafka and Postgres: shared by all tests, so nobody may stop or break them."""
    chosen: Stack = ExternalStack.named_in(os.environ) or EmbeddedStack(secure=SECURED)
    await chosen.start()
    yield chosen
    await chosen.stop()


@pytest.fixture(scope="module")
async def own_stack() -> AsyncIterator[EmbeddedStack]:
    """An embedded stack for one module's tests, which may kill and freeze its servers."""
    async with EmbeddedStack() as own:
        yield own


@pytest.fixture(scope="session")
async def secured(stack: Stack) -> AsyncIterator[EmbeddedStack]:
    """A stack whose doors are shut: the session's own, where it is such a one."""
    if isinstance(stack, EmbeddedStack) and SECURED:
        yield stack
        return
    async with EmbeddedStack(secure=True) as own:
        yield own


@pytest.fixture(scope="session")
async def template(stack: Stack) -> AsyncIterator[str]:
    """The name of a migrated database to copy from."""
    name = await make_template(stack)
    yield name
    await drop(stack, name)


@pytest.fixture
async def databases(stack: Stack, template: str) -> AsyncIterator[DatabaseFactory]:
    """Makes as many fresh migrated databases as a test wants."""
    made: list[Database] = []

    async def make() -> Database:
        made.append(await make_database(stack, template))
        return made[-1]

    yield make
    for one in made:
        await drop(stack, one.name)


@pytest.fixture
async def database(databases: DatabaseFactory) -> Database:
    """One fresh migrated database."""
    return await databases()


@pytest.fixture
async def empty_database(stack: Stack) -> AsyncIterator[Database]:
    """A database that nobody has migrated."""
    made = await make_database(stack, None)
    yield made
    await drop(stack, made.name)


@pytest.fixture
async def make_test_topics(stack: Stack) -> TopicsFactory:
    """Makes the three topics, with the number of partitions that a test wants."""
    variables = stack.environment()

    async def make(partitions: int) -> Topics:
        return await make_topics(variables[KAFKA_BOOTSTRAP], partitions, security_of(variables))

    return make


@pytest.fixture
async def topics(make_test_topics: TopicsFactory) -> Topics:
    """The three topics with four partitions each."""
    return await make_test_topics(4)
