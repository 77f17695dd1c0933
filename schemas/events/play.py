"""What game providers send about play: stakes, wins, corrections and the ends of rounds."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.events.base import Event, MinorUnits, WireModel
from schemas.events.fields import Amount, CurrencyCode, Identifier, SignedAmount, StakeKind, Text, WinKind


class Bet(Event):
    """Takes the stake."""

    type: Literal["bet"]
    currency: CurrencyCode
    amount: Amount
    game_id: Identifier
    round_id: Identifier
    session_id: Identifier | None = None
    kind: StakeKind = "stake"
    jackpot_contribution: Amount | None = None
    bonus_id: Identifier | None = None
    campaign_id: Identifier | None = None

    amount_minor: ClassVar[MinorUnits[int]] = MinorUnits("amount")
    jackpot_contribution_minor: ClassVar[MinorUnits[int | None]] = MinorUnits("jackpot_contribution")


class Win(Event):
    """Pays. Of kind ``game`` it must name its game and round."""

    type: Literal["win"]
    currency: CurrencyCode
    amount: Amount
    game_id: Identifier | None = None
    round_id: Identifier | None = None
    reference: Identifier | None = Field(default=None, description="The transaction id of the bet.")
    kind: WinKind = "game"
    round_closed: bool = False
    session_id: Identifier | None = None
    bonus_id: Identifier | None = None
    campaign_id: Identifier | None = None

    amount_minor: ClassVar[MinorUnits[int]] = MinorUnits("amount")


class BetWin(Event):
    """A stake and its win in one: both or neither."""

    type: Literal["bet_win"]
    currency: CurrencyCode
    bet_amount: Amount
    win_amount: Amount
    game_id: Identifier
    round_id: Identifier
    round_closed: bool = False
    session_id: Identifier | None = None

    bet_amount_minor: ClassVar[MinorUnits[int]] = MinorUnits("bet_amount")
    win_amount_minor: ClassVar[MinorUnits[int]] = MinorUnits("win_amount")


class BetAction(WireModel):
    """A bet within a batch; game, session and currency are the batch's, the round too unless it names one."""

    type: Literal["bet"]
    transaction_id: Identifier
    amount: Amount
    reference: Identifier | None = None
    kind: StakeKind = "stake"
    round_id: Identifier | None = None

    amount_minor: ClassVar[MinorUnits[int]] = MinorUnits("amount")


class WinAction(WireModel):
    """A win within a batch; game, session and currency are the batch's, the round too unless it names one."""

    type: Literal["win"]
    transaction_id: Identifier
    amount: Amount
    reference: Identifier | None = Field(default=None, description="The transaction id of the bet.")
    kind: WinKind = "game"
    round_id: Identifier | None = None

    amount_minor: ClassVar[MinorUnits[int]] = MinorUnits("amount")


Action = Annotated[BetAction | WinAction, Field(discriminator="type")]


class Batch(Event):
    """Several bets and wins of one round: all or none."""

    type: Literal["batch"]
    currency: CurrencyCode
    game_id: Identifier
    round_id: Identifier
    actions: list[Action] = Field(min_length=1, max_length=50)
    round_closed: bool = False
    session_id: Identifier | None = None


class Rollback(Event):
    """Cancels that bet wholly, whether or not it has arrived yet."""

    type: Literal["rollback"]
    reference: Identifier = Field(description="The transaction id of the bet.")
    amount: Amount | None = None
    currency: CurrencyCode | None = None
    game_id: Identifier | None = None
    round_id: Identifier | None = None

    # None where no amount was sent, and where it came without a currency: then the text is to be compared by
    # value once the bet, and with it the currency, is known.
    amount_minor: ClassVar[MinorUnits[int | None]] = MinorUnits("amount")


class Refund(Event):
    """Returns part or all of a known bet."""

    type: Literal["refund"]
    reference: Identifier = Field(description="The transaction id of the bet.")
    amount: Amount
    currency: CurrencyCode | None = None
    game_id: Identifier | None = None
    round_id: Identifier | None = None
    reason: Text | None = None

    # None where no currency was sent (see Rollback).
    amount_minor: ClassVar[MinorUnits[int | None]] = MinorUnits("amount")


class ReverseWin(Event):
    """Takes a win back, where the provider's profile allows it."""

    type: Literal["reverse_win"]
    reference: Identifier = Field(description="The transaction id of the win.")
    reason: Text | None = None


class Adjust(Event):
    """A later correction, such as a sports bet settled again; the only amount that may be negative."""

    type: Literal["adjust"]
    currency: CurrencyCode
    amount: SignedAmount
    reason: Text
    reference: Identifier | None = None

    amount_minor: ClassVar[MinorUnits[int]] = MinorUnits("amount")


class CloseRound(Event):
    """The round ends."""

    type: Literal["close_round"]
    game_id: Identifier
    round_id: Identifier
