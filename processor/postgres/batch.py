"""One batch's transaction: steps 4, 5, 7 and 8 in a few statements each, whatever the number of its events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from processor.domain.state import Books, Parked, Player
from processor.domain.wanted import Wanted
from processor.errors import Doubt, LeaseLost, LedgerWentBack
from processor.ports import LaneMove, Written
from processor.postgres import read_rows
from processor.postgres.batch_writer import BatchWriter
from processor.postgres.cells import cells, turned
from processor.postgres.session import Session
from processor.postgres.statements import statements


class PostgresBatch:
    """One Postgres transaction, steps 4 to 8 (implements `ports.LedgerBatch`)."""

    def __init__(self, session: Session, shards: int) -> None:
        self._session = session
        self._shards = shards
        self._sql = statements("batch_read")
        self._move: LaneMove | None = None
        self._loaded: dict[str, Any] = {}
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
        """Lock the players (created if missing), then read their accounts and, where there are any, their queues."""
        books = Books()
        if not players:
            return books
        ids = sorted(players)
        shards = [players[player_id] % self._shards for player_id in ids]
        rows = await self._session.fetch(self._sql["lock_players"], cells(shards), cells(ids))
        if len(rows) < len(ids):
            rows += await self._lock_others(dict(zip(ids, shards, strict=True)), {row[2] for row in rows})
        with_queues = []
        for row in rows:
            player, parked = read_rows.player_of(row)
            books.players[player.player_id] = player
            self._loaded[player.player_id] = row
            if parked:
                with_queues.append(player)
        await self._load_accounts(books)
        if with_queues:
            by_number = {player.number: player for player in with_queues}
            rows = await self._session.fetch(self._sql["queues"], *_shards_and_numbers(by_number))
            self._parked = read_rows.put_queues(rows, by_number)
        return books

    async def _lock_others(self, shard_of: dict[str, int], found: set[str]) -> list[Any]:
        missing = [player_id for player_id in shard_of if player_id not in found]
        await self._session.fetch(
            self._sql["create_players"], cells([shard_of[each] for each in missing]), cells(missing)
        )
        rows = await self._session.fetch(self._sql["lock_players_anywhere"], cells(missing))
        if len(rows) != len(missing):
            raise Doubt(f"{len(missing) - len(rows)} players were neither found nor created")
        return rows

    async def _load_accounts(self, books: Books) -> None:
        by_number = {player.number: player for player in books.players.values()}
        rows = await self._session.fetch(self._sql["accounts"], *_shards_and_numbers(by_number))
        read_rows.put_accounts(rows, by_number)

    async def read(self, books: Books, wanted: Wanted) -> None:
        """Read what the decisions need; what names no locked player is left out."""
        players = books.players
        by_number = {player.number: player for player in players.values()}
        if wanted.keys:
            for row in await self._session.fetch(self._sql["known_outcomes"], *turned(wanted.keys)):
                books.outcomes[(row[0], row[1])] = read_rows.outcome_of(row)
        rounds = wanted.rounds | _rounds_of(books, wanted) if wanted.rounds_of else wanted.rounds
        read_rows.put_rounds(await self._named("rounds", rounds, players), by_number)
        read_rows.put_bet_marks(await self._named("bet_marks", wanted.bets, players), by_number)
        read_rows.put_sessions(await self._named("sessions", wanted.sessions, players), by_number)
        if wanted.with_channels:
            some = {players[each].number: players[each] for each in wanted.with_channels if each in players}
            rows = await self._session.fetch(self._sql["open_sessions"], *_shards_and_numbers(some))
            read_rows.put_sessions(rows, by_number)

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
