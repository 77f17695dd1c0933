"""Cached reference data: each kind for its own time, all at once when a change is told or a revision was missed."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import fields

from processor.domain.profiles import Game, Profile, Reference
from processor.lane.references import References, Row
from processor.settings import Settings

KINDS = frozenset({"providers", "games", "wallet"})


class Store:
    """What Postgres holds, what was asked of it, and the clock."""

    def __init__(self) -> None:
        self.revision = 1
        self.names = {"providers": "acme", "games": "acme/g", "wallet": "policy"}
        self.asked: list[Set[str]] = []
        self.now = 0.0
        self.references = References(self.read, build, KINDS, timer=lambda: self.now)

    async def read(self, kinds: Set[str]) -> list[Row]:
        self.asked.append(kinds)
        rows = [Row(kind, self.names[kind], "{}", self.revision) for kind in sorted(kinds)]
        return [*rows, Row("revision", "", None, self.revision)]

    async def after(self, seconds: float, *, told: bool = False) -> Set[str]:
        """Let time pass and refresh; which kinds were asked for."""
        self.now += seconds
        before = len(self.asked)
        await self.references.refresh(told=told)
        return frozenset().union(*self.asked[before:])


def build(rows: Sequence[Row]) -> Reference:
    providers = {row.name: Profile(row.name) for row in rows if row.kind == "providers"}
    games = {("acme", row.name): Game("acme", row.name) for row in rows if row.kind == "games"}
    return Reference(max(row.revision for row in rows), providers, games, {"EUR": 2})


async def test_each_kind_is_read_again_only_after_its_own_time() -> None:
    store = Store()
    assert await store.after(0) == KINDS
    assert await store.after(299) == set()
    assert await store.after(2) == {"providers"}
    assert await store.after(600) == {"providers", "wallet"}
    assert await store.after(2700) == KINDS


async def test_what_was_not_read_again_is_still_there() -> None:
    store = Store()
    await store.after(0)
    await store.after(301)
    assert list(store.references.current.providers) == ["acme"]
    assert list(store.references.current.games) == [("acme", "acme/g")]


async def test_a_change_that_is_told_is_read_at_once_and_whole() -> None:
    store = Store()
    await store.after(0)
    store.revision, store.names["games"] = 2, "acme/new"
    assert await store.after(1, told=True) == KINDS
    assert list(store.references.current.games) == [("acme", "acme/new")]


async def test_a_change_that_nobody_told_never_mixes_two_revisions() -> None:
    store = Store()
    await store.after(0)
    store.revision, store.names["games"] = 2, "acme/new"
    assert await store.after(301) == KINDS
    assert store.references.current.revision == 2
    assert list(store.references.current.games) == [("acme", "acme/new")]


def test_the_times_are_those_of_the_law_and_nothing_about_money_is_among_what_is_kept() -> None:
    settings = Settings()
    times = (
        settings.providers_cached_seconds,
        settings.games_cached_seconds,
        settings.preferences_cached_seconds,
    )
    assert times == (300.0, 3600.0, 900.0)
    kept = {field.name for field in fields(Reference)}
    assert not kept & {"balances", "accounts", "limits", "blocks", "sessions", "players"}
