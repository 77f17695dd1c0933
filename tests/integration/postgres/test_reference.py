"""Reference data: replaced whole, under one revision, told at once, read as the law's profiles."""

from __future__ import annotations

import asyncio

import pytest

from processor.domain.profiles import Game, Profile
from processor.errors import LedgerUnavailable, WrongUsage
from processor.postgres.reference import (
    ids_are_used,
    listen,
    read_documents,
    read_reference,
    replace_documents,
)
from tests.contract.ledger.bookkeeper import bet, opening
from tests.integration.postgres.installed import Installed

ACME = {"wins_per_bet": "many", "win_without_bet": ["any"], "currencies": ["EUR"], "of_a_newer_program": 1}


async def test_nothing_applied_is_revision_zero_with_the_built_in_currencies(installed: Installed) -> None:
    reference = await read_reference(installed.database.worker_dsn)
    assert (reference.revision, reference.providers) == (0, {})
    assert (reference.currencies["EUR"], reference.currencies["JPY"]) == (2, 0)


async def test_documents_become_profiles_games_and_currencies(installed: Installed) -> None:
    dsn = installed.database.migrator_dsn
    await replace_documents(dsn, "providers", {"acme": ACME}, actor="me", why="first")
    await replace_documents(dsn, "games", {"acme/a/b": {"status": "suspended"}}, actor="me", why="games")
    assert await replace_documents(dsn, "currencies", {"TOK": {"exponent": 4}}, actor="me", why="token") == 3
    reference = await read_reference(installed.database.worker_dsn)
    assert reference.revision == 3
    assert reference.providers["acme"] == Profile(
        "acme", wins_per_bet="many", win_without_bet=frozenset({"any"}), currencies=frozenset({"EUR"})
    )
    assert reference.games == {("acme", "a/b"): Game("acme", "a/b", "", "suspended")}
    assert reference.currencies["TOK"] == 4
    ledger = installed.ledger()
    assert await ledger.reference() == (3, reference)


async def test_what_does_not_differ_is_no_revision_and_what_is_left_out_goes(installed: Installed) -> None:
    dsn = installed.database.migrator_dsn
    both = {"acme": ACME, "other": {}}
    assert await replace_documents(dsn, "providers", both, actor="me", why="both") == 1
    assert await replace_documents(dsn, "providers", both, actor="me", why="again") == 1
    assert await replace_documents(dsn, "providers", {"acme": ACME}, actor="me", why="one") == 2
    assert await read_documents(dsn, "providers") == {"acme": ACME}
    owner = await installed.owner()
    changes = await owner.fetch(
        "SELECT revision, name, after IS NULL AS gone FROM reference_changes ORDER BY 1, 2"
    )
    assert [tuple(row) for row in changes] == [(1, "acme", False), (1, "other", False), (2, "other", True)]


async def test_a_change_is_told_at_once(installed: Installed) -> None:
    told = asyncio.Event()
    async with listen(installed.database.worker_dsn, told.set):
        await replace_documents(
            installed.database.migrator_dsn, "providers", {"acme": {}}, actor="me", why="x"
        )
        await asyncio.wait_for(told.wait(), 30)


async def test_a_lost_listener_listens_again_and_says_that_something_may_have_changed(
    installed: Installed,
) -> None:
    told = asyncio.Event()
    worker = await installed.worker()
    async with listen(installed.database.worker_dsn, told.set):
        await worker.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'croupier'"
        )
        await asyncio.wait_for(told.wait(), 60)
        told.clear()
        await replace_documents(
            installed.database.migrator_dsn, "providers", {"acme": {}}, actor="me", why="x"
        )
        await asyncio.wait_for(told.wait(), 60)


async def test_ids_of_a_provider_are_used_once_one_is_stored(installed: Installed) -> None:
    dsn = installed.database.worker_dsn
    assert not await ids_are_used(dsn, "acme")
    keeper = await installed.keeper()
    await keeper.apply(opening("p-1"), bet("p-1", "b-1"))
    assert await ids_are_used(dsn, "acme")


async def test_unknown_kinds_and_absent_servers_are_said(installed: Installed) -> None:
    with pytest.raises(WrongUsage, match="providers"):
        await replace_documents(installed.database.migrator_dsn, "players", {}, actor="me", why="x")
    with pytest.raises(LedgerUnavailable):
        await read_reference("postgresql://nobody@127.0.0.1:1/none")
