"""Reference data: documents by kind, read into the law's profiles, replaced under one revision, pushed to workers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from processor.domain.profiles import BUILT_IN_JURISDICTIONS, Game, Jurisdiction, Profile, Rate, Reference
from processor.errors import LedgerUnavailable, PostgresUnreachable, WrongUsage
from processor.postgres.connection import Connection, Timeouts, connect, leave, opened, session_settings
from processor.postgres.statements import statements
from schemas.currencies import BUILT_IN_CURRENCIES

#: The kinds of documents. A game's name is ``provider/game_id``, a rate's ``FROM/TO TIME``; ``wallet`` has one
#: document, ``policy``.
KINDS = ("providers", "games", "currencies", "wallet", "rates")

#: Where a change is announced; the payload is the new revision.
CHANNEL = "croupier_reference"

_LISTEN_AGAIN_SECONDS = 2.0
_SETS = ("win_without_bet", "currencies")
_PROFILE_FIELDS = {field.name for field in fields(Profile)} - {"provider"}
_JURISDICTION_FIELDS = [field.name for field in fields(Jurisdiction)]


def reference_of(rows: Iterable[Any]) -> Reference:
    """All reference data of one reading: built-in currencies, and what the documents say."""
    providers: dict[str, Profile] = {}
    games: dict[tuple[str, str], Game] = {}
    currencies = dict(BUILT_IN_CURRENCIES)
    rates: dict[tuple[str, str], list[Rate]] = {}
    policy: dict[str, Any] = {}
    revision = 0
    for kind, name, text, row_revision in rows:
        revision = max(revision, row_revision or 0)
        document = {} if text is None else json.loads(text)
        if kind == "providers":
            providers[name] = profile_of(name, document)
        elif kind == "games":
            provider, _, game_id = name.partition("/")
            games[(provider, game_id)] = Game(
                provider, game_id, document.get("name", ""), document.get("status", "active")
            )
        elif kind == "currencies":
            currencies[name] = document["exponent"]
        elif kind == "rates":
            source, target, at = rate_name(name)
            rates.setdefault((source, target), []).append(Rate(document["rate"], at, document["source"]))
        elif kind == "wallet":
            policy = document
    jurisdictions, elsewhere = jurisdictions_of(policy)
    pool_order = tuple(policy.get("pool_order", ("cash", "bonus")))
    for of_pair in rates.values():
        of_pair.sort(key=lambda rate: rate.at, reverse=True)
    max_age_hours = policy.get("rate_max_age_hours", Reference().rate_max_age_hours)
    return Reference(
        revision, providers, games, currencies, pool_order, jurisdictions, elsewhere, rates, max_age_hours
    )


def rate_name(name: str) -> tuple[str, str, datetime]:
    """From, to and since when, of a rate's document."""
    pair, _, at = name.partition(" ")
    source, _, target = pair.partition("/")
    return source, target, datetime.fromisoformat(at)


def jurisdictions_of(policy: Mapping[str, Any]) -> tuple[dict[str, Jurisdiction], Jurisdiction]:
    """The rules of each jurisdiction that has its own, and those everywhere else; what is not said is built in."""
    elsewhere = Jurisdiction(**_rules(policy))
    told = policy.get("jurisdictions", {})
    jurisdictions = dict(BUILT_IN_JURISDICTIONS)
    for name, document in told.items():
        jurisdictions[name] = replace(jurisdictions.get(name, elsewhere), **_rules(document))
    return jurisdictions, elsewhere


def _rules(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: document[name] for name in _JURISDICTION_FIELDS if document.get(name) is not None}


def profile_of(provider: str, document: Mapping[str, Any]) -> Profile:
    """A provider's profile; what is not there has its default, what we do not know is a newer program's."""
    known = {name: value for name, value in document.items() if name in _PROFILE_FIELDS}
    for name in _SETS:
        if name in known:
            value = known[name]
            known[name] = frozenset([value] if isinstance(value, str) else value)
    return Profile(provider, **known)


async def read_reference(dsn: str) -> Reference:
    """All reference data as it is now. Raises `errors.LedgerUnavailable`, `errors.NotMigrated`."""
    try:
        async with opened(dsn) as connection:
            return reference_of(await connection.fetch(statements("reference")["read"]))
    except PostgresUnreachable as error:
        raise LedgerUnavailable(str(error)) from error


