"""Who could alter the books is what Postgres itself says: the worker cannot, and whoever can is named with the way."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from processor.bootstrap import refuse_unsafe_production
from processor.errors import UnsafeProduction
from processor.postgres.rights import ways_to_alter_the_books
from processor.settings import Settings
from tests.installations import Database


def production(dsn: str) -> Settings:
    return Settings.model_validate(
        {
            "environment": "production",
            "signing": "required",
            "keys_directory": "/keys",
            "kafka_security_protocol": "SASL_SSL",
            "kafka_sasl_username": "u",
            "kafka_sasl_password": "p",
            "postgres_dsn": dsn,
        }
    )


async def test_the_worker_can_only_add_to_the_books(database: Database) -> None:
    role, ways = await ways_to_alter_the_books(database.worker_dsn)
    assert (role, ways) == ("croupier_worker", [])


async def test_the_owner_is_refused_as_a_worker_in_production(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    role, ways = await ways_to_alter_the_books(database.migrator_dsn)
    assert f"can become {role}, who owns the books" in ways
    assert "may delete in entries" in ways
    monkeypatch.setattr("processor.production.is_encrypted", lambda dsn: True)
    await refuse_unsafe_production(production(database.worker_dsn))
    with pytest.raises(UnsafeProduction, match=f"role {role} could alter or delete entries"):
        await refuse_unsafe_production(production(database.migrator_dsn))


@pytest.mark.parametrize(
    ("grant", "way"),
    [
        ("UPDATE (amount_minor) ON croupier.entries", "may update in entries"),
        ("DELETE ON croupier.outcomes_3", "may delete in outcomes_3"),
        ("TRUNCATE ON croupier.seals", "may truncate in seals"),
        ("UPDATE ON croupier.operator_actions", "may update in operator_actions"),
    ],
)
async def test_a_right_too_many_is_found(database: Database, grant: str, way: str) -> None:
    connection = await asyncpg.connect(database.migrator_dsn)
    try:
        await connection.execute(f"GRANT {grant} TO croupier_worker")
    finally:
        await asyncio.wait_for(connection.close(), 10)
    assert (await ways_to_alter_the_books(database.worker_dsn))[1] == [way]
