"""A ledger in memory that gives the law only what it asked for: what `want` does not name, a decision cannot see."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from processor.domain.answers import Answer, Refusal
from processor.domain.commands import Command
from processor.domain.profiles import Reference
from processor.domain.queues import Bounds
from processor.domain.sitting import Sitting, full_delay
from processor.domain.state import BetMark, Books, Entry, Outcome, Parked, Player, Round, Session
from processor.domain.wanted import Wanted
from processor.domain.wants import want, want_queues

START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def transaction_ids() -> Iterator[str]:
    """Ids that tell their order."""
    return (f"0199-{number:08d}" for number in count(1))


@dataclass
class MemoryLedger:
    """Everything a real ledger keeps, in dicts; `run` is one batch, from load to write."""

    reference: Reference
    bounds: Bounds = field(default_factory=Bounds)
    now: datetime = START
    players: dict[str, Player] = field(default_factory=dict)
    outcomes: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    marks: dict[tuple[str, str, str], BetMark] = field(default_factory=dict)
    rounds: dict[tuple[str, str, str], Round] = field(default_factory=dict)
    sessions: dict[tuple[str, str], Session] = field(default_factory=dict)
    parked: list[Parked] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    said: list[Answer | Refusal] = field(default_factory=list)
    identifiers: Iterator[str] = field(default_factory=transaction_ids)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    jitter: Callable[[], float] = full_delay

    def run(
        self,
        commands: Iterable[Command],
        *,
        poisonous: Mapping[tuple[int, int], str] | None = None,
        then: Callable[[Sitting], object] | None = None,
    ) -> list[Answer | Refusal]:
        """One batch: load what is wanted, sit, write back. What was said, in order."""
        batch = list(commands)
        due = self._due()
        books = self._load(batch, {player_id for player_id, _ in due})
        partitions = {command.partition for command in batch} | {row.partition for row in self.parked}
        sitting = Sitting(
            books,
            self.reference,
            decided_at=self.now,
            identifiers=self.identifiers,
            watermarks=dict.fromkeys(partitions, self.now),
            bounds=self.bounds,
            jitter=self.jitter,
            poisonous=poisonous,
        )
        for command in batch:
            sitting.take(command)
        for player_id, provider in due:
            sitting.release(player_id, provider)
        if then is not None:
            then(sitting)
        self._write(books)
        self.said.extend(sitting.said)
        return sitting.said

    def pass_time(self, seconds: float) -> None:
        """Let the clocks (the broker's and ours) go on."""
        self.now += timedelta(seconds=seconds)

    def _due(self) -> list[tuple[str, str]]:
        heads: dict[tuple[str, str], Parked] = {}
        for row in sorted(self.parked, key=lambda row: row.position):
            heads.setdefault((row.player_id, row.provider), row)
        # In the order of names: whose queue comes first of several that are due together is promised to nobody.
        return [
            key
            for key, row in sorted(heads.items(), key=lambda one: one[0])
            if min(row.next_attempt_at, row.expires_at) <= self.now
        ]

    def _load(self, batch: list[Command], also: set[str]) -> Books:
        books = Books()
        wanted = Wanted()
        for player_id in {command.player_id for command in batch} | also | {"p"}:
            books.players[player_id] = self._lock(player_id)
            want_queues(books.players[player_id], self.reference, wanted)
        for command in batch:
            want(command, self.reference, wanted, books.players[command.player_id])
        self._read(books, wanted)
        return books

    def _lock(self, player_id: str) -> Player:
        stored = self.players.setdefault(player_id, Player(player_id, next(self.numbers), 0))
        player = copy(stored)
        player.changed = False
        player.currencies = list(stored.currencies)
        player.accounts = {key: copy(account) for key, account in stored.accounts.items()}
        player.rounds, player.sessions, player.bets, player.queues = {}, {}, {}, {}
        for row in self.parked:
            if row.player_id == player_id:
                player.queues.setdefault(row.provider, []).append(copy(row))
        return player

    def _read(self, books: Books, wanted: Wanted) -> None:
        for key in wanted.keys:
            if key in self.outcomes:
                books.outcomes[key] = copy(self.outcomes[key])
        for player_id, provider, key_ in wanted.rounds_of:
            outcome = self.outcomes.get((provider, key_))
            if outcome is not None and outcome.player_id == player_id and outcome.round_id is not None:
                wanted.rounds.add((player_id, provider, outcome.round_id))
        for player_id, provider, key_, suffix in wanted.bets_of:
            outcome = self.outcomes.get((provider, key_))
            if outcome is not None and outcome.player_id == player_id and outcome.reference is not None:
                wanted.bets.add((player_id, provider, f"{outcome.reference}{suffix}"))
        for player_id, provider, key_ in wanted.bets & self.marks.keys():
            books.players[player_id].bets[(provider, key_)] = copy(self.marks[(player_id, provider, key_)])
        for player_id, provider, key_ in wanted.rounds & self.rounds.keys():
            books.players[player_id].rounds[(provider, key_)] = copy(self.rounds[(player_id, provider, key_)])
        for (player_id, session_id), session in self.sessions.items():
            is_open = session.closed_at is None and session.replaced_at is None
            named = (player_id, session_id) in wanted.sessions | wanted.whole_sessions
            if named or (player_id in wanted.with_channels and is_open):
                books.players[player_id].sessions[session_id] = copy(session)

    def _write(self, books: Books) -> None:
        for player_id, player in books.players.items():
            self.players[player_id] = player
            self.marks.update({(player_id, *key): mark for key, mark in player.bets.items() if mark.changed})
            self.rounds.update(
                {(player_id, *key): item for key, item in player.rounds.items() if item.changed}
            )
            for session_id, session in player.sessions.items():
                if session.changed:
                    session.stored = True
                    self.sessions[(player_id, session_id)] = session
            for rows in player.queues.values():
                for row in rows:
                    if row.number is not None and (row.gone or row.changed):
                        self.parked = [other for other in self.parked if other.number != row.number]
                        self.parked += [] if row.gone else [row]
        for outcome in books.new_outcomes:
            assert (outcome.provider, outcome.key) not in self.outcomes, "an id is decided once"
            self.outcomes[(outcome.provider, outcome.key)] = outcome
        for row in books.new_parked:
            assert row.number is None
            assert not row.gone
            row.number = next(self.numbers)
            self.parked.append(row)
        self.entries.extend(books.new_entries)
