"""Dead letters of a batch: what the door refused, and what the locked state or its attempts turned into one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Protocol

from processor.domain.answers import Refusal
from processor.lane.decode import broker_time
from processor.lane.journal import Header
from processor.lane.render import Renderer, without_our_headers
from processor.lane.work import Arrival
from processor.ports import DeadLetter

#: Headers that `croupier dead-letters replay` adds to an original that it sends again.
REPLAY_OF: Final = "wallet-replay-of"
REPLAY_COUNT: Final = "wallet-replay-count"
#: And where he signs: which key of his, and its signature over the letter's id and the digest of its bytes.
REPLAY_KEY_ID: Final = "wallet-replay-key-id"
REPLAY_SIGNATURE: Final = "wallet-replay-signature"
#: All headers of a replay; the next one puts its own in their place.
REPLAY_HEADERS: Final = frozenset({REPLAY_OF, REPLAY_COUNT, REPLAY_KEY_ID, REPLAY_SIGNATURE})
#: And what `croupier dead-letters edit` adds besides to a corrected event.
EDITED: Final = "wallet-edited"


#: What a letter's id looks like (`Renderer.letter_id`); anybody can put anything into a header.
_LETTER_ID: Final = re.compile(rb"[0-9]{1,10}-[0-9]{1,10}-[0-9]{1,19}")


class Original(Protocol):
    """A record or parked row that still has the bytes it came with."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


def door_letter(arrival: Arrival, renderer: Renderer) -> DeadLetter:
    """The letter of a record that never became a command; what the sender claims to be is read from the refusal."""
    record = arrival.record
    replay_of, replay_count = _replay(record.headers)
    return DeadLetter(
        letter_id=renderer.letter_id(record),
        reason=arrival.reason or "POISON",
        detail=arrival.detail,
        attempts=1,
        partition=record.partition,
        offset=record.offset,
        broker_time=broker_time(record.timestamp),
        key=record.key,
        value=record.value,
        headers=without_our_headers(record.headers),
        provider=arrival.claimed_provider,
        player_id=arrival.claimed_player_id,
        transaction_id=None,
        replay_count=replay_count,
        replay_of=replay_of,
    )


def refused_letter(refusal: Refusal, original: Original, renderer: Renderer) -> DeadLetter:
    """The letter of a believed event that its state or its attempts made one (`KEY_MISMATCH`, `POISON`)."""
    command = refusal.command
    replay_of, replay_count = _replay(original.headers)
    return DeadLetter(
        letter_id=renderer.letter_id(command),
        reason=refusal.reason,
        detail=refusal.detail,
        attempts=refusal.attempts,
        partition=command.partition,
        offset=command.offset,
        broker_time=command.broker_time,
        key=original.key,
        value=original.value,
        headers=without_our_headers(original.headers),
        provider=command.provider,
        player_id=command.player_id,
        transaction_id=command.transaction_id,
        replay_count=replay_count,
        replay_of=replay_of,
    )


def _replay(headers: Sequence[Header]) -> tuple[str | None, int]:
    replay_of, count = None, 0
    for name, content in headers:
        if name == REPLAY_OF and content is not None:
            replay_of = content.decode() if _LETTER_ID.fullmatch(content) else None
        elif name == REPLAY_COUNT and content is not None and content.isdigit() and len(content) < 6:
            count = int(content)
    return replay_of, count
