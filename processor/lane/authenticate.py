"""Step 2, authenticate: whether a record may be looked at any further, before a byte of it is parsed.

Size comes first, so that no later step ever works on more than the contract allows. Then, where signing is required,
the signature: the key is known and valid, it signed these very bytes, and not too long before (or after) the broker
got them. The broker's time counts, so a backlog of hours makes no honest event stale.
"""

from __future__ import annotations

from typing import Final

from processor.lane.dead_letters import REPLAY_KEY_ID, REPLAY_OF, REPLAY_SIGNATURE
from processor.lane.work import Arrival
from processor.ports import EventRecord, Keys, SenderKey, UnparsableRecord
from schemas.events import OPERATOR
from schemas.reasons import Reason
from schemas.signing import KEY_ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER

#: The headers that are read here; of a name that comes twice the last counts, as everywhere in Kafka.
_READ: Final = frozenset(
    {KEY_ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER, REPLAY_OF, REPLAY_KEY_ID, REPLAY_SIGNATURE}
)
_SIGNING: Final = (KEY_ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER)
#: Enough for any time in milliseconds, and little enough to be read as a number.
_MOST_DIGITS: Final = 16


def authenticate(arrivals: list[Arrival], *, max_event_bytes: int, gate: Gate | None = None) -> None:
    """Give a reason to each arrival that must not go on to decoding; without a gate nobody has to sign."""
    for arrival in arrivals:
        record = arrival.record
        if isinstance(record, UnparsableRecord):
            arrival.reason = Reason.UNDECODABLE
            arrival.detail = f"The record itself cannot be taken apart: {record.problem}."
        elif record.value is not None and len(record.value) > max_event_bytes:
            arrival.reason = Reason.TOO_LARGE
            arrival.detail = f"The event has {len(record.value)} bytes; at most {max_event_bytes} are read."
    if gate is not None:
        for arrival in arrivals:
            if arrival.reason is None:
                gate.check(arrival)


class Gate:
    """Believes a record its sender, or says why not. ``window_ms`` lies on both sides of the broker's time."""

    def __init__(self, keys: Keys, *, window_ms: int) -> None:
        self._keys = keys
        self._window_ms = window_ms

    def check(self, arrival: Arrival) -> None:
        """Note who signed the record (`Arrival.sender`), or the first reason not to believe it."""
        record = arrival.record
        headers = {name: content for name, content in record.headers if name in _READ and content is not None}
        key_id, timestamp, signature = (headers.get(name) for name in _SIGNING)
        if key_id is None or timestamp is None or signature is None:
            missing = next(name for name in _SIGNING if name not in headers)
            _refuse(arrival, Reason.BAD_SIGNATURE, f"The header {missing} is missing.")
            return
        key = self._keys.find(key_id)
        if key is None:
            _refuse(arrival, Reason.UNKNOWN_KEY, "The header x-key-id names no key that is known here.")
            return
        if not key.is_valid_at(record.timestamp):
            _refuse(arrival, Reason.UNKNOWN_KEY, f"The key {key.key_id} was not valid when the event came.")
            return
        value = record.value or b""
        if not key.signed(value, timestamp, signature) or not _is_time(timestamp):
            _refuse(
                arrival, Reason.BAD_SIGNATURE, f"The signature is not the key {key.key_id}'s for this event."
            )
            return
        arrival.sender = key
        if REPLAY_SIGNATURE in headers:
            self._check_replay(arrival, key, value, int(timestamp), headers)
        elif abs(int(timestamp) - record.timestamp) > self._window_ms:
            self._refuse_age(arrival, int(timestamp))
        key.used(record.timestamp)

    def _check_replay(
        self, arrival: Arrival, key: SenderKey, value: bytes, timestamp_ms: int, headers: dict[str, bytes]
    ) -> None:
        """An operator's signature over a letter excuses the age of the sender's timestamp, and nothing else. Where the
        operator signed the event too, it is his correction of that letter."""
        replayer = self._replayer(arrival.record, value, headers)
        if replayer is None:
            if abs(timestamp_ms - arrival.record.timestamp) > self._window_ms:
                self._refuse_age(arrival, timestamp_ms)
        elif replayer is key:
            arrival.sender = key.editor

    def _replayer(
        self, record: EventRecord | UnparsableRecord, value: bytes, headers: dict[str, bytes]
    ) -> SenderKey | None:
        """The operator's key that vouches for the replay, None where none does."""
        key = self._keys.find(headers.get(REPLAY_KEY_ID, b""))
        if key is None or key.foreign or key.owner != OPERATOR or not key.is_valid_at(record.timestamp):
            return None
        letter_id = headers.get(REPLAY_OF, b"").decode("ascii", "replace")
        return key if key.vouched(letter_id, value, headers[REPLAY_SIGNATURE]) else None

    def _refuse_age(self, arrival: Arrival, timestamp_ms: int) -> None:
        away_seconds = abs(timestamp_ms - arrival.record.timestamp) / 1000
        _refuse(
            arrival,
            Reason.STALE_TIMESTAMP,
            f"The sender's timestamp is {away_seconds:.1f} s away from the broker's; "
            f"{self._window_ms / 1000:g} s are allowed.",
        )


def _is_time(timestamp: bytes) -> bool:
    return timestamp.isdigit() and len(timestamp) <= _MOST_DIGITS


def _refuse(arrival: Arrival, reason: Reason, detail: str) -> None:
    arrival.reason, arrival.detail = reason, detail
