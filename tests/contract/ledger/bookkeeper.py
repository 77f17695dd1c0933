"""A lane's hand for tests of the ledger: deeds are booked as the law would book them, batch by batch, sealed."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from processor.domain.seal import entry_line, outcome_line, seal, sealed_lines
from processor.domain.state import (
    Account,
    BetMark,
    Bonus,
    Books,
    Entry,
    Limit,
    Outcome,
    Parked,
    Player,
    Round,
    Session,
)
from processor.domain.usage import Usage
from processor.ports import DeadLetter, LaneMove, LaneRow, Ledger, LedgerBatch, Wanted, Written

LAYOUT, PARTITIONS, LANES, SHARDS = 1, 8, 2, 4
#: Of today: months of entries are made from the last one on.
NOW = datetime.now(UTC).replace(microsecond=123456)
HOUSE = "house:"

Act = Callable[[Player, Books], None]


@dataclass
class Deed:
    """Something a player does: who, in which partition, what must be read for it, what it changes."""

    player_id: str
    partition: int
    act: Act
    wanted: Wanted = field(default_factory=Wanted)


@dataclass
class Bookkeeper:
    """Keeps one lane's books over a ledger, remembering what a lane remembers."""

    ledger: Ledger
    row: LaneRow
    decided_at: datetime = NOW

    @classmethod
    async def of(cls, ledger: Ledger, lane: int, *, owner: str = "worker-1") -> Bookkeeper:
        """Take the lane, and bootstrap it where it is fresh."""
        row = await ledger.take_lane(LAYOUT, lane, owner=owner)
        if row.fresh:
            first = {partition: 0 for partition in range(PARTITIONS) if partition % LANES == lane}
            row = await ledger.bootstrap_lane(LAYOUT, lane, row.epoch, first)
        return cls(ledger, row)

    def move(self, moved: Mapping[int, int] | None = None, *, published_seq: int | None = None) -> LaneMove:
        """The compare-and-set of the next batch."""
        row = self.row
        published = row.published_seq if published_seq is None else published_seq
        after = {**row.next_offsets, **(moved or {})}
        return LaneMove(row.layout, row.lane, row.epoch, row.applied_seq, row.next_offsets, after, published)

    async def apply(
        self,
        *deeds: Deed,
        published_seq: int | None = None,
        dead_letters: Sequence[DeadLetter] = (),
        requests_done: Sequence[tuple[int, str]] = (),
        journal: bytes = b"journal",
    ) -> Books:
        """One batch, committed."""
        async with self.ledger.batch() as batch:
            moved = await self.write(
                batch,
                *deeds,
                published_seq=published_seq,
                dead_letters=dead_letters,
                requests_done=requests_done,
                journal=journal,
            )
            await batch.commit()
        self.row.applied_seq += 1
        self.row.published_seq = moved[0].published_seq
        self.row.next_offsets = dict(moved[0].moved_offsets)
        self.row.seal = moved[1].seal
        return moved[1].books

    async def write(
        self,
        batch: LedgerBatch,
        *deeds: Deed,
        published_seq: int | None = None,
        dead_letters: Sequence[DeadLetter] = (),
        requests_done: Sequence[tuple[int, str]] = (),
        journal: bytes = b"journal",
    ) -> tuple[LaneMove, Written]:
        """Steps 4 to 7 of one batch, not committed."""
        moved = dict(self.row.next_offsets)
        for deed in deeds:
            moved[deed.partition] = moved.get(deed.partition, 0) + 1
        move = self.move(moved, published_seq=published_seq)
        await batch.fence(move)
        books = await self.load(batch, *deeds)
        for deed in deeds:
            deed.act(books.players[deed.player_id], books)
        written = self.written(books, dead_letters, requests_done, journal)
        await batch.write(written)
        return move, written

    async def load(self, batch: LedgerBatch, *deeds: Deed) -> Books:
        """Step 5."""
        books = await batch.lock({deed.player_id: deed.partition for deed in deeds})
        wanted = Wanted()
        for deed in deeds:
            for name in (
                "keys",
                "bets",
                "rounds",
                "sessions",
                "whole_sessions",
                "with_channels",
                "rounds_of",
                "repairs",
            ):
                getattr(wanted, name).update(getattr(deed.wanted, name))
        await batch.read(books, wanted)
        return books

    def written(
        self,
        books: Books,
        dead_letters: Sequence[DeadLetter] = (),
        requests_done: Sequence[tuple[int, str]] = (),
        journal: bytes = b"journal",
    ) -> Written:
        """What step 7 stores, sealed."""
        outcomes, entries = books.new_outcomes, books.new_entries
        lines = [outcome_line(outcome) for outcome in outcomes]
        entry_lines = [entry_line(entry) for entry in entries]
        return Written(
            decided_at=self.decided_at,
            books=books,
            outcomes=outcomes,
            outcome_lines=lines,
            entries=entries,
            entry_lines=entry_lines,
            house=_house_changes(books.new_entries),
            dead_letters=list(dead_letters),
            requests_done=list(requests_done),
            journal=journal,
            records=len(lines),
            seal=seal(self.row.seal, sealed_lines(outcomes, lines, entries, entry_lines)),
            previous_seal=self.row.seal,
            revision=0,
        )


