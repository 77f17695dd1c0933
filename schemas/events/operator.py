"""What only the operator sends: accounts, blocks, and the limits of responsible gaming."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from schemas.events.base import Event, MinorUnits
from schemas.events.fields import (
    Amount,
    CountryCode,
    CurrencyCode,
    Identifier,
    LimitName,
    LimitPeriod,
    Text,
    Timestamp,
    TimeZone,
)


class OpenPlayer(Event):
    """Opens the player's wallet in a currency; opening it twice is OK and changes nothing."""

    type: Literal["open_player"]
    currency: CurrencyCode
    country: CountryCode | None = Field(default=None, description="ISO 3166-1, two letters.")
    time_zone: TimeZone | None = Field(default=None, description="IANA name; limits reset at its midnight.")
    jurisdiction: Identifier | None = None


class BlockPlayer(Event):
    """No stakes, deposits, transfers in, bonuses or sessions until unblocked."""

    type: Literal["block_player"]
    reason: Text | None = None


class UnblockPlayer(Event):
    """Ends a block; never a self-exclusion."""

    type: Literal["unblock_player"]
    reason: Text | None = None


class _Exclusion(Event):
    until: Timestamp | None = Field(default=None, description="None: permanent.")
    reason: Text | None = None


class SelfExclude(_Exclusion):
    """The player excludes himself."""

    type: Literal["self_exclude"]


class CoolOff(_Exclusion):
    """The player takes a break."""

    type: Literal["cool_off"]


class SetLimit(Event):
    """Sets, lowers, raises or removes a limit; `session_time` takes minutes, the others an amount."""

    type: Literal["set_limit"]
    limit: LimitName
    period: LimitPeriod | None = Field(
        default=None, description="Required but for single_bet and session_time."
    )
    currency: CurrencyCode | None = None
    amount: Amount | None = Field(default=None, description="None removes the limit.")
    minutes: int | None = Field(
        default=None, ge=1, le=44_640, description="Of session_time; None removes the limit."
    )

    # None where the limit is removed, and where the amount came without a currency: then it is the wallet's.
    amount_minor: ClassVar[MinorUnits[int | None]] = MinorUnits("amount")


class ConfirmLimit(Event):
    """The player confirms a pending raise."""

    type: Literal["confirm_limit"]
    limit: LimitName
    period: LimitPeriod | None = Field(
        default=None, description="Required but for single_bet and session_time."
    )
    currency: CurrencyCode | None = None
