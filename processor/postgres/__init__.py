"""The ledger in Postgres: the only room that says asyncpg. All SQL is in ``sql/`` and ``migrations/``."""
