"""What goes wrong in Postgres becomes what the lane does about it; nothing is left half done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from processor.errors import (
    CommitUnknown,
    Doubt,
    LayoutDiffers,
    LedgerRefusedData,
    LedgerUnavailable,
    NotMigrated,
    PostgresUnreachable,
)
from processor.ports import Layout, Wanted
from processor.postgres.connection import Connection, Timeouts, connect
from processor.postgres.layout_store import PostgresLayoutStore
from processor.postgres.ledger import PostgresLedger
from tests.contract.ledger.bookkeeper import (
    LAYOUT,
    Bookkeeper,
    Deed,
    bet,
    book,
    letter,
    looking,
    opening,
    parking,
)
from tests.integration.postgres.installed import Installed


async def end_others(installed: Installed) -> int:
    """End every backend of this database but our own; how many there were."""
    worker = await installed.worker()
    rows = await worker.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = 'croupier_worker'"
    )
    return len(rows)


async def backend_of_lane(worker: Connection) -> int:
    """The process that serves the one lane of this database."""
    pid: int = await worker.fetchval(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'croupier'"
    )
    return pid


async def test_a_backend_that_is_ended_inside_a_batch_costs_only_the_batch(installed: Installed) -> None:
    worker = await installed.worker()
    keeper = await installed.keeper()
    await keeper.apply(opening("p-1"))
    async with keeper.ledger.batch() as batch:
        await batch.fence(keeper.move())
        await worker.execute("SELECT pg_terminate_backend($1, 5000)", await backend_of_lane(worker))
        with pytest.raises(LedgerUnavailable):
            await batch.lock({"p-1": 0})
    row = await keeper.ledger.confirm_lane(LAYOUT, 0, keeper.row.epoch)
    assert row.applied_seq == 1
    await keeper.apply(bet("p-1", "b-1"))


async def test_a_lost_answer_to_commit_is_unknown_and_the_lanes_row_tells(installed: Installed) -> None:
    worker = await installed.worker()
    keeper = await installed.keeper()
    await keeper.apply(opening("p-1"))
    async with keeper.ledger.batch() as batch:
        await keeper.write(batch, bet("p-1", "b-1"))
        await worker.execute("SELECT pg_terminate_backend($1, 5000)", await backend_of_lane(worker))
        with pytest.raises(CommitUnknown):
            await batch.commit()
    assert (await keeper.ledger.confirm_lane(LAYOUT, 0, keeper.row.epoch)).applied_seq == 1


async def test_a_cancelled_batch_leaves_nothing_and_the_ledger_works_on(installed: Installed) -> None:
    keeper = await installed.keeper()
    await keeper.apply(opening("p-1"))
    owner = await installed.owner()
    async with owner.transaction():
        await owner.execute("SELECT FROM players WHERE player_id = 'p-1' FOR UPDATE")
        waiting = asyncio.create_task(keeper.apply(bet("p-1", "b-1")))
        await asyncio.wait([waiting], timeout=0.3)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    await keeper.apply(bet("p-1", "b-1"))
    assert keeper.row.applied_seq == 2


async def test_a_lock_that_is_not_let_go_is_a_fault_of_the_world(installed: Installed) -> None:
    keeper = await installed.keeper()
    await keeper.apply(opening("p-1"))
    impatient = await Bookkeeper.of(installed.ledger(Timeouts(lock_seconds=0.2)), 1)
    async with keeper.ledger.batch() as batch:
        await keeper.write(batch, bet("p-1", "b-1"))
        with pytest.raises(LedgerUnavailable, match="55P03"):
            await impatient.apply(looking("p-1", partition=1))
    await impatient.apply(looking("p-1", partition=1))


async def test_deadlocked_lanes_are_faults_of_the_world_and_one_goes_on(installed: Installed) -> None:
    one, other = await installed.keeper(0), await installed.keeper(1)
    await one.apply(looking("p-1"), looking("p-2"))
    async with one.ledger.batch() as first, other.ledger.batch() as second:
        await first.fence(one.move())
        await second.fence(other.move())
        await first.lock({"p-1": 0})
        await second.lock({"p-2": 0})
        results = await asyncio.gather(
            first.lock({"p-2": 0}), second.lock({"p-1": 0}), return_exceptions=True
        )
    assert sum(isinstance(each, LedgerUnavailable) for each in results) == 1


@pytest.mark.parametrize("text", ["nul\x00", "tab\t", "line\n", "\r"])
async def test_what_cannot_be_stored_as_text_is_the_events_own_fault(installed: Installed, text: str) -> None:
    keeper = await installed.keeper()
    await keeper.apply(opening("p-1"))
    for deed in (bet("p-1", "b-1", kind=text), bet("p-1", f"b-{text}")):
        with pytest.raises(LedgerRefusedData):
            await keeper.apply(deed)
    await keeper.apply(bet("p-1", "b-1"))


async def test_half_a_character_is_the_events_own_fault(installed: Installed) -> None:
    keeper = await installed.keeper()
    for deed in (looking("p-\ud800"), looking("p-1", Wanted(keys={("acme", "b-\ud800")}))):
        with pytest.raises(LedgerRefusedData):
            await keeper.apply(deed)
    await keeper.apply(opening("p-1"))


async def test_what_is_special_in_a_copy_is_stored_as_it_is(installed: Installed) -> None:
    keeper = await installed.keeper()
    texts = ["\\", "\\N", "\\.", "a\\tb", "\x1d\x1e", "NULL", '"', "ü", " "]
    await keeper.apply(opening("p-1"), *(bet("p-1", f"b-{n}", 1, kind=text) for n, text in enumerate(texts)))
    owner = await installed.owner()
    stored = await owner.fetch("SELECT kind FROM outcomes WHERE type = 'bet' ORDER BY key")
    assert [row["kind"] for row in stored] == texts


async def test_a_text_that_is_empty_is_stored_as_none(installed: Installed) -> None:
    keeper = await installed.keeper()
    await keeper.apply(opening("p-1"), bet("p-1", "b-1", kind=""))
    owner = await installed.owner()
    assert await owner.fetchval("SELECT kind FROM outcomes WHERE key = 'b-1'") is None


async def test_a_pool_below_zero_is_our_own_doubt(installed: Installed) -> None:
    keeper = await installed.keeper()
    await keeper.apply(opening("p-1"))
    with pytest.raises(Doubt, match="accounts_balance_check"):
        await keeper.apply(bet("p-1", "b-1", 10_001))


async def test_a_missing_month_is_said_and_made_at_the_next_attempt(installed: Installed) -> None:
    keeper = await installed.keeper()
    await keeper.apply(opening("p-1"))
    owner = await installed.owner()
    month = await owner.fetchval(
        "SELECT 'entries_' || to_char($1::timestamptz, 'YYYY_MM')", keeper.decided_at
    )
    await owner.execute(f"ALTER TABLE entries DETACH PARTITION {month}")
    await owner.execute(f"ALTER TABLE {month} RENAME TO put_away")
    with pytest.raises(LedgerUnavailable, match="croupier migrate"):
        await keeper.apply(bet("p-1", "b-1"))
    await keeper.apply(bet("p-1", "b-1"))


async def test_dead_letters_keep_their_bytes(installed: Installed) -> None:
    keeper = await installed.keeper()
    await keeper.apply(dead_letters=[letter("1-0-0"), letter("1-0-1", offset=1)])
    owner = await installed.owner()
    rows = await owner.fetch("SELECT * FROM dead_letters ORDER BY letter_id")
    assert [row["letter_id"] for row in rows] == ["1-0-0", "1-0-1"]
    assert (rows[0]["event_key"], rows[0]["event_value"]) == (b"p-1\xff", b"\x00not json")
    assert rows[0]["header_names"] == [b"a\x00b", b"none"]
    assert rows[0]["header_values"] == [b"\xff", None]
    assert rows[0]["detail"] == "It is not JSON: \\x00 is no value."
    assert (rows[0]["status"], rows[0]["seq"]) == ("open", 1)


async def test_metadata_is_kept_apart_and_can_be_erased(installed: Installed) -> None:
    keeper = await installed.keeper()
    await keeper.apply(opening("p-1"), bet("p-1", "b-1", metadata=b'{"name":"A"}'), bet("p-1", "b-2"))
    owner = await installed.owner()
    assert await owner.fetchval("SELECT document FROM metadata WHERE key = 'b-1'") == b'{"name":"A"}'
    assert await owner.fetchval("SELECT erase_metadata('p-1')") == 1
    assert await owner.fetchval("SELECT count(*) FROM metadata") == 0
    assert await owner.fetchval("SELECT count(*) FROM outcomes") == 3


async def test_a_request_waits_for_the_lane_of_its_partition_and_is_done_once(installed: Installed) -> None:
    one, other = await installed.keeper(0), await installed.keeper(1)
    await one.apply(opening("p-1"), parking("p-1", "w-1"))
    owner = await installed.owner()
    number = await owner.fetchval(
        "INSERT INTO lane_requests (kind, target, player_id, event_partition, actor, why)"
        " VALUES ('parked.retry', 1, 'p-1', 0, 'me', 'now') RETURNING number"
    )
    (request,) = await one.ledger.requests(LAYOUT, 0, limit=10)
    assert (request.kind, request.player_id, request.partition) == ("parked.retry", "p-1", 0)
    assert await other.ledger.requests(LAYOUT, 1, limit=10) == []
    await one.apply(requests_done=[(number, "not found")])
    assert await one.ledger.requests(LAYOUT, 0, limit=10) == []
    assert await owner.fetchval("SELECT what_came FROM lane_requests") == "not found"


async def test_a_player_first_heard_of_elsewhere_moves_to_the_shard_he_is_opened_in(
    installed: Installed,
) -> None:
    one, other = await installed.keeper(0), await installed.keeper(1)

    def refuse(player: object, books: object) -> None:
        book(player, books, provider="acme", key="b-0", type_="bet", code="PLAYER_NOT_FOUND", partition=0)  # type: ignore[arg-type]  # given as the port gives them

    await one.apply(Deed("p-1", 0, refuse), parking("p-1", "w-1"))
    books = await other.apply(opening("p-1", 3))
    assert books.players["p-1"].shard == 3
    player = (await other.apply(looking("p-1", partition=3))).players["p-1"]
    assert (player.shard, player.partition, player.balance_minor("EUR", "cash")) == (3, 3, 10_000)
    assert len(player.queues["acme"]) == 1
    strayed = (await one.apply(looking("p-1", partition=0))).players["p-1"]
    assert (strayed.shard, strayed.partition) == (3, 3)


async def test_whoever_stores_the_layout_second_gets_the_firsts(installed: Installed) -> None:
    stores = [PostgresLayoutStore(installed.database.worker_dsn) for _ in range(2)]
    got = await asyncio.gather(
        *(
            store.create_first(Layout(1, "other", "other", 4, lanes, 4))
            for lanes, store in enumerate(stores, 1)
        )
    )
    assert [layout.topic for layout in got] == ["wallet.events"] * 2
    for store in stores:
        await store.close()


async def test_a_lane_that_no_layout_has_is_said(installed: Installed) -> None:
    with pytest.raises(LayoutDiffers, match="lane 7"):
        await installed.ledger().take_lane(LAYOUT, 7, owner="worker-1")


async def test_a_server_that_is_away_is_waited_for_by_lanes_and_said_by_commands() -> None:
    ledger = PostgresLedger("postgresql://nobody@127.0.0.1:1/none", shards=1)
    with pytest.raises(LedgerUnavailable):
        await ledger.take_lane(1, 0, owner="worker-1")
    store = PostgresLayoutStore("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(PostgresUnreachable):
        await store.current()


async def test_a_database_without_the_ledger_is_said(installed: Installed) -> None:
    owner = await installed.owner()
    await owner.execute("DROP SCHEMA croupier CASCADE")
    with pytest.raises(NotMigrated, match="croupier migrate"):
        await installed.ledger().take_lane(1, 0, owner="worker-1")


async def test_every_backend_ended_between_batches_is_not_even_noticed(installed: Installed) -> None:
    keeper = await installed.keeper()
    await keeper.apply(opening("p-1"))
    assert await end_others(installed) >= 1
    async with asyncio.timeout(20):
        while True:
            try:
                await keeper.apply(bet("p-1", "b-1"))
                break
            except LedgerUnavailable:
                continue
    assert keeper.row.applied_seq == 2


async def test_append_only_holds_for_the_worker_too(installed: Installed) -> None:
    keeper = await installed.keeper()
    await keeper.apply(opening("p-1"), bet("p-1", "b-1"))
    owner = await installed.owner()
    for table in ("outcomes", "entries", "seals"):
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET decided_at = now()"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
                await owner.execute(statement)


async def test_a_worker_that_froze_in_the_middle_of_a_copy_does_not_keep_its_lane(
    installed: Installed,
) -> None:
    """Postgres ends a session that is idle in its transaction; one that waits for a COPY's next piece it never ends."""
    await (await installed.keeper()).apply(opening("p-1"))
    frozen, in_the_middle = await installed.worker(), asyncio.Event()
    for setting in ("statement_timeout", "idle_in_transaction_session_timeout"):
        await frozen.execute(f"SET {setting} = '500ms'")

    async def nothing_more() -> AsyncIterator[bytes]:
        in_the_middle.set()
        await asyncio.Future()
        yield b""

    transaction = frozen.transaction()
    await transaction.start()
    await frozen.execute("SELECT FROM lanes WHERE lane = 0 FOR UPDATE")
    copying = asyncio.create_task(frozen.copy_to_table("seals", source=nothing_more()))
    await in_the_middle.wait()
    ledger = installed.ledger(Timeouts(lock_seconds=0.5, idle_in_transaction_seconds=1.0))
    try:
        async with asyncio.timeout(30):
            while True:
                try:
                    taken = await ledger.take_lane(LAYOUT, 0, owner="worker-2")
                    break
                except LedgerUnavailable:
                    continue
    finally:
        copying.cancel()
        frozen.terminate()
    assert taken.epoch == 2


async def test_a_dsn_whose_servers_are_none_of_them_as_it_asks_says_what_to_do(installed: Installed) -> None:
    dsn = installed.database.worker_dsn
    asking = f"{dsn}{'&' if '?' in dsn else '?'}target_session_attrs=standby"
    with pytest.raises(PostgresUnreachable, match="promote the standby"):
        await connect(asking, {})
