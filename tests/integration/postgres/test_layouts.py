"""A layout that follows another, a receipt that a person sets, a player who moves, one letter and two operators."""

from __future__ import annotations

import asyncio

import pytest

from processor.errors import LayoutDiffers, LeaseLost
from processor.ops.letter_lines import letter_of, line_of
from processor.ports import Layout
from processor.postgres.desk import layout as layouts
from processor.postgres.desk import letters, players
from processor.postgres.desk.actions import actions_on
from processor.postgres.desk.desk import open_desk
from processor.postgres.desk.lanes import set_receipt
from processor.postgres.desk.layout import By
from tests.contract.ledger.bookkeeper import LAYOUT, Bookkeeper, bet, letter, looking, opening, session, win
from tests.integration.postgres.installed import Installed

BY = By("eva", "lanes.resize", "a test", "")
OFFSETS = dict.fromkeys(range(8), 7)


async def old_and_new(installed: Installed, *, partitions: int | None = None) -> tuple[Layout, Layout]:
    async with open_desk(installed.database.worker_dsn) as desk:
        old = await layouts.current(desk)
    assert old is not None
    new = Layout(old.number + 1, old.topic, old.topic_id, partitions or old.partitions, 1, old.shards)
    return old, new


async def test_nobody_can_take_a_lane_of_a_layout_that_another_followed(installed: Installed) -> None:
    keeper = await installed.keeper()
    await keeper.apply(opening("p-1"))
    old, new = await old_and_new(installed)
    async with open_desk(installed.database.worker_dsn) as desk:
        epochs = await layouts.bump(desk, old.number)
        with pytest.raises(LeaseLost):
            await keeper.apply(bet("p-1", "b-1"))
        await layouts.follow(desk, old, new, epochs, OFFSETS, [], BY)
        assert await layouts.current(desk) == new
    with pytest.raises(LayoutDiffers, match="another layout followed"):
        await installed.ledger().take_lane(old.number, 0, owner="late")
    row = await installed.ledger().take_lane(new.number, 0, owner="next")
    assert (row.fresh, row.applied_seq, row.next_offsets[0]) == (False, 0, 7)


async def test_a_worker_that_took_a_lane_meanwhile_is_not_passed_over(installed: Installed) -> None:
    old, new = await old_and_new(installed)
    async with open_desk(installed.database.worker_dsn) as desk:
        epochs = await layouts.bump(desk, old.number)
        await Bookkeeper.of(installed.ledger(), 0, owner="quick")
        with pytest.raises(LayoutDiffers, match="somebody took a lane"):
            await layouts.follow(desk, old, new, epochs, OFFSETS, [], BY)
        assert await layouts.current(desk) == old


async def test_a_receipt_is_set_only_where_a_lane_asked_for_it_and_fences_whoever_had_the_lane(
    installed: Installed,
) -> None:
    keeper = await installed.keeper()
    await keeper.apply(opening("p-1"))
    await keeper.apply(bet("p-1", "b-1"))
    async with open_desk(installed.database.worker_dsn) as desk:
        assert not await set_receipt(desk, LAYOUT, 0, 1, actor="eva", why="it has not stopped")
        await keeper.ledger.stop_lane(LAYOUT, 0, keeper.row.epoch, "ReceiptUnknown: lost")
        assert not await set_receipt(desk, LAYOUT, 0, 3, actor="eva", why="no such batch")
        assert await set_receipt(desk, LAYOUT, 0, 1, actor="eva", why="seen by the warehouse")
    assert [row.seq for row in await keeper.ledger.journal_above(LAYOUT, 0, 0)] == [2]
    with pytest.raises(LeaseLost):
        await keeper.apply(bet("p-1", "b-2"))
    row = (await installed.keeper()).row
    assert (row.published_seq, row.witness_seq, row.stopped_reason) == (1, 0, None)


async def test_a_player_moves_with_accounts_rounds_bets_and_sessions(installed: Installed) -> None:
    keeper, other = await installed.keeper(0), await installed.keeper(1)
    await keeper.apply(opening("p-1"), bet("p-1", "b-1"), session("p-1", "s-1"))
    async with open_desk(installed.database.migrator_dsn) as desk:
        assert await players.move(desk, "p-1", 1, 1, actor="eva", why="a wrong partitioner") == 0
        assert await players.find(desk, "p-1") == (1, 0)
    await other.apply(win("p-1", "w-1", "b-1", 400, 1))
    books = await other.apply(looking("p-1", partition=1))
    assert books.players["p-1"].partition == 1
    assert books.players["p-1"].balance_minor("EUR", "cash") == 10_000 - 250 + 400
    owner = await installed.owner()
    for table in ("accounts", "rounds", "bet_marks", "sessions"):
        shards = {row["shard"] for row in await owner.fetch(f"SELECT shard FROM {table}")}
        assert shards <= {1}, table


async def test_where_partitions_were_multiplied_the_next_event_tells_where_a_player_lives(
    installed: Installed,
) -> None:
    """Partition 0 and 8 are of one shard; 1 is of another, so that an event there went astray."""
    keeper = await installed.keeper()
    await keeper.apply(opening("p-1"), opening("p-2"))
    owner = await installed.owner()
    await owner.execute("UPDATE players SET event_partition = -1 - event_partition")
    astray = await keeper.apply(looking("p-2", partition=1))
    assert astray.players["p-2"].partition == 0
    await keeper.apply(bet("p-1", "b-1", 250, 8))
    assert await owner.fetchval("SELECT event_partition FROM players WHERE player_id = 'p-1'") == 8
    books = await keeper.apply(looking("p-1", partition=0))
    assert books.players["p-1"].partition == 8


async def test_of_two_operators_at_once_one_takes_a_letter(installed: Installed) -> None:
    keeper = await installed.keeper()
    await keeper.apply(opening("p-1"), dead_letters=[letter("1-0-3")])
    dsn = installed.database.worker_dsn
    async with open_desk(dsn) as one, open_desk(dsn) as other:
        by = letters.Move("eva", "dead-letters.replay", "mended")
        moves = (letters.move(desk, "1-0-3", letters.OPEN, letters.RESENDING, by) for desk in (one, other))
        taken = await asyncio.gather(*moves)
        acts = await actions_on(one, "dead-letter/1-0-3")
    assert sorted(taken) == [False, True]
    assert len(acts) == 1


async def test_an_exported_letter_is_put_back_once_and_belongs_to_no_batch(installed: Installed) -> None:
    keeper = await installed.keeper()
    await keeper.apply(opening("p-1"), dead_letters=[letter("1-0-3")])
    async with open_desk(installed.database.worker_dsn) as desk:
        found = await letters.find(desk, "1-0-3")
        assert found is not None
        by = letters.Move("eva", "dead-letters.import", "from the archive")
        assert not await letters.put_back(desk, found, by)
        owner = await installed.owner()
        await owner.execute("DELETE FROM dead_letters")
        assert await letters.put_back(desk, letter_of(line_of(found)), by)
        back = await letters.find(desk, "1-0-3")
    assert back is not None
    assert back[1:] == found[1:]
    assert (back.letter.layout, back.letter.status, back.letter.reason) == (0, "open", "UNDECODABLE")
