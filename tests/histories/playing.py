"""Plays histories through steps 2 to 8 of a lane, over whichever ledger: what was published, and what is known then."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import orjson

from processor.domain.profiles import Reference
from processor.domain.queues import Bounds
from processor.domain.state import Player
from processor.lane.apply import Batches
from processor.lane.breaker import Breaker
from processor.lane.observer import SilentObserver
from processor.lane.patience import Patience
from processor.lane.references import References, Row
from processor.lane.watermarks import Watermarks
from processor.lane.work import Due, Item, Position
from processor.ports import Layout, Ledger, OutRecord, StoredRecord, Wanted
from tests.contract.ledger.bookkeeper import LANES, LAYOUT, PARTITIONS, SHARDS
from tests.histories.events import BETS, PLAYERS, ROUNDS, SESSIONS, WINS, Event, History, named
from tests.unit.domain.memory import START

#: So long after the last event nothing is waited for any more.
_AFTERWARDS = timedelta(minutes=10)


class HistoryClock:
    """Stands still but where it is moved; both clocks go together."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def monotonic_seconds(self) -> float:
        return (self.time - START).total_seconds()

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing fails here, so nothing waits")


@dataclass
class Counted:
    """Identifiers that tell their order, the same in every world."""

    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def transaction_ids(self, at: datetime) -> Iterator[str]:
        return (f"01990000-0000-7000-8000-{number:012x}" for number in self.numbers)


class _ReadToTheEnd:
    """A reader that has nothing more."""

    def highwater(self, partition: int) -> int:
        return 0

    def position(self, partition: int) -> int:
        return 0


@dataclass
class Stage:
    """One lane of one ledger, on which histories are played one after the other."""

    ledger: Ledger
    clock: HistoryClock = field(default_factory=HistoryClock)
    identifiers: Counted = field(default_factory=Counted)
    offset: int = 0
    position: Position | None = None

    async def play(
        self, history: History, prefix: str, sizes: Sequence[int] | None = None, times: int = 1
    ) -> list[OutRecord]:
        """All that is published for a history (``times`` over), the kept events' last answers included."""
        if self.position is None:
            row = await self.ledger.take_lane(LAYOUT, 0, owner="history")
            first = {partition: 0 for partition in range(PARTITIONS) if partition % LANES == 0}
            row = await self.ledger.bootstrap_lane(LAYOUT, 0, row.epoch, first)
            self.position = Position.of(row)
        self.clock.time = START
        watermarks = Watermarks(self.clock)
        batches = self._batches(history.reference(prefix), watermarks)
        published: list[OutRecord] = []
        for _ in range(times):
            for records in self._cut(history, prefix, sizes or history.batch_sizes):
                self.clock.time = max(self.clock.time, _time_of(records[-1]))
                watermarks.fetched(records, _ReadToTheEnd(), [0])  # type: ignore[arg-type]  # asked for its end alone
                due = await self._due(watermarks)
                published += await self._apply(batches, [*due, *await batches.open(records, 1)])
        self.clock.time += _AFTERWARDS
        watermarks.fetched([], _ReadToTheEnd(), [0])  # type: ignore[arg-type]  # asked for its end alone
        self.clock.time += _AFTERWARDS
        while due := await self._due(watermarks):
            published += await self._apply(batches, due)
        return published

    async def _due(self, watermarks: Watermarks) -> list[Item]:
        found = await self.ledger.due_parked(watermarks.times([0]), limit=1000)
        return [Due(*one) for one in sorted(found)]

    async def _apply(self, batches: Batches, items: list[Item]) -> list[OutRecord]:
        assert self.position is not None
        applied = [one async for one in batches.apply(items, self.position, lambda: False)]
        return [record for one in applied for record in one.records]

    def _cut(self, history: History, prefix: str, sizes: Sequence[int]) -> Iterator[list[StoredRecord]]:
        events = [named(event, prefix) for event in history.events]
        place = 0
        for size in _endless(sizes):
            if place >= len(events):
                return
            part = range(place, min(place + size, len(events)))
            yield [self._record(events[one], history.at[one]) for one in part]
            place += size

    def _record(self, event: Event, seconds: int) -> StoredRecord:
        at = START + timedelta(seconds=seconds)
        value = orjson.dumps({**event, "occurred_at": at.isoformat()})
        self.offset += 1
        key = str(event["player_id"]).encode()
        return StoredRecord(0, self.offset - 1, round(at.timestamp() * 1000), key, value, ())

    def _batches(self, reference: Reference, watermarks: Watermarks) -> Batches:
        async def read(_: Set[str]) -> list[Row]:
            return []

        observer = SilentObserver()
        layout = Layout(LAYOUT, "wallet.events", "topic-id", PARTITIONS, LANES, SHARDS)
        return Batches(
            0,
            self.ledger,
            self.clock,
            self.identifiers,
            References(read, lambda _: reference, frozenset({"providers"}), current=reference),
            watermarks,
            Bounds(max_parked=100),
            Breaker(in_a_row=1, share=0.001, window=1000),
            Patience(0, self.clock, observer, 0.1, 5.0),
            observer,
            _no_hook,
            layout.topic,
            "group",
            65_536,
            random.Random(1),
        )


