"""A whole installation on one machine: Kafka, Postgres, traffic, trouble. Imported by nobody but ops and tests."""
