"""What there is to grant on a cluster, as values that can be compared: rights (ACLs), users, quotas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from processor.settings import Settings

Resource = Literal["topic", "group", "transactional-id", "cluster"]
Operation = Literal[
    "all",
    "read",
    "write",
    "create",
    "delete",
    "alter",
    "describe",
    "cluster-action",
    "describe-configs",
    "alter-configs",
    "idempotent-write",
]
Mechanism = Literal["SCRAM-SHA-256", "SCRAM-SHA-512"]
Role = Literal["worker", "operator", "sender", "reader"]

EVERYWHERE = "*"


class Right(NamedTuple):
    """An operation on something: by its name, or all whose names begin so."""

    resource: Resource
    name: str
    prefixed: bool
    operation: Operation

    def in_words(self) -> str:
        return f"{self.operation} {self.resource} {self.name}{'*' if self.prefixed else ''}"


class Grant(NamedTuple):
    """A right of somebody, from one address (or EVERYWHERE). ``denied`` takes instead of giving."""

    principal: str
    host: str
    right: Right
    denied: bool = False

    def in_words(self) -> str:
        given = "denied " if self.denied else ""
        return f"{given}{self.right.in_words()} from {'anywhere' if self.host == EVERYWHERE else self.host}"


@dataclass(frozen=True)
class Access:
    """All that is granted, or is to be: principals are plain names, without "User:".

    Quotas are by principal and key: ``producer_byte_rate`` and ``consumer_byte_rate`` in bytes per second of each
    broker, ``request_percentage`` of a broker's threads.
    """

    grants: frozenset[Grant] = frozenset()
    users: Mapping[str, frozenset[Mechanism]] = field(default_factory=dict)
    quotas: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def of(self, prefix: str) -> Access:
        """The part of it whose principals' names begin so."""
        return Access(
            frozenset(one for one in self.grants if one.principal.startswith(prefix)),
            {name: had for name, had in self.users.items() if name.startswith(prefix)},
            {name: had for name, had in self.quotas.items() if name.startswith(prefix)},
        )

    def principals(self) -> set[str]:
        """Everybody who is named."""
        return {one.principal for one in self.grants} | self.users.keys() | self.quotas.keys()


def rights_of(role: Role, settings: Settings) -> frozenset[Right]:
    """The least that a role needs in this installation: its topics, its group, its transactional ids.

    ``read`` and ``write`` bring ``describe`` with them. A worker reads what it has published when a receipt is lost.
    An operator may also publish events (replays), and do a worker's part of the work (resize, repair).
    """
    events, results, letters = settings.events_topic, settings.results_topic, settings.dead_letters_topic
    worker = {
        *_topic(events, "read", "describe-configs"),
        *_topic(results, "read", "write", "describe-configs"),
        *_topic(letters, "read", "write", "describe-configs"),
        Right("group", settings.group, False, "read"),
        Right("transactional-id", f"{settings.app}.{settings.group}.{events}.", True, "write"),
    }
    return {
        "worker": frozenset(worker),
        "operator": frozenset(worker | _topic(events, "write")),
        "sender": frozenset(_topic(events, "write")),
        "reader": frozenset(_topic(results, "read")),
    }[role]


def _topic(name: str, *operations: Operation) -> set[Right]:
    return {Right("topic", name, False, operation) for operation in operations}