def _house_changes(entries: Sequence[Entry]) -> dict[tuple[str, str, str], int]:
    changes: dict[tuple[str, str, str], int] = {}
    for entry in entries:
        for side, change in ((entry.debit, -entry.amount_minor), (entry.credit, entry.amount_minor)):
            if side.startswith(HOUSE):
                name = (entry.provider, entry.currency, side.removeprefix(HOUSE))
                changes[name] = changes.get(name, 0) + change
    return changes


def book(
    player: Player,
    books: Books,
    *,
    provider: str,
    key: str,
    type_: str,
    movements: Sequence[tuple[str, str, int]] = (),
    currency: str = "EUR",
    code: str = "OK",
    partition: int = 0,
    **more: Any,
) -> Outcome:
    """One decision with its movements (debit, credit, minor units)."""
    player.sequence += 1
    player.changed = True
    moved, split = 0, dict[str, int]()
    for leg, (debit, credit, amount_minor) in enumerate(movements):
        entry = Entry(player.player_id, player.sequence, leg, provider, currency, amount_minor, debit, credit)
        if not debit.startswith(HOUSE):
            account = _moved(player.account(currency, debit), -amount_minor)
            entry.debit_balance_after_minor, entry.debit_version = account.balance_minor, account.version
            moved, split[debit] = moved - amount_minor, split.get(debit, 0) - amount_minor
        if not credit.startswith(HOUSE):
            account = _moved(player.account(currency, credit), amount_minor)
            entry.credit_balance_after_minor, entry.credit_version = account.balance_minor, account.version
            moved, split[credit] = moved + amount_minor, split.get(credit, 0) + amount_minor
        books.new_entries.append(entry)
    outcome = Outcome(
        provider,
        key,
        key,
        player.player_id,
        type_,
        code,
        str(uuid.uuid4()),
        currency,
        abs(moved),
        moved_minor=moved,
        moved_currency=currency,
        split=split,
        sequence=player.sequence,
        partition=partition,
        offset=player.sequence,
        decided_at=NOW,
        broker_time=NOW - timedelta(seconds=1),
    )
    for name, value in more.items():
        setattr(outcome, name, value)
    books.new_outcomes.append(outcome)
    books.outcomes[(provider, key)] = outcome
    return outcome


def _moved(account: Account, change_minor: int) -> Account:
    account.balance_minor += change_minor
    account.version += 1
    account.changed = True
    return account


def opening(player_id: str, partition: int = 0, *, currency: str = "EUR", amount_minor: int = 10_000) -> Deed:
    """The player is opened, and has money at once."""

    def act(player: Player, books: Books) -> None:
        if not player.opened:
            player.opened_at, player.partition, player.country = NOW, partition, "MT"
        player.currencies.append(currency)
        player.account(currency, "cash").changed = True
        book(
            player,
            books,
            provider="cashier",
            key=f"d-{player_id}-{currency}",
            type_="deposit",
            movements=[("house:deposits", "cash", amount_minor)] if amount_minor else [],
            currency=currency,
            partition=partition,
        )

    return Deed(player_id, partition, act)


def limiting(player_id: str, limits: tuple[Limit, ...], usage: Usage, partition: int = 0) -> Deed:
    """The player's limits are set, and what he used of them in euros."""

    def act(player: Player, books: Books) -> None:
        player.limits, player.changed = limits, True
        account = player.account("EUR", "cash")
        account.usage, account.changed = usage, True

    return Deed(player_id, partition, act)


def granting(player_id: str, bonuses: tuple[Bonus, ...], partition: int = 0) -> Deed:
    """The player's bonuses are these."""

    def act(player: Player, books: Books) -> None:
        player.bonuses, player.changed = bonuses, True

    return Deed(player_id, partition, act)


