"""Plays the acceptance cases of `tests/cases` without servers: door, law and rendering over a ledger in memory.

The records, the made-up names and the comparison are those of `croupier certify`: what passes here fails there only
for what lies between, which is Kafka and Postgres.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import orjson

from processor.devstack.certify.cases import Case, Step, Together, load_cases
from processor.devstack.certify.cast import Cast
from processor.devstack.certify.matching import differences, together_differences
from processor.devstack.replies import Place, Reply
from processor.domain.answers import Answer
from processor.domain.precedence import DECIDED_TYPES
from processor.domain.profiles import Rate, Reference
from processor.lane.authenticate import authenticate
from processor.lane.decode import Door
from processor.lane.render import Renderer
from processor.lane.work import Arrival
from processor.ports import StoredRecord
from processor.postgres.reference import profile_of
from schemas.currencies import BUILT_IN_CURRENCIES
from tests.unit.domain.memory import MemoryLedger

CASES: Final = Path(__file__).parents[2] / "cases"
MAX_EVENT_BYTES: Final = 65_536


def all_cases() -> list[Case]:
    """Every case of the files, in order."""
    return load_cases(sorted(CASES.glob("*.yaml")))


class CasePlayer:
    """Plays one case; every event is a batch of its own, those sent together are one batch."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._cast = Cast(case, "run", 1)
        providers = {name: profile_of(name, case.profile) for name in (self._cast.provider, self._cast.other)}
        now = datetime.now(UTC)
        rates = {
            (one.source, one.target): [
                Rate(one.rate, now - timedelta(hours=one.hours_old, seconds=1), "the case")
            ]
            for one in case.rates
        }
        reference = Reference(1, providers, {}, dict(BUILT_IN_CURRENCIES), rates=rates)
        self.ledger = MemoryLedger(reference)
        self.ledger.now = now
        self._door = Door(BUILT_IN_CURRENCIES, DECIDED_TYPES)
        self._replies: dict[Place, Reply] = {}
        self._offset = 0

    def play(self) -> None:
        for step in [*self._cast.opening(), *self._case.steps]:
            self._play(step)
        assert self.ledger.parked == []

    def _play(self, step: Step | Together) -> None:
        steps = step.steps if isinstance(step, Together) else [step]
        places = self._send(steps)
        while any(place not in self._replies for place in places) and self.ledger.parked:
            self.ledger.pass_time(61)
            self._hear(self.ledger.run([]))
        for one, place in zip(steps, places, strict=True):
            wrong = differences(one.expect, list(self._came_to(place)))
            assert not wrong, f"{one.type} {one.transaction_id}: {wrong}"
        if isinstance(step, Together):
            results = [reply.body for place in places for reply in self._came_to(place) if reply.body]
            wrong = together_differences(step.expect, results)
            assert not wrong, wrong

    def _send(self, steps: Sequence[Step]) -> list[Place]:
        """All of these as one batch; gives their places."""
        arrivals = [Arrival(self._record(step)) for step in steps]
        authenticate(arrivals, max_event_bytes=MAX_EVENT_BYTES)
        self._door.open(arrivals)
        for arrival in arrivals:
            if arrival.reason is not None:
                place = Place(arrival.record.partition, arrival.record.offset)
                self._replies[place] = Reply(place, 0.0, reason=arrival.reason, detail=arrival.detail)
        self._hear(self.ledger.run([one.command for one in arrivals if one.command is not None]))
        return [Place(one.record.partition, one.record.offset) for one in arrivals]

    def _record(self, step: Step) -> StoredRecord:
        message = self._cast.message(step)
        self._offset += 1
        timestamp = int(self.ledger.now.timestamp() * 1000)
        return StoredRecord(0, self._offset, timestamp, message.key, message.value, message.headers)

    def _hear(self, said: Sequence[object]) -> None:
        renderer = Renderer(
            currencies=BUILT_IN_CURRENCIES,
            topic="wallet.events",
            group="croupier",
            layout=1,
            lane=0,
            seq=1,
            at=self.ledger.now,
        )
        for answer in said:
            assert isinstance(answer, Answer), answer
            place = Place(answer.command.partition, answer.command.offset)
            assert place not in self._replies, "one event, one answer"
            self._replies[place] = Reply(place, 0.0, body=orjson.loads(renderer.result(answer).value or b""))

    def _came_to(self, place: Place) -> Iterator[Reply]:
        if place in self._replies:
            yield self._replies[place]
