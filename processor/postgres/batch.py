"""One batch's transaction: steps 4, 5, 7 and 8 in a few statements each, whatever the number of its events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from processor.domain.state import Books, Parked, Player
from processor.domain.wanted import Wanted
from processor.errors import Doubt, LeaseLost, LedgerWentBack
from processor.ports import LaneMove, Written
from processor.postgres import read_rows
from processor.postgres.batch_writer import BatchWriter, Facts, facts_of
from processor.postgres.cells import cells, turned
from processor.postgres.session import Session
from processor.postgres.statements import statements

#: Whose decision it is under an id that belongs to none of the batch's players: no player's id is empty.
SOMEBODY_ELSE = ""


class PostgresBatch:
    """One Postgres transaction, steps 4 to 8 (implements `ports.LedgerBatch`)."""

    def __init__(self, session: Session, shards: int) -> None:
        self._session = session
        self._shards = shards
        self._sql = statements("batch_read")
        self._move: LaneMove | None = None
        self._loaded: dict[str, Facts] = {}
        self._with_queues: dict[int, Player] = {}
        self._parked: list[tuple[Player, Parked]] = []
        self.committed = False

    # ---------------------------------------------------------------------------------------------- step 4

    async def fence(self, move: LaneMove) -> None:
        """Compare-and-set of the lane's row; forgets journal rows up to ``published_seq``."""
        after = dict(sorted({**move.next_offsets, **move.moved_offsets}.items()))
        moved = await self._session.fetch(
            self._sql["fence"],
            move.layout,
            move.lane,
            move.epoch,
            move.applied_seq,
            [offset for _, offset in sorted(move.next_offsets.items())],
            list(after),
            list(after.values()),
            move.published_seq,
        )
        if not moved:
            await self._explain(move)
        self._move = LaneMove(
            move.layout,
            move.lane,
            move.epoch,
            move.applied_seq + 1,
            after,
            move.moved_offsets,
            move.published_seq,
        )

    async def _explain(self, move: LaneMove) -> None:
        rows = await self._session.fetch(self._sql["lane_as_it_is"], move.layout, move.lane)
        if not rows:
            raise LedgerWentBack(f"the ledger knows no lane {move.lane} of layout {move.layout}")
        epoch, applied_seq, partitions, next_offsets = rows[0]
        if epoch != move.epoch:
            raise LeaseLost(
                f"lane {move.lane} has epoch {epoch}, ours was {move.epoch}: another worker has it"
            )
        offsets = dict(zip(partitions, next_offsets, strict=True))
        raise LedgerWentBack(
            f"lane {move.lane} stands at batch {applied_seq}, offsets {offsets}, where this worker remembers batch"
            f" {move.applied_seq}, offsets {move.next_offsets}: was the database restored, or a commit lost?"
        )

    # ---------------------------------------------------------------------------------------------- step 5

    async def lock(self, players: Mapping[str, int]) -> Books:
        """The players with their accounts and, where there are any, their queues, none of which can change any more.

        A player who lives in the partition he came in is guarded by the lane's row, which step 4 has locked: only the
        lane's holder changes him. Whoever is not opened, or lives elsewhere, is locked by his own row (created if
        missing) and read again.
        """
        books = Books()
        if not players:
            return books
        ids = sorted(players)
        shards = [players[player_id] % self._shards for player_id in ids]
        for row in await self._session.fetch(self._sql["players"], cells(shards), cells(ids)):
            player = books.players.get(row[2])
            if player is None:
                player = self._put_player(books, row)
            if row[14] is not None:
                read_rows.put_account(player, *row[14:])
        others = [
            (player_id, shard)
            for player_id, shard in zip(ids, shards, strict=True)
            if player_id not in books.players or books.players[player_id].partition != players[player_id]
        ]
        if others:
            await self._lock_others(books, dict(others), players)
            books.players = dict(sorted(books.players.items()))
        await self._load_queues(books)
        return books

    def _put_player(self, books: Books, row: Any) -> Player:
        player, parked = read_rows.player_of(row)
        books.players[player.player_id] = player
        self._loaded[player.player_id] = facts_of(player)
        if parked:
            self._with_queues[player.number] = player
        return player

    async def _lock_others(self, books: Books, shard_of: dict[str, int], came_in: Mapping[str, int]) -> None:
        missing = [player_id for player_id in shard_of if player_id not in books.players]
        if missing:
            await self._session.fetch(
                self._sql["create_players"], cells([shard_of[each] for each in missing]), cells(missing)
            )
        rows = await self._session.fetch(self._sql["lock_players"], cells(list(shard_of)))
        if len(rows) != len(shard_of):
            raise Doubt(f"{len(shard_of) - len(rows)} players were neither found nor created")
        locked = {player.number: player for player in (self._put_player(books, row) for row in rows)}
        for player in locked.values():
            if player.partition is not None and player.partition < 0:
                player.partition = read_rows.home_of(
                    player.partition, came_in[player.player_id], self._shards
                )
        for number, *account in await self._session.fetch(
            self._sql["accounts"], *_shards_and_numbers(locked)
        ):
            read_rows.put_account(locked[number], *account)

    async def _load_queues(self, books: Books) -> None:
        with_queues = self._with_queues
        if with_queues:
            rows = await self._session.fetch(self._sql["queues"], *_shards_and_numbers(with_queues))
            self._parked = read_rows.put_queues(rows, with_queues)

    async def read(self, books: Books, wanted: Wanted) -> None:
        """Read what the decisions need; what names no locked player is left out."""
        players = books.players
        by_number = {player.number: player for player in players.values()}
        if wanted.keys:
            for row in await self._session.fetch(self._sql["known_outcomes"], *turned(wanted.keys)):
                owner = by_number.get(row[3])
                books.outcomes[(row[0], row[1])] = read_rows.outcome_of(
                    row, SOMEBODY_ELSE if owner is None else owner.player_id
                )
        if wanted.repairs:
            await self._read_repairs(books, wanted.repairs)
        rounds = wanted.rounds | _rounds_of(books, wanted) if wanted.rounds_of else wanted.rounds
        read_rows.put_rounds(await self._named("rounds", rounds, players), by_number)
        bets = wanted.bets | _bets_of(books, wanted) if wanted.bets_of else wanted.bets
        read_rows.put_bet_marks(await self._named("bet_marks", bets, players), by_number)
        read_rows.put_good_sessions(await self._named("sessions", wanted.sessions, players), by_number)
        whole = await self._named("whole_sessions", wanted.whole_sessions, players)
        read_rows.put_sessions(whole, by_number)
        if wanted.with_channels:
            some = {players[each].number: players[each] for each in wanted.with_channels if each in players}
            rows = await self._session.fetch(self._sql["open_sessions"], *_shards_and_numbers(some))
            read_rows.put_sessions(rows, by_number)

    async def _read_repairs(self, books: Books, repairs: set[tuple[str, int]]) -> None:
        """Decisions that are to be told again, with what the pools held after them."""
        players = {books.players[player_id].number: books.players[player_id] for player_id, _ in repairs}
        names = turned([(books.players[player_id].number, sequence) for player_id, sequence in repairs])
        rows = await self._session.fetch(self._sql["repairs"], *names)
        read_rows.put_repairs(
            books, rows, await self._session.fetch(self._sql["pools_after"], *names), players
        )

    async def _named(self, statement: str, names: set[Any], players: Mapping[str, Player]) -> list[Any]:
        """Rows by (player id, and what else names them)."""
        rows = [
            (player.shard, player.number, *name[1:])
            for name in names
            if (player := players.get(name[0])) is not None
        ]
        if not rows:
            return []
        return await self._session.fetch(self._sql[statement], *turned(rows))

    # --------------------------------------------------------------------------------------- steps 7 and 8

    async def write(self, written: Written) -> None:
        """Store all of the batch; every statement is skipped that has no rows."""
        if self._move is None:
            raise Doubt("a batch that was not fenced must not be written")
        await BatchWriter(self._session, self._shards, self._move, self._loaded, self._parked).write(written)

    async def commit(self) -> None:
        """Make it a fact. Raises `errors.CommitUnknown` where the answer was lost."""
        await self._session.commit()
        self.committed = True


def _shards_and_numbers(by_number: Mapping[int, Player]) -> list[str | None]:
    return turned([(by_number[number].shard, number) for number in sorted(by_number)])


def _rounds_of(books: Books, wanted: Wanted) -> set[tuple[str, str, str]]:
    """The rounds of the known outcomes that a rollback names, where they are that player's."""
    found = set()
    for player_id, provider, key in wanted.rounds_of:
        outcome = books.outcomes.get((provider, key))
        if outcome is not None and outcome.player_id == player_id and outcome.round_id is not None:
            found.add((player_id, provider, outcome.round_id))
    return found


def _bets_of(books: Books, wanted: Wanted) -> set[tuple[str, str, str]]:
    """The marks of the bets that known outcomes name, where those are that player's."""
    found = set()
    for player_id, provider, key, suffix in wanted.bets_of:
        outcome = books.outcomes.get((provider, key))
        if outcome is not None and outcome.player_id == player_id and outcome.reference is not None:
            found.add((player_id, provider, f"{outcome.reference}{suffix}"))
    return found
