"""A player's money: balances by pool, and the history of decisions with their legs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from processor.postgres.desk.desk import Desk

_FILE = "desk_money"


class PoolBalance(NamedTuple):
    """One pool of a wallet; ``version`` counts its entries."""

    currency: str
    pool: str
    balance_minor: int
    version: int


class Leg(NamedTuple):
    """One entry: both sides by name, an amount above zero in minor units."""

    sequence: int
    leg: int
    debit: str
    credit: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class HistoryFilter:
    """Which of a player's decisions; None asks for all. ``before`` is the last sequence of the page before."""

    player_id: str
    provider: str | None = None
    type: str | None = None
    code: str | None = None
    round_id: str | None = None
    session_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    limit: int = 50


@dataclass(slots=True)
class Transaction:
    """One decided transaction id. ``moved_minor`` is signed from the player's side, in ``moved_currency``."""

    sequence: int
    decided_at: datetime
    type: str
    provider: str
    transaction_id: str
    wallet_transaction_id: str
    code: str
    kind: str | None
    currency: str | None
    game_id: str | None
    round_id: str | None
    session_id: str | None
    reference: str | None
    moved_minor: int
    moved_currency: str | None
    split: str | None
    event_partition: int
    event_offset: int
    revision: int
    legs: list[Leg] = field(default_factory=list)


async def balances(desk: Desk, player_id: str) -> list[PoolBalance] | None:
    """What a player has; None where the player is not known."""
    player = await desk.one(_FILE, "player", player_id)
    if player is None:
        return None
    rows = await desk.fetch(_FILE, "balances", player["number"])
    return [PoolBalance(currency, pool, int(balance), version) for currency, pool, balance, version in rows]


async def history(desk: Desk, wanted: HistoryFilter) -> list[Transaction] | None:
    """A page of a player's decisions, newest first; None where the player is not known."""
    player = await desk.one(_FILE, "player", wanted.player_id)
    if player is None:
        return None
    rows = await desk.fetch(
        _FILE,
        "history",
        player["number"],
        wanted.before,
        wanted.provider,
        wanted.type,
        wanted.code,
        wanted.round_id,
        wanted.session_id,
        wanted.since,
        wanted.until,
        wanted.limit,
    )
    found = {row["sequence"]: _transaction(row) for row in rows}
    for leg in await desk.fetch(_FILE, "legs", player["number"], list(found)):
        found[leg["sequence"]].legs.append(Leg(*leg)._replace(amount_minor=int(leg["amount_minor"])))
    return list(found.values())


def _transaction(row: tuple[object, ...]) -> Transaction:
    made = Transaction(*row)  # type: ignore[arg-type]  # the statement's columns are the fields, in order
    made.wallet_transaction_id = str(made.wallet_transaction_id)
    made.moved_minor = int(made.moved_minor)
    return made
