"""Provider profiles for made-up providers, added to whatever reference data an installation has."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from processor.postgres.reference import read_documents, replace_documents


async def add_providers(owner_dsn: str, profiles: Mapping[str, Mapping[str, Any]], *, why: str) -> None:
    """Add profiles by provider name, or put them in place of those of the same name; others stay.

    Raises PostgresUnreachable, NotMigrated.
    """
    present = await read_documents(owner_dsn, "providers")
    await replace_documents(owner_dsn, "providers", {**present, **profiles}, actor="croupier", why=why)


def profiles_in(toml: str) -> dict[str, dict[str, Any]]:
    """The profiles of a text as `croupier providers apply` takes it."""
    return dict(tomllib.loads(toml)["providers"])
