"""The headers of a dead letter. Its key, value and other headers are the original's, byte for byte."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from schemas.events.fields import Timestamp
from schemas.reasons import Reason

MAX_DETAIL_BYTES: Final = 512

HEADER_PREFIX: Final = "wallet-dlq-"
CONNECT_PREFIX: Final = "__connect.errors."
BATCH_HEADER: Final = "wallet-batch"

REASON: Final = "wallet-dlq-reason"
DETAIL: Final = "wallet-dlq-detail"
LETTER_ID: Final = "wallet-dlq-id"
ATTEMPTS: Final = "wallet-dlq-attempts"
SET_ASIDE_AT: Final = "wallet-dlq-at"
TOPIC: Final = "wallet-dlq-topic"
PARTITION: Final = "wallet-dlq-partition"
OFFSET: Final = "wallet-dlq-offset"
GROUP: Final = "wallet-dlq-group"
ORIGINAL_HEADERS: Final = "wallet-dlq-original-headers"
CONNECT_TOPIC: Final = "__connect.errors.topic"
CONNECT_PARTITION: Final = "__connect.errors.partition"
CONNECT_OFFSET: Final = "__connect.errors.offset"
CONNECT_CLASS: Final = "__connect.errors.exception.class.name"
CONNECT_MESSAGE: Final = "__connect.errors.exception.message"

#: All headers that a dead letter adds; a replay of the original leaves them out.
DEAD_LETTER_HEADERS: Final = (
    BATCH_HEADER,
    REASON,
    DETAIL,
    LETTER_ID,
    ATTEMPTS,
    SET_ASIDE_AT,
    TOPIC,
    PARTITION,
    OFFSET,
    GROUP,
    ORIGINAL_HEADERS,
    CONNECT_TOPIC,
    CONNECT_PARTITION,
    CONNECT_OFFSET,
    CONNECT_CLASS,
    CONNECT_MESSAGE,
)

Digits = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,18})$")]


class DeadLetterHeaders(BaseModel):
    """The headers, all of them UTF-8 text; numbers are ASCII digits. Unknown others are the original's own."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, populate_by_name=True)

    batch: str = Field(alias=BATCH_HEADER, pattern=r"^[0-9]+/[0-9]+/[0-9]+$", description="layout/lane/seq")
    reason: Reason = Field(alias=REASON, strict=False)
    detail: str = Field(
        alias=DETAIL, max_length=512, description="One sentence, no secrets, cut at 512 bytes."
    )
    letter_id: str = Field(alias=LETTER_ID, min_length=1)
    attempts: Digits = Field(alias=ATTEMPTS)
    set_aside_at: Timestamp = Field(alias=SET_ASIDE_AT)
    topic: str = Field(alias=TOPIC, min_length=1)
    partition: Digits = Field(alias=PARTITION)
    offset: Digits = Field(alias=OFFSET)
    group: str = Field(alias=GROUP, min_length=1)
    original_headers: str | None = Field(
        default=None,
        alias=ORIGINAL_HEADERS,
        pattern=r"^[A-Za-z0-9+/]*={0,2}$",
        description="Base64 of what could not be sent as it was, such as a header key that is not UTF-8.",
    )
    connect_topic: str = Field(alias=CONNECT_TOPIC, description="As wallet-dlq-topic, for Kafka consoles.")
    connect_partition: Digits = Field(alias=CONNECT_PARTITION)
    connect_offset: Digits = Field(alias=CONNECT_OFFSET)
    connect_exception_class: str = Field(alias=CONNECT_CLASS, min_length=1)
    connect_exception_message: str = Field(alias=CONNECT_MESSAGE)


def cut_detail(detail: str) -> bytes:
    """The detail as header bytes: at most 512, and never half a character."""
    return detail.encode()[:MAX_DETAIL_BYTES].decode(errors="ignore").encode()


def read_headers(
    headers: list[tuple[str, bytes | None]] | tuple[tuple[str, bytes | None], ...],
) -> DeadLetterHeaders:
    """The headers of a dead-letter record; the last of a name counts, as in Kafka. Raises ``ValidationError``."""
    ours = {
        name: value.decode() for name, value in headers if name in DEAD_LETTER_HEADERS and value is not None
    }
    return DeadLetterHeaders.model_validate(ours)
