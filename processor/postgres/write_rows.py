"""From what was decided to rows: texts for COPY of what is new, columns for the statements of ``batch_write.sql``.

Amounts are written as text with the rest: they hold 38 digits, more than the driver's integers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from datetime import datetime
from typing import Any

from processor.domain.state import Account, BetMark, Bonus, Limit, Parked, Player, Round, Session
from processor.ports import DeadLetter, Written
from processor.postgres.cells import storable

Row = tuple[Any, ...]


#: As `domain.seal.outcome_line` and what `outcome_texts` puts behind it have them.
OUTCOME_COLUMNS = (
    "provider", "key", "transaction_id", "wallet_transaction_id", "sequence", "type", "code", "currency",
    "amount_minor", "amount_text", "game_id", "round_id", "session_id", "reference", "kind", "own", "moved_minor",
    "moved_currency", "split", "details", "event_partition", "event_offset", "player", "shard", "position",
    "broker_time", "layout", "lane", "seq", "revision", "decided_at",
)  # fmt: skip

#: As `entry_texts` puts them around `domain.seal.entry_line`.
ENTRY_COLUMNS = (
    "shard", "player", "sequence", "leg", "provider", "currency", "amount_minor", "debit", "credit",
    "debit_balance_after", "debit_version", "credit_balance_after", "credit_version", "decided_at",
)  # fmt: skip

ROUND_COLUMNS = (
    "shard", "player", "provider", "round_id", "game_id", "currency", "opened_at", "closed_at", "bets",
    "bets_rolled_back", "wins", "staked_minor", "won_minor", "also",
)  # fmt: skip

BET_MARK_COLUMNS = (
    "shard", "player", "provider", "key", "rolled_back", "wins", "game_wins", "won_minor", "refunded_minor",
    "paid_otherwise",
)  # fmt: skip


def outcome_texts(written: Written, players: Mapping[str, Player], batch: str) -> list[str]:
    """Each outcome's line, then its player, its place in the batch, and what all of the batch have."""
    texts = []
    for position, (outcome, line) in enumerate(zip(written.outcomes, written.outcome_lines, strict=True)):
        player = players[outcome.player_id]
        came_at = outcome.broker_time or ""
        texts.append(f"{line}\t{player.number}\t{player.shard}\t{position}\t{came_at}\t{batch}")
    return texts


def entry_texts(written: Written, players: Mapping[str, Player], at: str) -> list[str]:
    """Each entry's line within its player's, in the order of decision."""
    texts = []
    for entry, line in zip(written.entries, written.entry_lines, strict=True):
        player = players[entry.player_id]
        texts.append(f"{player.shard}\t{player.number}\t{entry.sequence}\t{line}\t{at}")
    return texts


def new_round_text(player: Player, r: Round) -> str:
    """A round to be stored."""
    return (
        f"{player.shard}\t{player.number}\t{r.provider}\t{r.round_id}\t{r.game_id or ''}\t{r.currency or ''}"
        f"\t{r.opened_at}\t{r.closed_at or ''}\t{r.bets}\t{r.bets_rolled_back}\t{r.wins}\t{r.staked_minor}"
        f"\t{r.won_minor}\t{_also(r) or ''}"
    )


def _also(r: Round) -> str | None:
    """JSON, or None where the round was played for in one currency alone."""
    return json.dumps(r.also) if r.also else None


def new_bet_mark_text(player: Player, m: BetMark) -> str:
    """What has happened to a bet that nothing had happened to yet, or a tombstone."""
    return (
        f"{player.shard}\t{player.number}\t{m.provider}\t{m.key}\t{m.rolled_back}\t{m.wins}\t{m.game_wins}"
        f"\t{m.won_minor}\t{m.refunded_minor}\t{_otherwise(m) or ''}"
    )


def _otherwise(m: BetMark) -> str | None:
    """JSON, or None where all that was won went from the gaming account to cash."""
    return json.dumps(m.paid_otherwise) if m.paid_otherwise else None


def player_row(player: Player, facts: Row, parked_change: int) -> Row:
    """A player's row; his limits and his bonuses, the last of the facts, as JSON."""
    *others, limits, bonuses = facts
    return (
        player.shard,
        player.player_id,
        player.sequence,
        *others,
        limits_text(limits) if limits else None,
        bonuses_text(bonuses) if bonuses else None,
        parked_change,
    )


def limits_text(limits: Sequence[Limit]) -> str:
    """A player's limits as they are stored, each a list of its parts."""
    return json.dumps(
        [
            [each.name, each.period, each.currency, each.value, each.raised_to, _time(each.effective_at)]
            for each in limits
        ],
        separators=(",", ":"),
    )


def bonuses_text(bonuses: Sequence[Bonus]) -> str:
    """A player's bonuses as they are stored, each a list of its parts."""
    return json.dumps([astuple(each) for each in bonuses], separators=(",", ":"))


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def balance_row(player: Player, account: Account) -> Row:
    """A stored account's new balance and version, and what was used of its limits."""
    usage = account.usage
    return (
        player.shard,
        account.number,
        account.balance_minor,
        account.version,
        None if usage is None else usage.text(),
    )


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
        None if account.usage is None else account.usage.text(),
    )


def round_row(player: Player, r: Round) -> Row:
    """A stored round as it is now."""
    return (
        player.shard,
        player.number,
        r.provider,
        r.round_id,
        r.game_id,
        r.currency,
        r.closed_at,
        r.bets,
        r.bets_rolled_back,
        r.wins,
        r.staked_minor,
        r.won_minor,
        _also(r),
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
        _otherwise(m),
    )


def session_row(player: Player, s: Session) -> Row:
    """A session as it is now."""
    assert s.whole, "a session of which only half was read is not written"
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
