"""A database that does not let us in is told apart: in one sentence, with what to look at, and no password in it."""

from __future__ import annotations

import pytest

from processor.devstack.databases import dsn
from processor.errors import PostgresUnreachable
from processor.postgres.connection import opened
from tests.installations import Database


async def refusal(any_dsn: str) -> str:
    """What is told of a connection that does not come about."""
    with pytest.raises(PostgresUnreachable) as refused:
        async with opened(any_dsn):
            pass
    assert refused.value.exit_code == 3
    return str(refused.value)


async def test_a_wrong_password_is_called_one(database: Database) -> None:
    port = int(database.worker_dsn.rsplit(":", 1)[1].split("/")[0])
    told = await refusal(dsn("croupier_worker", "not-the-password", port, database.name))
    assert "check the user and the password in the DSN" in told
    assert "not-the-password" not in told


async def test_a_server_without_tls_is_called_one_where_the_dsn_asks_for_it(database: Database) -> None:
    if "ssl" in database.worker_dsn:
        pytest.skip("this stack has TLS")
    told = await refusal(f"{database.worker_dsn}?sslmode=require")
    assert "turn it on (ssl = on) there" in told
