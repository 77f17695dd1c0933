"""Step 2, authenticate: whether a record may be looked at any further, before a byte of it is parsed.

Size comes first, so that no later step ever works on more than the contract allows.
"""

from __future__ import annotations

from processor.lane.work import Arrival
from processor.ports import UnparsableRecord
from schemas.reasons import Reason


def authenticate(arrivals: list[Arrival], *, max_event_bytes: int) -> None:
    """Give a reason to each arrival that must not go on to decoding."""
    for arrival in arrivals:
        record = arrival.record
        if isinstance(record, UnparsableRecord):
            arrival.reason = Reason.UNDECODABLE
            arrival.detail = f"The record itself cannot be taken apart: {record.problem}."
        elif record.value is not None and len(record.value) > max_event_bytes:
            arrival.reason = Reason.TOO_LARGE
            arrival.detail = f"The event has {len(record.value)} bytes; at most {max_event_bytes} are read."
