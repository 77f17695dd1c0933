"""What was decided for a player: pages of decisions with their legs, newest first, and the whole story of a round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from processor.postgres.desk.desk import Desk

_FILE = "desk_history"


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
    """One decided transaction id. ``moved_minor`` is signed from the player's side, in ``moved_currency``.

    The legs of an event with several ids (a batch) stand with the first of them.
    """

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


async def history(desk: Desk, wanted: HistoryFilter) -> list[Transaction] | None:
    """A page of a player's decisions, newest first; None where the player is not known.

    It is longer than the limit only to hold all decisions of its last sequence.
    """
    player = await desk.one("desk_money", "player", wanted.player_id)
    if player is None:
        return None
    rows = await desk.fetch(
        _FILE,
        "page",
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
    return await _with_legs(desk, player["number"], rows)


async def story(desk: Desk, player: int, provider: str, round_id: str) -> list[Transaction]:
    """Everything that was decided for a round, oldest first; ``player`` is the ledger's own number.

    Also what does not name the round and refers to something in it, such as a rollback.
    """
    found = await desk.fetch(_FILE, "sequences_of_round", player, provider, round_id)
    rows = await desk.fetch(_FILE, "decisions", player, [row["sequence"] for row in found])
    return await _with_legs(desk, player, rows)


async def _with_legs(desk: Desk, player: int, rows: Sequence[Any]) -> list[Transaction]:
    made = [_transaction(row) for row in rows]
    if not made:
        return made
    first_of: dict[int, Transaction] = {}
    for one in made:
        first_of.setdefault(one.sequence, one)
    times = [one.decided_at for one in made]
    for leg in await desk.fetch(_FILE, "legs", player, list(first_of), min(times), max(times)):
        first_of[leg["sequence"]].legs.append(Leg(*leg)._replace(amount_minor=int(leg["amount_minor"])))
    return made


def _transaction(row: tuple[object, ...]) -> Transaction:
    made = Transaction(*row)  # type: ignore[arg-type]  # the statement's columns are the fields, in order
    made.wallet_transaction_id = str(made.wallet_transaction_id)
    made.moved_minor = int(made.moved_minor)
    return made
