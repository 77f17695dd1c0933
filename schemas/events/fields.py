"""The kinds of field that events are made of, with the limits of the door and of the exported schema."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from schemas.currencies import CURRENCY_CODE_PATTERN
from schemas.money import AMOUNT_OR_ALL_PATTERN, AMOUNT_PATTERN, SIGNED_AMOUNT_PATTERN

IDENTIFIER_PATTERN: Final = r"^[\x20-\x7E]{1,128}$"
PROVIDER_PATTERN: Final = r"^[a-z0-9][a-z0-9._-]{0,63}$"
RFC_3339_PATTERN: Final = (
    r"^(19[7-9][0-9]|[2-9][0-9]{3})-[0-9]{2}-[0-9]{2}[Tt ]"
    r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})$"
)
#: Free text keeps no control characters, so that it can be stored, shown and logged as it is.
TEXT_PATTERN: Final = r"^[^\x00-\x1F\x7F-\x9F]{1,256}$"
TIME_ZONE_PATTERN: Final = r"^[A-Za-z][A-Za-z0-9_+-]{0,31}(/[A-Za-z0-9_+-]{1,31}){0,2}$"


# Anything later cannot be turned into UTC.
_LATEST: Final = datetime.max.replace(tzinfo=UTC)


class _Rfc3339:
    """A string of RFC 3339 with an offset, read as an aware ``datetime``; a naive one is refused.

    The years are 1970 to 9999. A leap second (``:60``) is refused, since no ``datetime`` can hold it.
    """

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.chain_schema(
            [
                core_schema.str_schema(strict=True, max_length=40, pattern=RFC_3339_PATTERN),
                core_schema.datetime_schema(
                    strict=False, tz_constraint="aware", microseconds_precision="truncate", le=_LATEST
                ),
            ]
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "format": "date-time", "pattern": RFC_3339_PATTERN}


Identifier = Annotated[str, Field(pattern=IDENTIFIER_PATTERN)]
Provider = Annotated[str, Field(pattern=PROVIDER_PATTERN)]
Timestamp = Annotated[datetime, _Rfc3339]
Text = Annotated[str, Field(pattern=TEXT_PATTERN)]
CountryCode = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
TimeZone = Annotated[str, Field(pattern=TIME_ZONE_PATTERN)]
Metadata = dict[str, Any]

# A wrong currency or amount has a reason of its own, which is looked for after everything else of the event;
# the door tells these fields from the others by this mark.
CURRENCY_MARK: Final = "currency"
AMOUNT_MARK: Final = "amount"

CurrencyCode = Annotated[str, Field(json_schema_extra={"pattern": CURRENCY_CODE_PATTERN}), CURRENCY_MARK]
Amount = Annotated[str, Field(pattern=AMOUNT_PATTERN), AMOUNT_MARK]
SignedAmount = Annotated[str, Field(pattern=SIGNED_AMOUNT_PATTERN), AMOUNT_MARK]
AmountOrAll = Annotated[str, Field(pattern=AMOUNT_OR_ALL_PATTERN), AMOUNT_MARK]

StakeKind = Literal["stake", "free_round", "tip", "buy_in", "fee", "rebuy", "add_on"]
WinKind = Literal["game", "jackpot", "bonus", "promo", "free_round", "tournament"]
Channel = Literal["web", "mobile", "retail"]
LimitName = Literal["deposit", "loss", "wager", "single_bet", "session_time"]
LimitPeriod = Literal["day", "week", "month"]
