"""What all events have in common, and how an event carries its amounts as whole minor units."""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar, overload

from pydantic import BaseModel, ConfigDict, Field

from schemas.events.fields import Identifier, Metadata, Provider, Timestamp

MinorT = TypeVar("MinorT", int, int | None)


class MinorUnits(Generic[MinorT]):
    """The whole minor units of the amount field ``wire_name``, which only the door can know.

    The door looks up the currency, checks the decimals and puts the integer into the event's ``__dict__``
    under this attribute's name, where Python finds it before this descriptor. Reading it on an event that did
    not come through the door is an ``AttributeError``.
    """

    def __init__(self, wire_name: str) -> None:
        self.wire_name = wire_name
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> MinorUnits[MinorT]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> MinorT: ...
    def __get__(self, instance: object | None, owner: type) -> MinorUnits[MinorT] | MinorT:
        if instance is None:
            return self
        raise AttributeError(f"{self.name}: known only for an event that schemas.decoding.decode returned")


class WireModel(BaseModel):
    """A part of an event: nothing is coerced, unknown fields are tolerated and dropped."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class Event(WireModel):
    """The fields that every event has. Their order is the order in which a wrong one is named."""

    type: str
    provider: Provider = Field(
        description="Who sends: a game provider, or the operator's own `cashier` or `operator`."
    )
    transaction_id: Identifier = Field(
        description="The sender's own id; the idempotency key within the provider."
    )
    player_id: Identifier = Field(description="Whose money it is about; equals the record's key.")
    occurred_at: Timestamp = Field(description="When it happened at the sender: RFC 3339 with an offset.")
    deadline: Timestamp | None = Field(
        default=None,
        description="After it an event that takes money is refused (EXPIRED), never applied late.",
    )
    metadata: Metadata | None = Field(
        default=None, description="The sender's own notes, at most 4 KiB as JSON; echoed in the result."
    )
    version: Literal[1] = Field(default=1, description="The version of this contract.")

    def get(self, field: str) -> Any:
        """The value of a field by its wire name; None where not sent and where the type has no such field."""
        return self.__dict__.get(field)
