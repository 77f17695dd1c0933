"""The ledger in Postgres: the only room that says asyncpg. Statements live in ``sql/*.sql``, the schema in migrations."""
