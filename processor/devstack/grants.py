"""What the one user of a secured stack may do: everything about topics, groups and ids named as a wallet's are."""

from __future__ import annotations

from collections.abc import Mapping

from processor.devstack.doors import USER
from processor.devstack.stack import settings_from
from processor.kafka.access.cluster import administration
from processor.kafka.access.plan import changes
from processor.kafka.access.rights import EVERYWHERE, Access, Grant, Operation, Resource, Right

_TOPIC: tuple[Operation, ...] = ("read", "write", "describe-configs")
_MAY: tuple[tuple[Resource, str, tuple[Operation, ...]], ...] = (
    ("topic", "wallet.", _TOPIC),
    ("group", "", ("read",)),
    ("transactional-id", "", ("write",)),
)


async def grant_user(environment: Mapping[str, str]) -> None:
    """Give the user its rights, as far as it lacks them. Raises as `administration` does."""
    settings = settings_from(environment)
    wanted = Access(
        frozenset(
            Grant(USER, EVERYWHERE, Right(resource, name or "*", bool(name), operation))
            for resource, name, operations in _MAY
            for operation in operations
        )
    )
    async with administration(settings) as cluster:
        had = Access((await cluster.read()).of(USER).grants)
        for change in changes(had, wanted):
            await cluster.carry_out(change, {})
