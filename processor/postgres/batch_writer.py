"""Step 7 in statements: what a batch decided becomes rows, set by set, in the one lock order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from processor.domain.state import Parked, Player
from processor.ports import LaneMove, Written
from processor.postgres import write_rows
from processor.postgres.cells import turned
from processor.postgres.session import Session
from processor.postgres.statements import statements

Row = tuple[Any, ...]


class BatchWriter:
    """Writes one batch into its open transaction.

    ``loaded`` is what each player's row said when it was locked, ``parked`` the queues as they were read, ``move``
    the lane's row as the fence left it.
    """

    def __init__(
        self,
        session: Session,
        shards: int,
        move: LaneMove,
        loaded: Mapping[str, tuple[Any, ...]],
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
        changed = [player for player in players.values() if player.changed]
        await self._settle_shards(changed)
        parked_changes = await self._write_queues(written, players)
        await self._write_players(changed, parked_changes)
        await self._write_state(changed)
        await self._write_outcomes(written, players)
        await self._write_work_lists(written)
        await self._seal(written)

    async def _put(self, statement: str, rows: Sequence[Row], *more: Any) -> None:
        if rows:
            await self._session.fetch(self._sql[statement], *turned(rows), *more)

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
        for parked in written.books.new_parked:
            if not parked.gone:
                changes[parked.player_id] += 1
                row = write_rows.parked_row(players[parked.player_id], parked)
                await self._session.fetch(self._sql["park"], *row)
        if self._parked:
            gone = [(player.shard, parked.number) for player, parked in self._parked if parked.gone]
            changes.subtract(player.player_id for player, parked in self._parked if parked.gone)
            await self._put("unpark", sorted(gone))
            moved = [pair for pair in self._parked if pair[1].changed and not pair[1].gone]
            await self._put("change_parked", sorted(write_rows.changed_parked_row(*pair) for pair in moved))
        return changes

    async def _write_players(self, changed: list[Player], parked_changes: Mapping[str, int]) -> None:
        counted, more = [], []
        for player in changed:
            facts, parked_change = facts_of(player), parked_changes.get(player.player_id, 0)
            if parked_change or facts != self._loaded[player.player_id]:
                more.append((player.shard, player.player_id, player.sequence, *facts, parked_change))
            else:
                counted.append((player.shard, player.player_id, player.sequence))
        unchanged = [
            each for each in parked_changes if parked_changes[each] and each not in {p[1] for p in more}
        ]
        assert not unchanged, f"a queue of {unchanged[0]} changed, but not the player"
        await self._put("sequences", counted)
        await self._put("players", more)

    async def _write_state(self, changed: list[Player]) -> None:
        """Accounts, then rounds, bets and sessions."""
        balances: list[Row] = []
        new_accounts: list[Row] = []
        rounds: list[Row] = []
        bets: list[Row] = []
        sessions: list[Row] = []
        for player in changed:
            for account in player.accounts.values():
                if account.changed:
                    if account.number is None:
                        new_accounts.append(write_rows.new_account_row(player, account))
                    else:
                        balances.append(write_rows.balance_row(player, account))
            rounds += [write_rows.round_row(player, each) for each in player.rounds.values() if each.changed]
            bets += [write_rows.bet_mark_row(player, each) for each in player.bets.values() if each.changed]
            if player.sessions:
                some = player.sessions.values()
                sessions += [write_rows.session_row(player, each) for each in some if each.changed]
        balances.sort()
        new_accounts.sort()
        rounds.sort(key=_state_key)
        bets.sort(key=_state_key)
        await self._put("balances", balances)
        await self._put("new_accounts", new_accounts)
        await self._put("rounds", rounds)
        await self._put("bet_marks", bets)
        await self._put("sessions", sessions)

    async def _write_outcomes(self, written: Written, players: Mapping[str, Player]) -> None:
        """Decisions and movements, for ever; what senders attached goes apart."""
        move = self._move
        if not written.outcomes:
            return
        await self._session.fetch(
            self._sql["outcomes"],
            *turned(write_rows.outcome_rows(written.outcomes, players)),
            move.layout,
            move.lane,
            move.applied_seq,
            written.revision,
            written.decided_at,
        )
        if written.entries:
            entries = turned(write_rows.entry_rows(written.entries, players))
            await self._session.fetch(self._sql["entries"], *entries, written.decided_at)
        metadata = [
            (
                players[each.player_id].shard,
                players[each.player_id].number,
                each.provider,
                each.key,
                each.metadata,
            )
            for each in written.outcomes
            if each.metadata is not None
        ]
        await self._put("metadata", metadata)

    async def _write_work_lists(self, written: Written) -> None:
        """Dead letters, and operators' requests carried out."""
        move = self._move
        for letter in written.dead_letters:
            row = write_rows.dead_letter_row(letter)
            batch = (move.layout, move.lane, move.applied_seq, written.decided_at)
            await self._session.fetch(self._sql["dead_letter"], *row, *batch)
        await self._put("requests_done", written.requests_done, written.decided_at)

    async def _seal(self, written: Written) -> None:
        """The lane's house accounts, the seal and the journal."""
        move = self._move
        house = sorted((*account, change) for account, change in written.house.items() if change)
        await self._session.fetch(
            self._sql["seal"],
            move.layout,
            move.lane,
            move.applied_seq,
            written.previous_seal,
            written.seal,
            len(written.outcomes),
            written.revision,
            written.decided_at,
            written.records,
            written.journal,
            list(move.next_offsets),
            *(turned(house) if house else (None, None, None, None)),
            list(move.next_offsets.values()),
        )


def _state_key(row: Row) -> Row:
    return row[:4]


def facts_of(player: Player) -> tuple[Any, ...]:
    """Everything of a player's row but the count of answers and of parked events, as its statement takes it."""
    return (
        player.partition,
        player.opened_at,
        player.blocked,
        player.excluded_until,
        player.country,
        player.time_zone,
        player.jurisdiction,
    )
