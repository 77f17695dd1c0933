"""Discrepancies: transfers out whose provider told another balance than the wallet's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from processor.postgres.desk.desk import Desk


class Place(NamedTuple):
    """Where a page ends: the next one begins behind it."""

    decided_at: datetime
    player_id: str
    sequence: int


@dataclass(frozen=True, slots=True)
class DiscrepancyFilter:
    """Which discrepancies; None asks for all. ``after`` is the place of the last one of the page before."""

    provider: str | None = None
    player_id: str | None = None
    since: datetime | None = None
    after: Place | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One transfer out that told another balance.

    ``reported`` is the text the provider sent; ``held_minor`` what the game wallet held before it. Where the
    provider's figure was booked, ``settled_minor`` is the difference from the player's side; None: it was refused.
    """

    place: Place
    provider: str
    transaction_id: str
    code: str
    currency: str
    reported: str
    held_minor: int
    settled_minor: int | None


async def discrepancies(desk: Desk, wanted: DiscrepancyFilter) -> list[Discrepancy]:
    """A page, newest first."""
    after = wanted.after or (None, None, None)
    rows = await desk.fetch(
        "desk_discrepancies",
        "discrepancies",
        wanted.provider,
        wanted.player_id,
        wanted.since,
        *after,
        wanted.limit,
    )
    return [
        Discrepancy(
            Place(decided_at, player_id, sequence),
            provider,
            transaction_id,
            code,
            currency,
            dict(json.loads(own))["reported_balance"],
            int(held_minor or 0),
            None if settled_minor is None else int(settled_minor),
        )
        for decided_at, player_id, sequence, provider, transaction_id, code, currency, own, held_minor,
        settled_minor in rows
    ]  # fmt: skip