async def _no_hook(step: int, when: str, seq: int) -> None:
    """Nobody troubles these lanes."""


def results_of(published: Sequence[OutRecord]) -> list[dict[str, Any]]:
    """The bodies of the results, in the order of decision."""
    return [orjson.loads(one.value or b"") for one in published if one.topic == "results"]


def _time_of(record: StoredRecord) -> datetime:
    return START + timedelta(milliseconds=record.timestamp - round(START.timestamp() * 1000))


def _endless(sizes: Sequence[int]) -> Iterator[int]:
    while True:
        yield from sizes


async def known_of(ledger: Ledger, prefix: str) -> list[object]:
    """All that a ledger knows of the players of a history, in a form that can be compared."""
    players = [f"{prefix}{name}" for name in sorted(set(PLAYERS))]
    async with ledger.batch() as transaction:
        books = await transaction.lock(dict.fromkeys(players, 0))
        wanted = Wanted(with_channels=set(players))
        for player_id in players:
            for provider in (f"{prefix}acme", f"{prefix}live"):
                wanted.rounds |= {(player_id, provider, f"{prefix}{one}") for one in ROUNDS}
                keys = [f"{prefix}{one}" for one in (*BETS, *WINS, "x1", "x2", "m1", "m2")]
                keys += [f"{key}\x1f{player_id}" for key in keys]
                keys += [f"\x1f{key}" for key in keys]
                wanted.bets |= {(player_id, provider, key) for key in keys}
            wanted.whole_sessions |= {(player_id, f"{prefix}{one}") for one in SESSIONS}
        await transaction.read(books, wanted)
    return [_facts(books.players[player_id]) for player_id in players]


def _facts(player: Player) -> object:
    accounts = [
        (one.currency, one.pool, one.balance_minor, one.version, one.usage.text() if one.usage else None)
        for one in player.accounts.values()
    ]
    rounds = [
        (one.provider, one.round_id, one.game_id, one.currency, one.opened_at, one.closed_at, one.bets,
         one.bets_rolled_back, one.wins, one.staked_minor, one.won_minor, sorted((one.also or {}).items()))
        for one in player.rounds.values()
    ]  # fmt: skip
    marks = [
        (one.provider, one.key, one.rolled_back, one.wins, one.game_wins, one.won_minor, one.refunded_minor,
         sorted((one.paid_otherwise or {}).items()))
        for one in player.bets.values()
    ]  # fmt: skip
    sessions = [
        (
            one.session_id,
            one.channel,
            one.currency,
            one.opened_at,
            one.expires_at,
            one.closed_at,
            one.replaced_at,
        )
        for one in player.sessions.values()
    ]
    about = (player.sequence, player.partition, player.blocked, player.excluded_until, player.time_zone)
    more = (
        player.tombstones,
        player.limits,
        player.bonuses,
        player.currencies,
        [name for name, rows in player.queues.items() if rows],
    )
    return (*about, *more, sorted(accounts), sorted(rounds), sorted(marks), sorted(sessions, key=repr))
