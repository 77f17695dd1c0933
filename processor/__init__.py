"""Croupier: wallet events in from Kafka, an exactly-once double-entry ledger in Postgres, results out."""