async def read_kinds(dsn: str, kinds: Iterable[str]) -> list[tuple[str, str, str | None, int]]:
    """(kind, name, JSON, newest revision of all) of the documents of these kinds, and a last one without JSON.

    Raises `errors.LedgerUnavailable`, `errors.NotMigrated`.
    """
    try:
        async with opened(dsn) as connection:
            rows = await connection.fetch(statements("reference")["read_kinds"], list(kinds))
    except PostgresUnreachable as error:
        raise LedgerUnavailable(str(error)) from error
    return [(kind, name, document, revision) for kind, name, document, revision in rows]


async def read_documents(dsn: str, kind: str) -> dict[str, dict[str, Any]]:
    """The documents of one kind, by name. Raises `errors.PostgresUnreachable`, `errors.NotMigrated`."""
    async with opened(dsn) as connection:
        return await _documents(connection, kind)


async def replace_documents(
    dsn: str, kind: str, documents: Mapping[str, Mapping[str, Any]], *, actor: str, why: str
) -> int:
    """Make these the documents of their kind, all others of it go; the revision that is current then.

    One transaction; where nothing differs there is no new revision. ``dsn`` is the owner's. Workers are told at once.
    """
    if kind not in KINDS:
        raise WrongUsage(f"there are no documents of the kind {kind!r}: {', '.join(KINDS)}")
    sql = statements("reference")
    async with opened(dsn) as connection, connection.transaction():
        await connection.execute(sql["lock"])
        before = await _documents(connection, kind)
        changed = [
            (name, before.get(name), documents.get(name))
            for name in sorted(before.keys() | documents.keys())
            if before.get(name) != documents.get(name)
        ]
        if not changed:
            return int(await connection.fetchval(sql["current_revision"]))
        revision: int = await connection.fetchval(sql["new_revision"], actor, why)
        for name, old, new in changed:
            await connection.execute(sql["note_change"], revision, kind, name, _text(old), _text(new))
            if new is None:
                await connection.execute(sql["remove"], kind, name)
            else:
                await connection.execute(sql["put"], revision, kind, name, _text(new))
        await connection.execute(sql["notify"], str(revision))
        return revision


async def ids_are_used(dsn: str, provider: str) -> bool:
    """Whether any id of this provider is stored: then what its keys are made of cannot change any more."""
    async with opened(dsn) as connection:
        return bool(await connection.fetchval(statements("reference")["ids_are_used"], provider))


@asynccontextmanager
async def listen(dsn: str, changed: Callable[[], None]) -> AsyncIterator[None]:
    """While the block lasts, call ``changed`` whenever reference data may have changed.

    That is at each announcement, and each time the connection is there again after a loss (one may have been missed).
    Raises `errors.LedgerUnavailable` where there is no connection to begin with.
    """
    try:
        connection = await connect(dsn, session_settings(Timeouts()))
        await connection.add_listener(CHANNEL, lambda *_: changed())
    except PostgresUnreachable as error:
        raise LedgerUnavailable(str(error)) from error
    lost = asyncio.Event()
    connection.add_termination_listener(lambda _: lost.set())
    again = asyncio.create_task(_listen_again(dsn, changed, lost), name="reference-listener")
    try:
        yield
    finally:
        again.cancel()
        await asyncio.wait([again])
        await leave(connection)


async def _listen_again(dsn: str, changed: Callable[[], None], lost: asyncio.Event) -> None:
    """After a loss, listen anew as soon as Postgres is back."""
    await lost.wait()
    while True:
        await asyncio.sleep(_LISTEN_AGAIN_SECONDS)
        with suppress(LedgerUnavailable):
            async with listen(dsn, changed):
                changed()
                await asyncio.Future()


async def _documents(connection: Connection, kind: str) -> dict[str, dict[str, Any]]:
    rows = await connection.fetch(statements("reference")["of_kind"], kind)
    return {row["name"]: json.loads(row["document"]) for row in rows}


def _text(document: Mapping[str, Any] | None) -> str | None:
    return None if document is None else json.dumps(document)
