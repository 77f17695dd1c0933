"""Reference data: documents by kind, read into the law's profiles, replaced under one revision, pushed to workers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from processor.domain.profiles import Game, Profile, Reference
from schemas.currencies import BUILT_IN_CURRENCIES

#: The kinds of documents. A game's name is ``provider/game_id``; ``wallet`` has one document, ``policy``.
KINDS = ("providers", "games", "currencies", "wallet")

#: Where a change is announced; the payload is the new revision.
CHANNEL = "croupier_reference"

_SETS = ("win_without_bet", "currencies")
_PROFILE_FIELDS = {field.name for field in fields(Profile)} - {"provider"}


def reference_of(rows: Iterable[Any]) -> Reference:
    """All reference data of one reading: built-in currencies, and what the documents say."""
    providers: dict[str, Profile] = {}
    games: dict[tuple[str, str], Game] = {}
    currencies = dict(BUILT_IN_CURRENCIES)
    pool_order: tuple[str, ...] = ("cash", "bonus")
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
        elif kind == "wallet":
            pool_order = tuple(document.get("pool_order", pool_order))
    return Reference(revision, providers, games, currencies, pool_order)


def profile_of(provider: str, document: Mapping[str, Any]) -> Profile:
    """A provider's profile; what is not there has its default, what we do not know is a newer program's."""
    known = {name: value for name, value in document.items() if name in _PROFILE_FIELDS}
    for name in _SETS:
        if name in known:
            value = known[name]
            known[name] = frozenset([value] if isinstance(value, str) else value)
    return Profile(provider, **known)
