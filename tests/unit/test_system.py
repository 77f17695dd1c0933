"""Identifiers: time-ordered UUIDs of version 7, each above the one before."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from uuid import UUID

from processor.system import RandomIdentifiers

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def test_identifiers_are_uuids_of_version_7_that_tell_their_time() -> None:
    for text in islice(RandomIdentifiers().transaction_ids(NOW), 200):
        one = UUID(text)
        assert (str(one), one.version, one.variant) == (text, 7, "specified in RFC 4122")
        assert one.int >> 80 == int(NOW.timestamp() * 1000)


def test_identifiers_increase_also_past_their_counter() -> None:
    ids = list(islice(RandomIdentifiers().transaction_ids(NOW), 10_000))
    assert ids == sorted(set(ids))
