"""The order of precedence: a flat table of guards, first match wins. (1, belief and reading, is the lane's.)"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from processor.domain import (
    batches,
    correction_references,
    guards,
    limits,
    references,
    return_references,
    transfers,
    wagering,
)
from processor.domain.case import Case
from processor.domain.commands import STAKE_TAKING
from processor.domain.decision import Decision

Guard = Callable[[Case], Decision | None]

#: All types of the contract have their law here.
DECIDED_TYPES: Final = frozenset(
    {
        "open_player", "deposit", "withdraw", "bet", "win", "rollback", "refund", "bet_win", "batch",
        "reverse_win", "adjust", "close_round", "open_session", "close_session", "transfer_in", "transfer_out",
        "block_player", "unblock_player", "self_exclude", "cool_off", "set_limit", "confirm_limit",
        "grant_bonus", "expire_bonus", "release_bonus",
    }
)  # fmt: skip

#: Types that carry an amount of a currency of their own.
WITH_AMOUNT: Final = frozenset(
    {
        "bet", "win", "bet_win", "batch", "adjust", "deposit", "withdraw", "transfer_in", "transfer_out",
        "grant_bonus", "expire_bonus", "release_bonus",
    }
)  # fmt: skip


#: Types that move money between cash and a provider's game wallet.
TRANSFERS: Final = frozenset({"transfer_in", "transfer_out"})


class Row(NamedTuple):
    """One line of the table: its number in the law, the guard, and the types it stands before."""

    number: int
    guard: Guard
    types: frozenset[str]


PRECEDENCE: Final[tuple[Row, ...]] = (
    Row(2, guards.known_id, DECIDED_TYPES),
    Row(3, guards.tombstone, DECIDED_TYPES),
    Row(4, guards.deadline, STAKE_TAKING | {"withdraw", "transfer_in"}),
    Row(5, guards.player_unknown, DECIDED_TYPES - {"open_player"}),
    Row(5, guards.game_blocked, STAKE_TAKING | {"transfer_in"}),
    Row(5, transfers.seamless_provider, TRANSFERS),
    Row(6, guards.wrong_currency, WITH_AMOUNT),
    Row(6, guards.wrong_named_currency, frozenset({"refund"})),
    Row(6, limits.limit_currency, frozenset({"set_limit", "confirm_limit"})),
    Row(7, guards.session, STAKE_TAKING),
    Row(8, guards.player_blocked, STAKE_TAKING | {"deposit", "transfer_in", "grant_bonus", "open_session"}),
    Row(9, guards.round_closed, STAKE_TAKING | {"win"}),
    Row(10, references.win_reference, frozenset({"win"})),
    Row(10, return_references.rollback_reference, frozenset({"rollback"})),
    Row(10, return_references.refund_reference, frozenset({"refund"})),
    Row(10, correction_references.reverse_win_reference, frozenset({"reverse_win"})),
    Row(10, correction_references.adjust_reference, frozenset({"adjust"})),
    Row(10, batches.batch_actions, frozenset({"batch"})),
    Row(11, limits.limits, STAKE_TAKING | {"deposit"}),
    Row(12, transfers.reported_balance, frozenset({"transfer_out"})),
    Row(13, guards.stake_funds, STAKE_TAKING - {"batch"}),
    Row(13, batches.batch_funds, frozenset({"batch"})),
    Row(13, guards.cash_funds, frozenset({"withdraw", "transfer_in"})),
    Row(13, transfers.game_wallet_funds, frozenset({"transfer_out"})),
    Row(13, wagering.bonus_funds, frozenset({"release_bonus"})),
    Row(13, correction_references.reversal_funds, frozenset({"rollback", "reverse_win", "adjust"})),
)


def guards_of(type_: str) -> tuple[Guard, ...]:
    """The guards that stand before a type, in order."""
    return tuple(row.guard for row in PRECEDENCE if type_ in row.types)


GUARDS: Final[Mapping[str, tuple[Guard, ...]]] = {type_: guards_of(type_) for type_ in sorted(DECIDED_TYPES)}

#: The guards of a batch that has no bet which is not known yet: it takes no stake, and each win looks at its own round.
BATCH_OF_WINS: Final[tuple[Guard, ...]] = tuple(
    row.guard
    for row in PRECEDENCE
    if "batch" in row.types
    and ("win" in row.types or "bet" not in row.types)
    and row.guard is not guards.round_closed
)