def also(deed: Deed, round_id: str, counts: dict[str, tuple[int, int]]) -> Deed:
    """The same, and the round has been played for in other currencies too."""

    def act(player: Player, books: Books) -> None:
        deed.act(player, books)
        round_ = player.rounds[("acme", round_id)]
        round_.also, round_.changed = counts, True

    return replace(deed, act=act)


def bet(player_id: str, key: str, amount_minor: int = 250, partition: int = 0, **more: Any) -> Deed:
    """A stake from cash, in a round of its own (``r-{key}``)."""
    round_id = f"r-{key}"

    def act(player: Player, books: Books) -> None:
        book(
            player,
            books,
            provider="acme",
            key=key,
            type_="bet",
            movements=[("cash", "house:gaming", amount_minor)] if amount_minor else [],
            partition=partition,
            game_id="book-of-tests",
            round_id=round_id,
            **more,
        )
        round_ = player.rounds.setdefault(
            ("acme", round_id), Round("acme", round_id, "book-of-tests", "EUR", NOW)
        )
        round_.bets += 1
        round_.staked_minor += amount_minor
        round_.changed = True

    wanted = Wanted(
        keys={("acme", key)}, rounds={(player_id, "acme", round_id)}, bets={(player_id, "acme", key)}
    )
    return Deed(player_id, partition, act, wanted)


def win(player_id: str, key: str, bet_key: str, amount_minor: int, partition: int = 0) -> Deed:
    """A win that names its bet, and settles it."""
    round_id = f"r-{bet_key}"

    def act(player: Player, books: Books) -> None:
        book(
            player,
            books,
            provider="acme",
            key=key,
            type_="win",
            movements=[("house:gaming", "cash", amount_minor)],
            partition=partition,
            round_id=round_id,
            reference=bet_key,
        )
        round_ = player.rounds[("acme", round_id)]
        round_.wins += 1
        round_.won_minor += amount_minor
        round_.changed = True
        mark = player.bets.setdefault(("acme", bet_key), BetMark("acme", bet_key))
        mark.wins, mark.game_wins, mark.won_minor = (
            mark.wins + 1,
            mark.game_wins + 1,
            mark.won_minor + amount_minor,
        )
        mark.changed = True

    wanted = Wanted(
        keys={("acme", key), ("acme", bet_key)},
        rounds={(player_id, "acme", round_id)},
        bets={(player_id, "acme", bet_key)},
    )
    return Deed(player_id, partition, act, wanted)


def looking(player_id: str, wanted: Wanted | None = None, partition: int = 0) -> Deed:
    """Nothing is done, only read."""
    return Deed(player_id, partition, lambda _player, _books: None, wanted or Wanted())


def session(player_id: str, session_id: str, partition: int = 0) -> Deed:
    """A session is opened on the web."""

    def act(player: Player, books: Books) -> None:
        book(player, books, provider="acme", key=f"s-{session_id}", type_="open_session", partition=partition)
        player.sessions[session_id] = Session(
            session_id, "acme", "web", "EUR", None, NOW, NOW + timedelta(hours=24), changed=True
        )

    return Deed(player_id, partition, act, Wanted(with_channels={player_id}))


def parking(
    player_id: str, transaction_id: str, partition: int = 0, *, position: int = 0, due_in_seconds: float = 1.0
) -> Deed:
    """A win is kept back, for its bet has not come."""

    def act(player: Player, books: Books) -> None:
        parked = Parked(
            player_id,
            "acme",
            transaction_id,
            partition,
            7,
            NOW,
            player_id.encode(),
            b'{"type":"win"}\x00\xff',
            (("traceparent", b"00-1"), ("odd\x00name", None)),
            "missing_bet",
            "b-1",
            1,
            NOW,
            NOW + timedelta(seconds=due_in_seconds),
            NOW + timedelta(seconds=60),
            "waits\x00for it",
            position=position,
        )
        player.queues.setdefault("acme", []).append(parked)
        books.new_parked.append(parked)

    return Deed(player_id, partition, act)


def letter(letter_id: str, *, partition: int = 0, offset: int = 0) -> DeadLetter:
    """An event that nobody could read."""
    return DeadLetter(
        letter_id,
        "UNDECODABLE",
        "It is not JSON: \x00 is no value.",
        1,
        partition,
        offset,
        NOW,
        b"p-1\xff",
        b"\x00not json",
        [("a\x00b", b"\xff"), ("none", None)],
        None,
        "p-1",
        None,
    )
