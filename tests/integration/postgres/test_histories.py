"""Histories: pages by key, a round's whole story, sessions with their sums, stuck rounds; and how they are found."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from processor.domain.state import Books, Player
from processor.ports import Wanted
from processor.postgres.connection import Connection, Timeouts, connect, lane_settings
from processor.postgres.desk.desk import Desk, open_desk
from processor.postgres.desk.history import HistoryFilter, Transaction, history, story
from processor.postgres.desk.play import (
    RoundKey,
    SessionFilter,
    StuckKey,
    StuckRound,
    rounds,
    sessions,
    stuck_rounds,
)
from processor.postgres.statements import statements
from tests.contract.ledger.bookkeeper import NOW, Bookkeeper, Deed, bet, book, opening, session, win
from tests.integration.postgres.installed import Installed
from tests.integration.postgres.test_plans import nodes, plan_of

LATER = NOW + timedelta(hours=30)


@pytest.fixture
async def keeper(installed: Installed) -> Bookkeeper:
    return await installed.keeper()


@pytest.fixture
async def desk(installed: Installed) -> AsyncIterator[Desk]:
    async with open_desk(installed.database.worker_dsn) as opened:
        yield opened


def rollback(player_id: str, key: str, bet_key: str, amount_minor: int) -> Deed:
    """A rollback that names neither round nor session."""

    def act(player: Player, books: Books) -> None:
        movements = [("house:gaming", "cash", amount_minor)]
        book(
            player, books, provider="acme", key=key, type_="rollback", movements=movements, reference=bet_key
        )
        round_ = player.rounds[("acme", f"r-{bet_key}")]
        round_.bets_rolled_back, round_.changed = round_.bets_rolled_back + 1, True

    return Deed(player_id, 0, act, Wanted(rounds={(player_id, "acme", f"r-{bet_key}")}))


def together(player_id: str, *keys: str) -> Deed:
    """One event with an outcome for each of these ids, as a batch of bets leaves them: one sequence for all."""

    def act(player: Player, books: Books) -> None:
        for number, key in enumerate(keys):
            book(
                player, books, provider="acme", key=key, type_="bet", movements=[("cash", "house:gaming", 10)]
            )
            if number:
                player.sequence -= 1
                books.new_outcomes[-1].sequence = player.sequence
                books.new_entries[-1].sequence, books.new_entries[-1].leg = player.sequence, number

    return Deed(player_id, 0, act, Wanted(keys={("acme", key) for key in keys}))


async def page(desk: Desk, **wanted: Any) -> list[str]:
    rows = await history(desk, HistoryFilter("p-1", **wanted))
    assert rows is not None
    return ids(rows)


def ids(rows: list[Transaction]) -> list[str]:
    return [row.transaction_id for row in rows]


async def test_pages_go_on_where_the_one_before_ended_and_never_part_what_was_decided_together(
    keeper: Bookkeeper, desk: Desk
) -> None:
    await keeper.apply(
        opening("p-1"), bet("p-1", "b-1"), together("p-1", "x-1", "x-2", "x-3"), bet("p-1", "b-2")
    )
    assert await page(desk, limit=2) == ["b-2", "x-1", "x-2", "x-3"]
    assert await page(desk, limit=2, before=3) == ["b-1", "d-p-1-EUR"]
    [*_, batch, _, _] = (await history(desk, HistoryFilter("p-1", limit=2))) or []
    assert [leg.amount_minor for leg in batch.legs] == [10, 10, 10]


async def test_a_history_is_narrowed_by_round_session_time_type_provider_and_code(
    keeper: Bookkeeper, desk: Desk
) -> None:
    await keeper.apply(opening("p-1"), bet("p-1", "b-1", session_id="s-1"), win("p-1", "w-1", "b-1", 900))
    keeper.decided_at = NOW + timedelta(seconds=9)
    await keeper.apply(bet("p-1", "b-2", session_id="s-2"))
    assert await page(desk, round_id="r-b-1") == ["w-1", "b-1"]
    assert await page(desk, session_id="s-2") == ["b-2"]
    assert await page(desk, since=NOW + timedelta(seconds=1)) == ["b-2"]
    assert await page(desk, until=NOW + timedelta(seconds=1), type="bet") == ["b-1"]
    assert await page(desk, provider="cashier") == ["d-p-1-EUR"]
    assert await page(desk, code="CONFLICT") == []
    assert await history(desk, HistoryFilter("nobody")) is None


async def test_a_rounds_story_has_what_names_it_and_what_refers_to_it(keeper: Bookkeeper, desk: Desk) -> None:
    await keeper.apply(
        opening("p-1"), opening("p-2"), bet("p-1", "b-1"), bet("p-1", "b-2"), bet("p-2", "b-3")
    )
    await keeper.apply(win("p-1", "w-1", "b-1", 900), rollback("p-1", "c-1", "b-2", 250))
    (played,) = await rounds(desk, "r-b-2", None, None, RoundKey(), 10)
    assert (played.player_id, played.bets, played.bets_rolled_back) == ("p-1", 1, 1)
    assert ids(await story(desk, played.player, "acme", "r-b-2")) == ["b-2", "c-1"]
    assert await rounds(desk, "r-b-2", "p-2", None, RoundKey(), 10) == []
    assert await rounds(desk, "r-b-2", None, None, RoundKey("p-1", "acme"), 10) == []


async def test_a_session_tells_how_long_it_lasted_and_what_it_brought(keeper: Bookkeeper, desk: Desk) -> None:
    await keeper.apply(opening("p-1"), session("p-1", "s-1"))
    await keeper.apply(bet("p-1", "b-1", 250, session_id="s-1"), bet("p-1", "b-2", 100, session_id="s-1"))
    await keeper.apply(win("p-1", "w-1", "b-1", 900), rollback("p-1", "c-1", "b-2", 100))
    await keeper.apply(bet("p-1", "b-3", 70))
    (played,) = await sessions(desk, SessionFilter("p-1")) or []
    (moved,) = played.moved
    assert (moved.staked_minor, moved.won_minor, moved.net_minor) == (350, 900, 650)
    assert played.ended_at(NOW) is None
    assert played.duration_seconds(NOW + timedelta(minutes=5)) == 300
    assert played.duration_seconds(NOW + timedelta(hours=25)) == 24 * 3600
    assert replace(played, closed_at=NOW + timedelta(hours=1)).duration_seconds(LATER) == 3600


async def test_sessions_come_newest_first_in_pages(keeper: Bookkeeper, desk: Desk) -> None:
    await keeper.apply(opening("p-1"), *(session("p-1", f"s-{number}") for number in range(5)))
    first = await sessions(desk, SessionFilter("p-1", limit=3)) or []
    last = first[-1]
    rest = await sessions(desk, SessionFilter("p-1", before=(last.opened_at, last.session_id), limit=3)) or []
    assert [one.session_id for one in (*first, *rest)] == ["s-4", "s-3", "s-2", "s-1", "s-0"]


async def stuck(desk: Desk, hours: Mapping[str, int] | None = None, **more: Any) -> list[StuckRound]:
    wanted = {"provider": None, "after": StuckKey(), "limit": 10, **more}
    return await stuck_rounds(desk, hours or {}, 24, LATER, **wanted)


async def test_a_round_is_stuck_while_its_time_is_over_and_a_stake_of_it_is_not_settled(
    keeper: Bookkeeper, desk: Desk
) -> None:
    await keeper.apply(opening("p-1"))
    stake: dict[str, Any] = {"kind": "stake"}
    await keeper.apply(*(bet("p-1", f"b-{number}", 100 * number, **stake) for number in range(1, 5)))
    await keeper.apply(win("p-1", "w-1", "b-1", 0 + 5), rollback("p-1", "c-2", "b-2", 200))
    found = await stuck(desk)
    assert [(one.round_id, one.bets, one.staked_minor) for one in found] == [
        ("r-b-3", 1, 300),
        ("r-b-4", 1, 400),
    ]
    assert await stuck(desk, {"acme": 31}) == []
    assert await stuck(desk, provider="other") == []
    last = found[0]
    after = StuckKey(last.opened_at, last.player_id, last.provider, last.round_id)
    assert [one.round_id for one in await stuck(desk, after=after)] == ["r-b-4"]


@pytest.fixture
async def connection(installed: Installed) -> AsyncIterator[Connection]:
    """A connection whose plans are generic: they do not depend on the arguments."""
    made = await connect(installed.database.worker_dsn, lane_settings(Timeouts()))
    yield made
    await made.close()


#: Sequential reads of these are meant: a query for people over all rounds, and small tables.
SCANNED_FOR_STUCK_ROUNDS = {"rounds"}


@pytest.mark.parametrize("name", list(statements("desk_history")))
async def test_a_history_reads_no_table_whole(connection: Connection, name: str) -> None:
    plan = await plan_of(connection, statements("desk_history")[name])
    allowed = SCANNED_FOR_STUCK_ROUNDS if name == "stuck_rounds" else set()
    for node in nodes(plan):
        if node["Node Type"] == "Seq Scan":
            assert node["Relation Name"] in allowed, json.dumps(node)


@pytest.mark.parametrize("name", ["page", "sequences_of_round", "session_sums", "stuck_rounds"])
async def test_which_decisions_belong_to_a_round_or_session_is_read_from_the_index_alone(
    connection: Connection, name: str
) -> None:
    plan = await plan_of(connection, statements("desk_history")[name])
    alone = [node for node in nodes(plan) if node["Node Type"] == "Index Only Scan"]
    assert any("player_sequence_round_id" in node["Index Name"] for node in alone)
