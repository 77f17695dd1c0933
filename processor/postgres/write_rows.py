"""From what was decided to columns: one array per column, as the statements of ``batch_write.sql`` take them.

Amounts are written as text with the rest (``cells.py``): they hold 38 digits, more than the driver's integers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any

import orjson

from processor.domain.state import CASH, Account, BetMark, Entry, Outcome, Parked, Player, Round, Session
from processor.ports import DeadLetter
from processor.postgres.cells import storable

Row = tuple[Any, ...]


def outcome_rows(outcomes: Iterable[Outcome], players: Mapping[str, Player]) -> list[Row]:
    """Sorted by key: two lanes that insert the same keys in other orders deadlock."""
    rows = []
    for position, o in enumerate(outcomes):
        player = players[o.player_id]
        rows.append(
            (
                o.provider,
                o.key,
                None if o.transaction_id == o.key else o.transaction_id,
                player.number,
                o.sequence,
                player.shard,
                o.wallet_transaction_id,
                o.type,
                o.code,
                o.currency,
                o.amount_minor,
                o.amount_text,
                o.game_id,
                o.round_id,
                o.session_id,
                o.reference,
                o.kind,
                _json(o.own) if o.own else None,
                o.moved_minor,
                o.moved_currency,
                _split_text(o) if o.split or o.moved_minor else None,
                None if o.details is None else _json(o.details),
                o.partition,
                o.offset,
                position,
            )
        )
    rows.sort(key=_outcome_key)
    return rows


def _json(value: object) -> str:
    """JSON text; integers beyond 64 bits go the slow way, which keeps them exact."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value, default=str)


_outcome_key = itemgetter(0, 1)


def _split_text(outcome: Outcome) -> str | None:
    """JSON, or None where all that moved is cash."""
    split = outcome.split
    if len(split) == 1 and outcome.moved_minor and split.get(CASH) == outcome.moved_minor:
        return None
    return _json(split)


def entry_rows(entries: Iterable[Entry], players: Mapping[str, Player]) -> list[Row]:
    """In the order of decision."""
    rows = []
    for e in entries:
        player = players[e.player_id]
        rows.append(
            (
                player.shard,
                player.number,
                e.sequence,
                e.leg,
                e.provider,
                e.currency,
                e.amount_minor,
                e.debit,
                e.credit,
                e.debit_balance_after_minor,
                e.debit_version,
                e.credit_balance_after_minor,
                e.credit_version,
            )
        )
    return rows


def balance_row(player: Player, account: Account) -> Row:
    """A stored account's new balance and version."""
    return player.shard, account.number, account.balance_minor, account.version


def new_account_row(player: Player, account: Account) -> Row:
    """An account to be stored, with the place of its currency among those the player opened."""
    opened = player.currencies
    place = opened.index(account.currency) if account.currency in opened else len(opened)
    return (
        player.shard,
        player.number,
        account.currency,
        account.pool,
        place,
        account.balance_minor,
        account.version,
    )


def round_row(player: Player, r: Round) -> Row:
    """A round as it is now."""
    return (
        player.shard,
        player.number,
        r.provider,
        r.round_id,
        r.game_id,
        r.currency,
        r.opened_at,
        r.closed_at,
        r.bets,
        r.bets_rolled_back,
        r.wins,
        r.staked_minor,
        r.won_minor,
    )


def bet_mark_row(player: Player, m: BetMark) -> Row:
    """What has happened to a bet."""
    return (
        player.shard,
        player.number,
        m.provider,
        m.key,
        m.rolled_back,
        m.wins,
        m.game_wins,
        m.won_minor,
        m.refunded_minor,
    )


def session_row(player: Player, s: Session) -> Row:
    """A session as it is now."""
    return (
        player.shard,
        player.number,
        s.session_id,
        s.provider,
        s.channel,
        s.currency,
        s.game_id,
        s.opened_at,
        s.expires_at,
        s.closed_at,
        s.replaced_at,
    )


def parked_row(player: Player, p: Parked) -> Row:
    """An event to be kept back."""
    return (
        player.shard,
        player.number,
        p.provider,
        p.position,
        p.transaction_id,
        p.partition,
        p.offset,
        p.broker_time,
        p.key,
        p.value,
        [name.encode("utf-8", "surrogateescape") for name, _ in p.headers],
        [value for _, value in p.headers],
        p.reason,
        p.awaits,
        p.attempts,
        p.parked_at,
        p.next_attempt_at,
        p.expires_at,
        storable(p.last_error),
    )


def changed_parked_row(player: Player, p: Parked) -> Row:
    """A kept event that waits anew."""
    return (
        player.shard,
        p.number,
        p.position,
        p.reason,
        p.awaits,
        p.attempts,
        p.next_attempt_at,
        p.expires_at,
        storable(p.last_error),
    )


def dead_letter_row(letter: DeadLetter) -> Row:
    """A dead letter, but for its batch and time."""
    return (
        letter.letter_id,
        letter.reason,
        storable(letter.detail),
        letter.attempts,
        letter.partition,
        letter.offset,
        letter.broker_time,
        letter.key,
        letter.value,
        [name.encode("utf-8", "surrogateescape") for name, _ in letter.headers],
        [value for _, value in letter.headers],
        storable(letter.provider),
        storable(letter.player_id),
        storable(letter.transaction_id),
        letter.replay_count,
        letter.replay_of,
    )
