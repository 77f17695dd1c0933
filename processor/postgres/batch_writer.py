"""Step 7 in statements: what a batch decided becomes rows, set by set, in the one lock order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from processor.domain.state import Parked, Player
from processor.ports import LaneMove, Written
from processor.postgres import write_rows
from processor.postgres.cells import columns_of, turned
from processor.postgres.copying import copy_text
from processor.postgres.session import Session
from processor.postgres.statements import statements

Row = tuple[Any, ...]
Facts = tuple[Any, ...]


class BatchWriter:
    """Writes one batch into its open transaction.

    ``loaded`` are the facts of each player as they were read, ``parked`` the queues as they were read, ``move``
    the lane's row as the fence left it. Rows of a player need no order among them; players, whom another lane may lock
    for an event that went astray, are written in the order of their ids, and decisions, whose ids other lanes may have
    too, in the order of their keys.
    """

    def __init__(
        self,
        session: Session,
        shards: int,
        move: LaneMove,
        loaded: Mapping[str, Facts],
        parked: Sequence[tuple[Player, Parked]],
    ) -> None:
        self._session = session
        self._shards = shards
        self._move = move
        self._loaded = loaded
        self._parked = parked
        self._sql = statements("batch_write")

    async def write(self, written: Written) -> None:
        """All of it; the house's accounts, which other batches of this lane wait for, come last."""
        players = written.books.players
        await self._settle_shards([player for player in players.values() if player.changed])
        parked_changes = await self._write_queues(written, players)
        changed = [each for each in players.values() if each.changed or each.player_id in parked_changes]
        counted, balances = await self._write_players(changed, parked_changes)
        rounds, marks = await self._write_play(changed)
        await self._write_metadata(written, players)
        await self._write_work_lists(written)
        await self._write_books(written, players)
        await self._record(written, counted, balances, rounds, marks)

    async def _put(self, statement: str, rows: Sequence[Row], *more: Any) -> None:
        if rows:
            await self._session.fetch(self._sql[statement], *turned(rows), *more)

    async def _copy(self, table: str, columns: Sequence[str], rows: Sequence[str]) -> None:
        if rows:
            await self._session.copy(table, columns, copy_text(rows, len(columns)))

    async def _settle_shards(self, changed: list[Player]) -> None:
        """A player lives in the shard of the partition he was opened in, wherever he was first heard of."""
        for player in changed:
            if player.partition is not None and player.partition % self._shards != player.shard:
                new_shard = player.partition % self._shards
                await self._session.fetch(self._sql["move_player"], player.shard, player.number, new_shard)
                await self._session.fetch(self._sql["move_shard"], player.number, new_shard)
                player.shard = new_shard

    async def _write_queues(self, written: Written, players: Mapping[str, Player]) -> Counter[str]:
        """Parked events that came, changed and went; by how many each player's count changed."""
        changes: Counter[str] = Counter()
        new = [parked for parked in written.books.new_parked if not parked.gone]
        if new:
            changes.update(parked.player_id for parked in new)
            rows = [write_rows.parked_row(players[parked.player_id], parked) for parked in new]
            await self._session.fetch_each(self._sql["park"], rows)
        if self._parked:
            gone = [(player.shard, parked.number) for player, parked in self._parked if parked.gone]
            changes.subtract(player.player_id for player, parked in self._parked if parked.gone)
            await self._put("unpark", gone)
            moved = [pair for pair in self._parked if pair[1].changed and not pair[1].gone]
            await self._put("change_parked", [write_rows.changed_parked_row(*pair) for pair in moved])
        return changes

    async def _write_players(
        self, changed: list[Player], parked_changes: Mapping[str, int]
    ) -> tuple[list[Row], list[Row]]:
        """Players and their accounts. Most had only answers counted and balances moved: those are given back."""
        counted: list[Row] = []
        more: list[Row] = []
        balances: list[Row] = []
        new_accounts: list[Row] = []
        for player in changed:
            facts, parked_change = facts_of(player), parked_changes.get(player.player_id, 0)
            if parked_change or facts != self._loaded[player.player_id]:
                more.append(write_rows.player_row(player, facts, parked_change))
            else:
                counted.append((player.shard, player.player_id, player.sequence))
            for account in player.accounts.values():
                if account.changed:
                    if account.number is None:
                        new_accounts.append(write_rows.new_account_row(player, account))
                    else:
                        balances.append(write_rows.balance_row(player, account))
        await self._put("players", more)
        await self._put("new_accounts", new_accounts)
        return counted, balances

    async def _write_play(self, changed: list[Player]) -> tuple[list[Row], list[Row]]:
        """Rounds, what happened to bets, sessions; what was stored of the first two before is given back."""
        new_rounds: list[str] = []
        new_marks: list[str] = []
        rounds: list[Row] = []
        marks: list[Row] = []
        sessions: list[Row] = []
        for player in changed:
            for round_ in player.rounds.values():
                if round_.changed:
                    if round_.stored:
                        rounds.append(write_rows.round_row(player, round_))
                    else:
                        new_rounds.append(write_rows.new_round_text(player, round_))
            for mark in player.bets.values():
                if mark.changed:
                    if mark.stored:
                        marks.append(write_rows.bet_mark_row(player, mark))
                    else:
                        new_marks.append(write_rows.new_bet_mark_text(player, mark))
            sessions += [
                write_rows.session_row(player, one) for one in player.sessions.values() if one.changed
            ]
        await self._copy("rounds", write_rows.ROUND_COLUMNS, new_rounds)
        await self._copy("bet_marks", write_rows.BET_MARK_COLUMNS, new_marks)
        await self._put("sessions", sessions)
        return rounds, marks

    async def _write_books(self, written: Written, players: Mapping[str, Player]) -> None:
        """Movements, and decisions in the order of their keys: two lanes that insert the same keys in other orders
        deadlock."""
        move, at = self._move, written.decided_at.isoformat()
        await self._copy("entries", write_rows.ENTRY_COLUMNS, write_rows.entry_texts(written, players, at))
        batch = f"{move.layout}\t{move.lane}\t{move.applied_seq}\t{written.revision}\t{at}"
        outcomes = write_rows.outcome_texts(written, players, batch)
        outcomes.sort()
        await self._copy("outcomes", write_rows.OUTCOME_COLUMNS, outcomes)

    async def _write_work_lists(self, written: Written) -> None:
        """Dead letters, and operators' requests carried out."""
        move = self._move
        if written.dead_letters:
            batch = (move.layout, move.lane, move.applied_seq, written.decided_at)
            rows = [(*write_rows.dead_letter_row(letter), *batch) for letter in written.dead_letters]
            await self._session.fetch_each(self._sql["dead_letter"], rows)
        await self._put("requests_done", written.requests_done, written.decided_at)

    async def _record(
        self, written: Written, counted: list[Row], balances: list[Row], rounds: list[Row], marks: list[Row]
    ) -> None:
        """What every batch changes, the seal, the lane's house accounts and the journal, in one statement."""
        move = self._move
        house = sorted((*account, change) for account, change in written.house.items() if change)
        await self._session.fetch(
            self._sql["record"],
            move.layout,
            move.lane,
            move.applied_seq,
            len(written.outcomes),
            written.revision,
            written.decided_at,
            written.previous_seal,
            written.seal,
            written.records,
            written.journal,
            list(move.next_offsets),
            *columns_of(counted, 3),
            *columns_of(balances, 5),
            *columns_of(rounds, 13),
            *columns_of(marks, 10),
            *columns_of(house, 4),
            list(move.next_offsets.values()),
        )

    async def _write_metadata(self, written: Written, players: Mapping[str, Player]) -> None:
        """What senders attached, apart from the books."""
        attached = [outcome for outcome in written.outcomes if outcome.metadata is not None]
        if attached:
            names = [
                (players[each.player_id].shard, players[each.player_id].number, each.provider, each.key)
                for each in attached
            ]
            documents = [each.metadata for each in attached]
            await self._session.fetch(self._sql["metadata"], *turned(names), documents)


def facts_of(player: Player) -> Facts:
    """Everything of a player's row but the count of answers and of parked events, as its statement takes it."""
    return (
        player.partition,
        player.opened_at,
        player.blocked,
        player.excluded_until,
        player.country,
        player.time_zone,
        player.jurisdiction,
        player.tombstones,
        player.limits,
        player.bonuses,
    )
