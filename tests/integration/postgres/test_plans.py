"""Hot statements are look-ups by index, whatever the tables hold and however late the statistics are."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from processor.postgres.connection import Connection, Timeouts, connect, lane_settings
from processor.postgres.session import Session
from processor.postgres.statements import statements
from tests.contract.ledger.bookkeeper import bet, opening, session, win
from tests.integration.postgres.installed import Installed

#: What a batch or a lane's turn runs all the time.
HOT = [
    *(("batch_read", name) for name in statements("batch_read") if name != "lane_as_it_is"),
    *(
        ("batch_write", name)
        for name in statements("batch_write")
        if name not in ("move_player", "move_shard")
    ),
    ("lane", "due_parked"),
    ("lane", "requests"),
    ("lane", "journal_above"),
]

#: Few rows for ever; a scan of them is a look-up.
SMALL = {"lanes"}


@pytest.fixture
async def connection(installed: Installed) -> AsyncIterator[Connection]:
    """A lane's connection, with the settings that a lane has."""
    made = await connect(installed.database.worker_dsn, lane_settings(Timeouts()))
    yield made
    await made.close()


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


async def plan_of(connection: Connection, sql: str) -> dict[str, Any]:
    """The generic plan, as a prepared statement of a lane has it; it does not depend on the arguments."""
    await connection.execute(f"PREPARE hot AS {without_comments(sql)}")
    count = max(int(number) for number in re.findall(r"\$(\d+)", sql))
    nothing = ", ".join(["NULL"] * count)
    explained = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE hot ({nothing})")
    plan: dict[str, Any] = json.loads(explained)[0]["Plan"]
    return plan


def without_comments(sql: str) -> str:
    return "\n".join(line for line in sql.splitlines() if not line.startswith("--"))


@pytest.mark.parametrize(("file", "name"), HOT)
async def test_a_hot_statement_scans_no_table(connection: Connection, file: str, name: str) -> None:
    plan = await plan_of(connection, statements(file)[name])
    for node in nodes(plan):
        if node.get("Relation Name") in SMALL:
            continue
        assert node["Node Type"] not in ("Seq Scan", "Hash Join", "Merge Join", "Bitmap Heap Scan"), (
            json.dumps(node)
        )


async def test_a_known_id_is_looked_for_in_one_partition_only(installed: Installed) -> None:
    keeper = await installed.keeper()
    await keeper.apply(opening("p-1"), *(bet("p-1", f"b-{number}", 1) for number in range(50)))
    connection = await connect(installed.database.worker_dsn, lane_settings(Timeouts()))
    sql = without_comments(statements("batch_read")["known_outcomes"])
    await connection.execute(f"PREPARE known (text, text) AS {sql}")
    explained = await connection.fetchval("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE known ('acme', 'b-7')")
    looked = [
        node["Relation Name"]
        for node in nodes(json.loads(explained)[0]["Plan"])
        if node.get("Relation Name", "").startswith("outcomes_") and node["Actual Loops"] > 0
    ]
    await connection.close()
    assert len(looked) == 1


async def test_balances_change_without_touching_an_index(installed: Installed) -> None:
    keeper = await installed.keeper()
    await keeper.apply(opening("p-1", amount_minor=1_000_000))
    for number in range(20):
        await keeper.apply(bet("p-1", f"b-{number}"))
    await keeper.ledger.close()
    owner = await installed.owner()
    rows = await owner.fetch(
        "SELECT relname, n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables"
        " WHERE relname IN ('accounts', 'players') AND n_tup_upd > 0"
    )
    assert {row["relname"] for row in rows} == {"accounts", "players"}
    for row in rows:
        assert row["n_tup_hot_upd"] == row["n_tup_upd"], row["relname"]


async def test_a_batch_of_one_bet_takes_few_round_trips(
    installed: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = await installed.keeper()
    await keeper.apply(opening("p-1"), session("p-1", "s-1"))
    trips: list[str] = []
    for name in ("fetch", "execute", "commit"):
        original = getattr(Session, name)

        async def counted(self: Session, *arguments: Any, _original: Any = original) -> Any:
            trips.append(str(arguments[:1]))
            return await _original(self, *arguments)

        monkeypatch.setattr(Session, name, counted)
    one = bet("p-1", "b-1")
    one.wanted.sessions.add(("p-1", "s-1"))
    await keeper.apply(one)
    assert len(trips) <= 12, trips
    trips.clear()
    await keeper.apply(win("p-1", "w-1", "b-1", 400))
    assert len(trips) <= 12, trips


def test_every_statement_says_what_it_is_for() -> None:
    for file in ("audit", "batch_read", "batch_write", "lane", "layout", "migrate", "reference"):
        assert statements(file)
