"""Why an event is set aside instead of answered: the closed list of reasons, each with plain words."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Dead-letter reasons in the order in which they are looked for: name, number, words for an operator.

    Numbers are for storage; one that was given is never given again.
    """

    number: int
    sentence: str

    def __new__(cls, name: str, number: int, sentence: str) -> Reason:
        member = str.__new__(cls, name)
        member._value_ = name
        member.number = number
        member.sentence = sentence
        return member

    TOO_LARGE = "TOO_LARGE", 1, "The event is larger than 64 KiB."
    UNKNOWN_KEY = "UNKNOWN_KEY", 2, "It was signed with a key that is not known here or is not valid now."
    BAD_SIGNATURE = "BAD_SIGNATURE", 3, "The signature is missing or does not fit; the sender is unknown."
    STALE_TIMESTAMP = "STALE_TIMESTAMP", 4, "The sender's timestamp is too far from the broker's."
    UNDECODABLE = "UNDECODABLE", 5, "It is not JSON, or a field is wrong; the detail names the first."
    UNKNOWN_VERSION = "UNKNOWN_VERSION", 6, "It is written in a version of the contract unknown here."
    UNKNOWN_TYPE = "UNKNOWN_TYPE", 7, "Its type is none that is known here."
    KEY_MISMATCH = "KEY_MISMATCH", 8, "The record's key or partition is not the player's."
    NOT_PERMITTED = "NOT_PERMITTED", 9, "This sender may not send this type of event."
    UNKNOWN_CURRENCY = "UNKNOWN_CURRENCY", 10, "The currency is none that is known here."
    INVALID_AMOUNT = "INVALID_AMOUNT", 11, "An amount is no decimal string or has too many decimals."
    POISON = "POISON", 12, "It could be read, but applying it failed again and again; it needs a person."


class Refused(Exception):  # an answer to the sender, not an error of ours
    """The event cannot be read or believed; it becomes a dead letter.

    ``detail`` is one sentence for a person. It holds no value of the event, only field names of the contract,
    so it can be logged and shown. ``provider``, ``player_id`` and ``event_type`` are what could be read of
    the sender's claim (each within the contract's limits, none of it believed), or None.
    """

    def __init__(
        self,
        reason: Reason,
        detail: str,
        *,
        provider: str | None = None,
        player_id: str | None = None,
        event_type: str | None = None,
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.provider = provider
        self.player_id = player_id
        self.event_type = event_type
