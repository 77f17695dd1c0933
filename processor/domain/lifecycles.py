"""Lifecycles: what becomes of a bet, a round, a session, a game wallet, a limit and a bonus, event by event, as tables.

The law is in the guards and operations; these tables say what comes of them. docs/lifecycles.md is drawn from them, and
`tests/unit/domain/test_lifecycles.py` plays every line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Step(NamedTuple):
    """In a state an event comes, is answered with a code, and leaves another state (or the same)."""

    state: str
    event: str
    code: str
    then: str


#: With the strict profile, except where the event names a setting.
BET: Final = (
    Step("unknown", "bet", "OK", "open"),
    Step("unknown", "bet beyond the money", "INSUFFICIENT_FUNDS", "refused"),
    Step("unknown", "bet_win", "OK", "settled"),
    Step("unknown", "rollback", "BET_NOT_FOUND", "tombstone"),
    Step("unknown", "rollback (rollback_unknown = accept)", "OK", "tombstone"),
    Step("tombstone", "bet", "ROLLED_BACK", "rolled back"),
    Step("tombstone", "rollback", "BET_NOT_FOUND", "tombstone"),
    Step("tombstone", "win", "ROLLED_BACK", "tombstone"),
    Step("open", "win", "OK", "settled"),
    Step("open", "win of zero", "OK", "settled"),
    Step("open", "close_round", "OK", "settled"),
    Step("open", "rollback", "OK", "rolled back"),
    Step("open", "rollback of another amount", "NOT_ROLLBACKABLE", "open"),
    Step("open", "refund of a part", "OK", "partly refunded"),
    Step("open", "refund of all", "OK", "refunded"),
    Step("open", "refund of too much", "REFUND_EXCEEDS_BET", "open"),
    Step("partly refunded", "win", "OK", "settled"),
    Step("partly refunded", "rollback", "ALREADY_SETTLED", "partly refunded"),
    Step("partly refunded", "refund of the rest", "OK", "refunded"),
    Step("refunded", "win", "ALREADY_SETTLED", "refunded"),
    Step("refunded", "rollback", "ALREADY_SETTLED", "refunded"),
    Step("refunded", "refund of a part", "REFUND_EXCEEDS_BET", "refunded"),
    Step("settled", "win", "ALREADY_SETTLED", "settled"),
    Step("settled", "win (wins_per_bet = many)", "OK", "settled"),
    Step("settled", "rollback", "ALREADY_SETTLED", "settled"),
    Step("settled", "rollback (rollback_after_win = allow)", "OK", "rolled back"),
    Step("settled", "refund of a part", "ALREADY_SETTLED", "settled"),
    Step("settled", "reverse_win (win_reversal = take_available)", "OK", "open"),
    Step("rolled back", "win", "ROLLED_BACK", "rolled back"),
    Step("rolled back", "rollback", "ALREADY_ROLLED_BACK", "rolled back"),
    Step("rolled back", "refund of a part", "ALREADY_ROLLED_BACK", "rolled back"),
    Step("refused", "win", "BET_NOT_FOUND", "refused"),
    Step("refused", "rollback", "OK", "refused"),
    Step("refused", "refund of a part", "BET_NOT_FOUND", "refused"),
)

ROUND: Final = (
    Step("unknown", "bet", "OK", "open"),
    Step("unknown", "close_round", "OK", "closed"),
    Step("open", "bet", "OK", "open"),
    Step("open", "win", "OK", "open"),
    Step("open", "win (settlement = per_round)", "OK", "closed"),
    Step("open", "win with round_closed", "OK", "closed"),
    Step("open", "close_round", "OK", "closed"),
    Step("closed", "bet", "ROUND_CLOSED", "closed"),
    Step("closed", "win", "ROUND_CLOSED", "closed"),
    Step("closed", "win of a jackpot", "OK", "closed"),
    Step("closed", "close_round", "OK", "closed"),
)

SESSION: Final = (
    Step("unknown", "bet", "SESSION_EXPIRED", "unknown"),
    Step("unknown", "bet (require_session = false)", "OK", "unknown"),
    Step("unknown", "open_session", "OK", "open"),
    Step("unknown", "close_session", "OK", "unknown"),
    Step("open", "bet", "OK", "open"),
    Step("open", "open_session of another on its channel", "OK", "replaced"),
    Step("open", "open_session of another on another channel", "OK", "open"),
    Step("open", "close_session", "OK", "closed"),
    Step("open", "time", "-", "expired"),
    Step("expired", "bet", "SESSION_EXPIRED", "expired"),
    Step("replaced", "bet", "SESSION_EXPIRED", "replaced"),
    Step("closed", "bet", "SESSION_EXPIRED", "closed"),
    Step("closed", "win", "OK", "closed"),
)

GAME_WALLET: Final = (
    Step("empty", "transfer_in", "OK", "funded"),
    Step("empty", "transfer_in beyond the money", "INSUFFICIENT_FUNDS", "empty"),
    Step("empty", "transfer_in (wallet = seamless)", "GAME_BLOCKED", "empty"),
    Step("empty", "bet", "INSUFFICIENT_FUNDS", "empty"),
    Step("empty", "transfer_out of all", "OK", "empty"),
    Step("funded", "bet", "OK", "funded"),
    Step("funded", "withdraw", "INSUFFICIENT_FUNDS", "funded"),
    Step("funded", "transfer_out of all", "OK", "empty"),
    Step("funded", "transfer_out of too much", "INSUFFICIENT_FUNDS", "funded"),
    Step("funded", "transfer_out of all, another balance reported", "DISCREPANCY", "funded"),
    Step("funded", "transfer_out of all, less reported (transfer_settlement = provider)", "OK", "empty"),
)

LIMIT: Final = (
    Step("none", "set_limit", "OK", "set"),
    Step("none", "confirm_limit", "OK", "none"),
    Step("set", "set_limit lower", "OK", "set"),
    Step("set", "set_limit higher", "OK", "raise pending"),
    Step("set", "set_limit to nothing", "OK", "raise pending"),
    Step("raise pending", "confirm_limit", "OK", "raise pending"),
    Step("raise pending", "set_limit lower", "OK", "set"),
    Step("raise pending", "time", "-", "raise ready"),
    Step("raise ready", "bet beyond the old limit", "LIMIT_EXCEEDED", "raise ready"),
    Step("raise ready", "confirm_limit", "OK", "set"),
)

BONUS: Final = (
    Step("unknown", "grant_bonus", "OK", "granted"),
    Step("unknown", "release_bonus", "INSUFFICIENT_FUNDS", "unknown"),
    Step("unknown", "expire_bonus", "OK", "unknown"),
    Step("granted", "bet that meets the requirement", "OK", "wagered"),
    Step("granted", "release_bonus", "INSUFFICIENT_FUNDS", "granted"),
    Step("granted", "expire_bonus", "OK", "unknown"),
    Step("wagered", "rollback of that bet", "OK", "granted"),
    Step("wagered", "release_bonus of a part", "OK", "wagered"),
    Step("wagered", "release_bonus", "OK", "unknown"),
)

LIFECYCLES: Final[Mapping[str, tuple[Step, ...]]] = {
    "bet": BET,
    "round": ROUND,
    "session": SESSION,
    "game wallet": GAME_WALLET,
    "limit": LIMIT,
    "bonus": BONUS,
}
