"""What a login could do to the books, for production mode: it must be nothing but to add to them."""

from __future__ import annotations

from processor.postgres.connection import opened
from processor.postgres.statements import statements


async def ways_to_alter_the_books(dsn: str) -> tuple[str, list[str]]:
    """The role that a DSN logs in as, and each way in which it could alter or delete entries (``is a superuser``).

    Raises `errors.PostgresUnreachable`, `errors.NotMigrated`.
    """
    async with opened(dsn) as connection:
        role = await connection.fetchval(statements("rights")["role"])
        return str(role), [row["way"] for row in await connection.fetch(statements("rights")["excess"])]
