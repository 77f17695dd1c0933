"""What the wallet would answer to events now, without doing it: the door and the law over today's locked state.

The very code of the lane decides, in a transaction that is always rolled back; the players' rows are locked for as
long as one such sitting takes.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from processor.domain.answers import Answer, Refusal
from processor.domain.precedence import DECIDED_TYPES
from processor.domain.profiles import Reference
from processor.domain.queues import Bounds
from processor.domain.sitting import PoisonError, Sitting
from processor.lane.authenticate import Gate, authenticate
from processor.lane.decode import Door
from processor.lane.load import load
from processor.lane.work import Arrival
from processor.ops.desk import stored_layout
from processor.ops.signing import key_ring
from processor.ports import StoredRecord
from processor.postgres.ledger import PostgresLedger
from processor.postgres.reference import read_reference
from processor.settings import Settings
from processor.system import RandomIdentifiers

#: Events decided in one sitting; together, because one may take the money that the next one needs.
_SITTING_EVENTS = 100
#: Where pretended positions begin: no real offset is so high.
_PRETENDED_OFFSET = 1 << 62
_ANY_AGE_MS = 1 << 62


class Fate(StrEnum):
    """What would come of an event."""

    APPLIED = "applied"
    REPEAT = "answered as a repeat"
    REJECTED = "rejected"
    PARKED = "parked"
    REFUSED = "refused again"


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What would come of one event: its fate, the code or reason, and a sentence where there is one."""

    fate: Fate
    code: str
    detail: str = ""

    def words(self) -> str:
        """For a person."""
        return f"{self.fate} ({self.code})" + (f": {self.detail}" if self.detail else "")


@dataclass(frozen=True, slots=True)
class PastEvent:
    """An event as it once came, to be imagined coming again to its partition."""

    partition: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


async def foresee(settings: Settings, events: Sequence[PastEvent]) -> list[Foreseen]:
    """What would come of these events if they came now, in this order. Raises `errors.CroupierError`."""
    dsn = settings.postgres_dsn.get_secret_value()
    reference = await read_reference(dsn)
    layout = await stored_layout(settings)
    ledger = PostgresLedger(dsn, shards=settings.shards if layout is None else layout.shards)
    teller = _Teller(settings, reference, ledger)
    try:
        found: list[Foreseen] = []
        for start in range(0, len(events), _SITTING_EVENTS):
            found += await teller.foresee(events[start : start + _SITTING_EVENTS])
        return found
    finally:
        await ledger.close()


def counted(foreseen: Iterable[Foreseen]) -> dict[str, int]:
    """How many of each fate, every fate named."""
    counts = Counter(one.fate for one in foreseen)
    return {fate.value: counts[fate] for fate in Fate}


class _Teller:
    def __init__(self, settings: Settings, reference: Reference, ledger: PostgresLedger) -> None:
        self._settings = settings
        self._reference = reference
        self._ledger = ledger
        self._door = Door(reference.currencies, DECIDED_TYPES)
        ring = key_ring(settings) if settings.signing == "required" else None
        # The operator vouches for what he sends again, so no timestamp is too old.
        self._gate = None if ring is None else Gate(ring, window_ms=_ANY_AGE_MS)

    async def foresee(self, events: Sequence[PastEvent]) -> list[Foreseen]:
        now = datetime.now(UTC)
        arrivals = [_arrival(event, number, now) for number, event in enumerate(events)]
        authenticate(arrivals, max_event_bytes=self._settings.max_event_bytes, gate=self._gate)
        self._door.open(arrivals)
        try:
            said = await self._decide([one for one in arrivals if one.command is not None], now)
        except PoisonError as poison:
            if len(events) == 1:
                return [Foreseen(Fate.REFUSED, "POISON", f"The law fails over it: {poison.__cause__!r}.")]
            return [fate for event in events for fate in await self.foresee([event])]
        return [_foreseen(arrival, said) for arrival in arrivals]

    async def _decide(self, arrivals: list[Arrival], now: datetime) -> Mapping[int, Answer | Refusal]:
        """What the law says, by pretended offset; what is not in it would be parked."""
        if not arrivals:
            return {}
        async with self._ledger.batch() as transaction:
            books = await load(transaction, list(arrivals), self._door, self._reference, {})
            sitting = Sitting(
                books,
                self._reference,
                decided_at=now,
                identifiers=RandomIdentifiers().transaction_ids(now),
                watermarks={},
                bounds=Bounds(max_parked=self._settings.max_parked),
                jitter=random.random,
            )
            for arrival in arrivals:
                assert arrival.command is not None
                sitting.take(arrival.command, arrival.record)
        return {said.command.offset: said for said in sitting.said}


def _arrival(event: PastEvent, number: int, now: datetime) -> Arrival:
    milliseconds = round(now.timestamp() * 1000)
    offset = _PRETENDED_OFFSET + number
    return Arrival(StoredRecord(event.partition, offset, milliseconds, event.key, event.value, event.headers))


def _foreseen(arrival: Arrival, said: Mapping[int, Answer | Refusal]) -> Foreseen:
    if arrival.command is None:
        return Foreseen(Fate.REFUSED, str(arrival.reason), arrival.detail)
    answer = said.get(arrival.record.offset)
    if answer is None:
        return Foreseen(
            Fate.PARKED, "PARKED", "It would wait for the event that it awaits, or behind one that does."
        )
    if isinstance(answer, Refusal):
        return Foreseen(Fate.REFUSED, answer.reason, answer.detail)
    if answer.replayed:
        return Foreseen(Fate.REPEAT, str(answer.code), "Its transaction id is known; no money would move.")
    if str(answer.code) == "OK":
        return Foreseen(Fate.APPLIED, "OK")
    return Foreseen(Fate.REJECTED, str(answer.code))
