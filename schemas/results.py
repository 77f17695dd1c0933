"""The result of an event, `wallet.result.v1`: what every field is, and when it is null or left out.

The wallet renders results as bytes without this model, for speed; the model is the contract that its bytes are
held to by tests, the source of the exported schema, and a reader for consumers in Python. A field is:

- always there: `type` to `player_id`, `status` to `applied_at` as declared without a default;
- null where there is nothing to say: `wallet_transaction_id`, `balance`, `amount`, `currency`;
- left out where it does not apply: all others. A reader takes null and left out for the same.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.codes import Code
from schemas.events.fields import (
    Identifier,
    LimitName,
    LimitPeriod,
    Provider,
    Timestamp,
)
from schemas.money import AMOUNT_PATTERN, SIGNED_AMOUNT_PATTERN

RESULT_TYPE: Final = "wallet.result.v1"

WalletTransactionId = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
# Sums of many amounts, so without the 20 digits that bound a single one.
Money = Annotated[str, Field(pattern=AMOUNT_PATTERN.replace("{0,19}", "{0,37}"))]
SignedMoney = Annotated[str, Field(pattern=SIGNED_AMOUNT_PATTERN.replace("{0,19}", "{0,37}"))]


class ResultPart(BaseModel):
    """A part of a result: nothing coerced, nothing that the contract does not name."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Balance(ResultPart):
    """The wallet after this transaction, in its currency; ``total`` = cash + bonus + game_wallet."""

    cash: SignedMoney
    bonus: SignedMoney
    game_wallet: SignedMoney = Field(description="The player's game wallet at this provider.")
    debt: SignedMoney = Field(description="What the player owes after a reversal: never above 0.")
    total: SignedMoney


class ActionResult(ResultPart):
    """The outcome of one action of a batch. Its id is null where none was burnt."""

    transaction_id: Identifier
    type: Literal["bet", "win"]
    code: Code = Field(strict=False)
    replayed: bool
    wallet_transaction_id: WalletTransactionId | None
    amount: SignedMoney


class LimitFacts(ResultPart):
    """The refusing limit with the least left. ``period`` and ``resets_at`` are null where the limit has none."""

    limit: LimitName
    period: LimitPeriod | None
    amount: Money | None = Field(description="Null for session_time.")
    left: Money | None = Field(description="Null for session_time.")
    resets_at: Timestamp | None


class Conversion(ResultPart):
    """A conversion of the event's currency into the wallet's."""

    from_: str = Field(alias="from")
    to: str
    rate: str = Field(description="How much of `to` one unit of `from` is, as exact text.")
    rate_at: Timestamp
    source: str = Field(description="Where the rate comes from.")
    converted_amount: SignedMoney = Field(
        description="In the wallet's currency, signed from the player's side."
    )


class Source(ResultPart):
    """Where the event lies in Kafka; results are matched to events by it."""

    topic: str
    partition: int = Field(ge=0)
    offset: int = Field(ge=0)


class Result(ResultPart):
    """The outcome of one event, `wallet.result.v1`: one for each event that could be read and believed."""

    type: str = Field(description="The event's.")
    provider: Provider
    transaction_id: Identifier
    player_id: Identifier
    session_id: Identifier | None = Field(default=None, description="The event's; a repeat's own.")
    round_id: Identifier | None = None
    game_id: Identifier | None = None
    reference: Identifier | None = None
    kind: str | None = None
    metadata: dict[str, Any] | None = Field(default=None, description="The event's; a repeat's own.")
    status: Literal["accepted", "rejected"] = Field(description="`accepted` only with code `OK`.")
    code: Code = Field(strict=False)
    http_status: int = Field(description="What a gateway in front would answer.")
    retryable: bool = Field(description="Whether the same event later could have another outcome.")
    replayed: bool = Field(description="Whether it repeats a known id; the outcome is the original's.")
    wallet_transaction_id: WalletTransactionId | None = Field(
        description="The wallet's id, ordered by time; null on CONFLICT and where no id was burnt."
    )
    sequence: int = Field(ge=1, description="Counts this player's results without gap, in order of decision.")
    amount: SignedMoney | None = Field(
        description="What was moved, signed from the player's side; zero when refused. Null without a currency."
    )
    currency: str | None = Field(description="The amount's; the event's where a conversion took place.")
    bet_amount: Money | None = Field(default=None, description="Of bet_win.")
    win_amount: Money | None = Field(default=None, description="Of bet_win.")
    split: dict[str, SignedMoney] | None = Field(
        default=None, description="The amount by pool, in the wallet's currency; empty where nothing moved."
    )
    balance: Balance | None = Field(
        description="After this transaction, also on a rejection; null: unknown player."
    )
    actions: list[ActionResult] | None = Field(default=None, description="Of a batch, in the event's order.")
    conflict: str | None = Field(default=None, description="On CONFLICT: the first field that differs.")
    limit: LimitFacts | None = Field(default=None, description="On LIMIT_EXCEEDED.")
    effective_at: Timestamp | None = Field(
        default=None, description="Of a raised limit: when it may be confirmed."
    )
    shortfall: Money | None = Field(default=None, description="Of a reversal that found too little.")
    reported_balance: Money | None = Field(
        default=None, description="Of a transfer out: what the provider said."
    )
    fx: Conversion | None = None
    message: str = Field(min_length=1, description="One sentence for a person.")
    source: Source
    applied_at: Timestamp = Field(description="UTC, microseconds.")

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        code = self.code
        if (self.status == "accepted") != (code is Code.OK):
            raise ValueError("status is accepted exactly where the code is OK")
        if self.http_status != code.http_status:
            raise ValueError(f"http_status of {code} is {code.http_status}")
        if self.retryable and not code.may_be_retryable(self.type):
            raise ValueError(f"{code} of a {self.type} is never retryable")
        if (self.conflict is not None) != (code is Code.CONFLICT):
            raise ValueError("conflict is told exactly on CONFLICT")
        if self.limit is not None and code is not Code.LIMIT_EXCEEDED:
            raise ValueError("limit is told on LIMIT_EXCEEDED only")
        return self
