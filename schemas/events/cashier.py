"""What only the cashier sends: money in and out of the wallet, and bonuses."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from schemas.events.base import Event, MinorUnits
from schemas.events.fields import Amount, CurrencyCode, Identifier


class _Payment(Event):
    currency: CurrencyCode
    amount: Amount
    external_reference: Identifier | None = Field(default=None, description="The payment provider's own id.")

    amount_minor: ClassVar[MinorUnits[int]] = MinorUnits("amount")


class Deposit(_Payment):
    """Money of the player's comes into the wallet."""

    type: Literal["deposit"]


class Withdraw(_Payment):
    """Money of the player's leaves the wallet."""

    type: Literal["withdraw"]


class _Bonus(Event):
    currency: CurrencyCode
    amount: Amount
    bonus_id: Identifier
    wagering_requirement: Amount | None = Field(
        default=None, description="How much must be staked before the bonus can be released, in the currency."
    )

    amount_minor: ClassVar[MinorUnits[int]] = MinorUnits("amount")
    wagering_requirement_minor: ClassVar[MinorUnits[int | None]] = MinorUnits("wagering_requirement")


class GrantBonus(_Bonus):
    """Bonus money is given."""

    type: Literal["grant_bonus"]


class ExpireBonus(_Bonus):
    """Bonus money is taken back, at most what is left of it."""

    type: Literal["expire_bonus"]


class ReleaseBonus(_Bonus):
    """Bonus money becomes cash, once its wagering requirement is met."""

    type: Literal["release_bonus"]
