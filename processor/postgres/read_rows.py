"""From rows to the locked state: what the statements of ``batch_read.sql`` give, put into players and books."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from processor.domain.state import (
    CASH,
    Account,
    BetMark,
    Bonus,
    Books,
    Limit,
    Outcome,
    Parked,
    Player,
    Round,
    Session,
    Told,
)
from processor.domain.usage import Usage

Rows = Iterable[Any]


def player_of(row: Any) -> tuple[Player, int]:
    """A player, and how many of his events are parked; a row of ``players`` may go on with an account."""
    (number, shard, player_id, partition, sequence, parked, blocked, excluded_until, country, zone, jurisdiction,
     tombstones, limits, bonuses) = row[:14]  # fmt: skip
    player = Player(
        player_id,
        number,
        shard,
        partition,
        None,
        sequence,
        blocked,
        excluded_until,
        country,
        zone,
        jurisdiction,
        tombstones,
        () if limits is None else limits_of(limits),
        () if bonuses is None else bonuses_of(bonuses),
    )
    return player, parked


def home_of(stored: int, came_in: int, shards: int) -> int:
    """Where a player lives of whom the partitions were multiplied: where he came in now, if that keeps him in his shard
    (the new number of partitions is a multiple of the old one); else where he lived, and this event went astray."""
    lived_in = -1 - stored
    return came_in if came_in % shards == lived_in % shards else lived_in


def put_account(
    player: Player,
    account_number: int,
    currency: str,
    pool: str,
    balance: str,
    version: int,
    usage: str | None,
) -> None:
    """An account, and with it its currency; they come in the order in which the currencies were opened."""
    counted = None if usage is None else Usage.of(usage)
    player.accounts[(currency, pool)] = Account(
        currency, pool, int(balance), version, account_number, False, counted
    )
    if currency not in player.currencies:
        player.currencies.append(currency)


@lru_cache(maxsize=1024)
def limits_of(text: str) -> tuple[Limit, ...]:
    """A player's limits, as `write_rows.limits_text` has written them."""
    return tuple(
        Limit(name, period, currency, value, raised_to, None if at is None else datetime.fromisoformat(at))
        for name, period, currency, value, raised_to, at in json.loads(text)
    )


@lru_cache(maxsize=1024)
def bonuses_of(text: str) -> tuple[Bonus, ...]:
    """A player's bonuses, as `write_rows.bonuses_text` has written them."""
    return tuple(Bonus(*parts) for parts in json.loads(text))


def put_queues(rows: Rows, players: Mapping[int, Player]) -> list[tuple[Player, Parked]]:
    """Parked events, in the order of their queues; also as one list."""
    found = []
    for (number, parked_number, provider, position, transaction_id, partition, offset, broker_time, key, value,
         header_names, header_values, reason, awaits, attempts, parked_at, next_attempt_at, expires_at,
         last_error) in rows:  # fmt: skip
        player = players[number]
        parked = Parked(
            player.player_id,
            provider,
            transaction_id,
            partition,
            offset,
            broker_time,
            key,
            value,
            tuple(
                (name.decode("utf-8", "surrogateescape"), value)
                for name, value in zip(header_names, header_values, strict=True)
            ),
            reason,
            awaits,
            attempts,
            parked_at,
            next_attempt_at,
            expires_at,
            last_error,
            parked_number,
            position,
        )
        player.queues.setdefault(provider, []).append(parked)
        found.append((player, parked))
    return found


def outcome_of(row: Any, player_id: str) -> Outcome:
    """A stored decision of that player, whole but for its metadata."""
    (provider, key, transaction_id, _, type_, code, wallet_transaction_id, currency, amount_minor, amount_text,
     game_id, round_id, session_id, reference, kind, own, moved_minor, moved_currency, split, details, sequence,
     partition, offset, decided_at, broker_time) = row  # fmt: skip
    moved = int(moved_minor)
    return Outcome(
        provider,
        key,
        transaction_id,
        player_id,
        type_,
        code,
        wallet_transaction_id,
        currency,
        None if amount_minor is None else int(amount_minor),
        amount_text,
        game_id,
        round_id,
        session_id,
        reference,
        kind,
        () if own is None else tuple((name, text) for name, text in json.loads(own)),
        moved,
        moved_currency,
        split_of(split, moved),
        None if details is None else json.loads(details),
        sequence,
        partition,
        offset,
        decided_at,
        broker_time=broker_time,
    )


def split_of(stored: str | None, moved_minor: int) -> dict[str, int]:
    """The split by pool; what is not stored is all cash."""
    if stored is not None:
        found: dict[str, int] = json.loads(stored)
        return found
    return {CASH: moved_minor} if moved_minor else {}


def put_bet_marks(rows: Rows, players: Mapping[int, Player]) -> None:
    """What has happened to bets."""
    for number, provider, key, rolled_back, wins, game_wins, won, refunded, otherwise in rows:
        players[number].bets[(provider, key)] = BetMark(
            provider,
            key,
            rolled_back,
            wins,
            game_wins,
            int(won),
            int(refunded),
            None if otherwise is None else json.loads(otherwise),
            stored=True,
        )


def put_rounds(rows: Rows, players: Mapping[int, Player]) -> None:
    """Rounds of play."""
    for (number, provider, round_id, game_id, currency, opened_at, closed_at, bets, rolled_back, wins, staked,
         won, also) in rows:  # fmt: skip
        players[number].rounds[(provider, round_id)] = Round(
            provider,
            round_id,
            game_id,
            currency,
            opened_at,
            closed_at,
            bets,
            rolled_back,
            wins,
            int(staked),
            int(won),
            None
            if also is None
            else {currency: (taken, paid) for currency, (taken, paid) in json.loads(also).items()},
            stored=True,
        )


def put_good_sessions(rows: Rows, players: Mapping[int, Player]) -> None:
    """What a stake must know of sessions, and no more."""
    for number, session_id, currency, opened, expires, closed, replaced in rows:
        players[number].sessions[session_id] = Session(
            session_id, "", "", currency, None, opened, expires, closed, replaced, stored=True, whole=False
        )


def put_sessions(rows: Rows, players: Mapping[int, Player]) -> None:
    """Play sessions; one that is there already stays, unless only half of it is."""
    for number, session_id, provider, channel, currency, game_id, opened, expires, closed, replaced in rows:
        sessions = players[number].sessions
        if session_id in sessions and sessions[session_id].whole:
            continue
        sessions[session_id] = Session(
            session_id, provider, channel, currency, game_id, opened, expires, closed, replaced, stored=True
        )


def put_repairs(books: Books, rows: Rows, pools: Rows, players: Mapping[int, Player]) -> None:
    """Decisions that are to be told again. Several ids of one sequence count together."""
    for *columns, batch in rows:
        owner = players[columns[3]]
        outcome = outcome_of(columns, owner.player_id)
        name = (owner.player_id, outcome.sequence)
        if name in books.repairs:
            books.repairs[name].actions += 1
        else:
            books.repairs[name] = Told(outcome, batch, {})
    for number, sequence, currency, pool, balance in pools:
        told = books.repairs.get((players[number].player_id, sequence))
        if told is not None:
            told.pools[currency, pool] = int(balance)
