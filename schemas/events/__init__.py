"""All events of the contract, by their `type`, and who may send which."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from schemas.events.base import Event
from schemas.events.cashier import Deposit, ExpireBonus, GrantBonus, ReleaseBonus, Withdraw
from schemas.events.operator import (
    BlockPlayer,
    ConfirmLimit,
    CoolOff,
    OpenPlayer,
    SelfExclude,
    SetLimit,
    UnblockPlayer,
)
from schemas.events.play import (
    Adjust,
    Batch,
    Bet,
    BetAction,
    BetWin,
    CloseRound,
    Refund,
    ReverseWin,
    Rollback,
    Win,
    WinAction,
)
from schemas.events.sessions import CloseSession, OpenSession, TransferIn, TransferOut

__all__ = [
    "ALL_TYPES", "CASHIER", "CASHIER_TYPES", "EVENT_MODELS", "OPERATOR", "OPERATOR_TYPES", "Adjust",
    "Batch", "Bet", "BetAction", "BetWin", "BlockPlayer", "CloseRound", "CloseSession", "ConfirmLimit",
    "CoolOff", "Deposit", "Event", "ExpireBonus", "GrantBonus", "OpenPlayer", "OpenSession", "Refund",
    "ReleaseBonus", "ReverseWin", "Rollback", "SelfExclude", "SetLimit", "TransferIn", "TransferOut",
    "UnblockPlayer", "Win", "WinAction", "Withdraw",
]  # fmt: skip

CASHIER: Final = "cashier"
OPERATOR: Final = "operator"

#: Every event type of the contract and its model, in the contract's order.
EVENT_MODELS: Final[Mapping[str, type[Event]]] = MappingProxyType(
    {
        "bet": Bet,
        "win": Win,
        "bet_win": BetWin,
        "batch": Batch,
        "rollback": Rollback,
        "refund": Refund,
        "reverse_win": ReverseWin,
        "adjust": Adjust,
        "close_round": CloseRound,
        "open_session": OpenSession,
        "close_session": CloseSession,
        "transfer_in": TransferIn,
        "transfer_out": TransferOut,
        "deposit": Deposit,
        "withdraw": Withdraw,
        "grant_bonus": GrantBonus,
        "expire_bonus": ExpireBonus,
        "release_bonus": ReleaseBonus,
        "open_player": OpenPlayer,
        "block_player": BlockPlayer,
        "unblock_player": UnblockPlayer,
        "self_exclude": SelfExclude,
        "cool_off": CoolOff,
        "set_limit": SetLimit,
        "confirm_limit": ConfirmLimit,
    }
)
ALL_TYPES: Final = frozenset(EVENT_MODELS)

CASHIER_TYPES: Final = frozenset({"deposit", "withdraw", "grant_bonus", "expire_bonus", "release_bonus"})
OPERATOR_TYPES: Final = frozenset(
    {
        "open_player", "block_player", "unblock_player", "self_exclude", "cool_off", "set_limit",
        "confirm_limit",
    }
)  # fmt: skip


def is_permitted(provider: str, event_type: str) -> bool:
    """Whether this sender may send this type: the cashier's and the operator's types are theirs alone."""
    if event_type in CASHIER_TYPES:
        return provider == CASHIER
    if event_type in OPERATOR_TYPES:
        return provider == OPERATOR
    return event_type != "open_session" or provider != CASHIER
