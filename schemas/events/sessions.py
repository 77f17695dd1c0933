"""Sessions, and cash that moves between the wallet and a provider's own game wallet."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from schemas.events.base import Event, MinorUnits
from schemas.events.fields import Amount, AmountOrAll, Channel, CurrencyCode, Identifier, Timestamp


class OpenSession(Event):
    """A newer session on the same channel replaces the older. From a provider or the operator."""

    type: Literal["open_session"]
    session_id: Identifier
    currency: CurrencyCode
    expires_at: Timestamp | None = Field(default=None, description="None: 24 hours after it was opened.")
    channel: Channel = "web"
    game_id: Identifier | None = None


class CloseSession(Event):
    """The session ends."""

    type: Literal["close_session"]
    session_id: Identifier


class TransferIn(Event):
    """Cash into the provider's game wallet."""

    type: Literal["transfer_in"]
    currency: CurrencyCode
    amount: Amount

    amount_minor: ClassVar[MinorUnits[int]] = MinorUnits("amount")


class TransferOut(Event):
    """Money of the provider's game wallet back to cash."""

    type: Literal["transfer_out"]
    currency: CurrencyCode
    amount: AmountOrAll
    reported_balance: Amount | None = Field(
        default=None, description="What the provider holds before the move."
    )

    # None where the amount is "all".
    amount_minor: ClassVar[MinorUnits[int | None]] = MinorUnits("amount")
    reported_balance_minor: ClassVar[MinorUnits[int | None]] = MinorUnits("reported_balance")
