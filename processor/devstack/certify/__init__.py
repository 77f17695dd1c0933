"""Plays acceptance cases through Kafka against a running installation, and says of each: passed, failed, not covered."""
