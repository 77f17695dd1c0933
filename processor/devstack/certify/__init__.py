"""Plays acceptance cases through Kafka against a running installation: passed, failed, not played."""
