"""The closed list of outcomes: what each means, what a gateway would answer, its number in storage."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Code(StrEnum):
    """An outcome: name, stable number, HTTP status, one sentence for a person.

    Numbers are for storage; one that was given is never given again. None of these codes is ever used for
    trouble of the wallet's own, which is retried inside.
    """

    number: int
    http_status: int
    sentence: str

    def __new__(cls, name: str, number: int, http_status: int, sentence: str) -> Code:
        member = str.__new__(cls, name)
        member._value_ = name
        member.number = number
        member.http_status = http_status
        member.sentence = sentence
        return member

    OK = "OK", 1, 200, "Accepted."
    ALREADY_ROLLED_BACK = "ALREADY_ROLLED_BACK", 2, 200, "It was rolled back before; nothing moved."
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS", 3, 402, "There is not enough money."
    SESSION_EXPIRED = "SESSION_EXPIRED", 4, 401, "The session is missing, unknown or no longer open."
    GAME_BLOCKED = "GAME_BLOCKED", 5, 403, "The provider or the game is unknown or suspended."
    PLAYER_BLOCKED = "PLAYER_BLOCKED", 6, 403, "The player is blocked, excluded or taking a break."
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED", 7, 403, "A limit of the player's does not allow it."
    PLAYER_NOT_FOUND = "PLAYER_NOT_FOUND", 8, 404, "The player is unknown."
    BET_NOT_FOUND = "BET_NOT_FOUND", 9, 404, "The bet it refers to is unknown."
    CONFLICT = "CONFLICT", 10, 409, "The transaction id was used before for something else."
    ALREADY_SETTLED = "ALREADY_SETTLED", 11, 409, "The bet is settled already."
    ROLLED_BACK = "ROLLED_BACK", 12, 409, "It was rolled back and cannot take effect."
    ROUND_CLOSED = "ROUND_CLOSED", 13, 409, "The round is closed."
    EXPIRED = "EXPIRED", 14, 422, "It came after its deadline."
    WRONG_CURRENCY = "WRONG_CURRENCY", 15, 422, "The currency is not the wallet's and cannot be converted."
    NOT_ROLLBACKABLE = "NOT_ROLLBACKABLE", 16, 422, "It cannot be rolled back or reversed."
    REFUND_EXCEEDS_BET = "REFUND_EXCEEDS_BET", 17, 422, "The refunds would be more than the bet."
    DISCREPANCY = "DISCREPANCY", 18, 422, "The reported balance is not the wallet's; nothing moved."

    @property
    def final(self) -> bool:
        """Whether the outcome stands for ever, whatever the event's type."""
        return self is not Code.BET_NOT_FOUND

    def may_be_retryable(self, event_type: str) -> bool:
        """Whether the same event can have another outcome later: a win or batch whose bet may yet come."""
        return self is Code.BET_NOT_FOUND and event_type in ("win", "batch")


#: The codes by their names.
CODES: Final[Mapping[str, Code]] = MappingProxyType({code.value: code for code in Code})
