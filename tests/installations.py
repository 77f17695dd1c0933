"""What tests are given of a stack: a fresh migrated database, fresh topics; and how both are made."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from processor.devstack import databases
from processor.devstack.stack import POSTGRES_DSN, POSTGRES_MIGRATOR_DSN, Stack

RETENTION_MS = str(30 * 24 * 3600 * 1000)
EVENTS_CONFIG = {"message.timestamp.type": "LogAppendTime", "compression.type": "uncompressed"}


@dataclass(frozen=True)
class Database:
    """A migrated database of one test's own."""

    name: str
    worker_dsn: str
    migrator_dsn: str

    def environment(self) -> dict[str, str]:
        """The variables that point the program at this database."""
        return {POSTGRES_DSN: self.worker_dsn, POSTGRES_MIGRATOR_DSN: self.migrator_dsn}


@dataclass(frozen=True)
class Topics:
    """The three topics of one test's own, with the same number of partitions."""

    bootstrap: str
    partitions: int
    events: str
    results: str
    dead_letters: str
    group: str
    app: str

    def environment(self) -> dict[str, str]:
        """The variables that point the program at these topics, with a group and transactional ids of their own."""
        return {
            "CROUPIER_KAFKA_BOOTSTRAP": self.bootstrap,
            "CROUPIER_EVENTS_TOPIC": self.events,
            "CROUPIER_RESULTS_TOPIC": self.results,
            "CROUPIER_DEAD_LETTERS_TOPIC": self.dead_letters,
            "CROUPIER_PARTITIONS": str(self.partitions),
            "CROUPIER_GROUP": self.group,
            "CROUPIER_APP": self.app,
        }


def unique(prefix: str) -> str:
    """A name that nothing else has: letters, digits and _ only."""
    return f"{prefix}_{uuid.uuid4().hex[:12]}"


async def make_template(stack: Stack) -> str:
    """A migrated database that others are copied from; gives its name."""
    from processor.postgres.migrate import migrate

    name = unique("template")
    migrator_dsn = stack.environment()[POSTGRES_MIGRATOR_DSN]
    await migrate(await databases.create_database(migrator_dsn, name), worker_role=databases.WORKER)
    return name


async def make_database(stack: Stack, template: str | None) -> Database:
    """A new database, a copy of `template`, or an empty one."""
    variables = stack.environment()
    name = unique("test")
    migrator_dsn = await databases.create_database(variables[POSTGRES_MIGRATOR_DSN], name, template)
    return Database(name, databases.with_database(variables[POSTGRES_DSN], name), migrator_dsn)


async def drop(stack: Stack, name: str) -> None:
    """Drop a database that was made here."""
    await databases.drop_database(stack.environment()[POSTGRES_MIGRATOR_DSN], name)


async def make_topics(bootstrap: str, partitions: int, security: Mapping[str, Any] | None = None) -> Topics:
    """Three new topics, set as the contract says, on one broker (`security_of` a secured stack's variables)."""
    tag = uuid.uuid4().hex[:12]
    topics = Topics(
        bootstrap=bootstrap,
        partitions=partitions,
        events=f"wallet.events.{tag}",
        results=f"wallet.results.{tag}",
        dead_letters=f"wallet.dead-letters.{tag}",
        group=f"group-{tag}",
        app=f"app-{tag}",
    )
    configs = {
        topics.events: EVENTS_CONFIG,
        topics.results: {"retention.ms": RETENTION_MS},
        topics.dead_letters: {"retention.ms": RETENTION_MS, "max.message.bytes": str(1_048_588 + 65_536)},
    }
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **(security or {}))
    await admin.start()
    try:
        answer = await admin.create_topics(
            [NewTopic(name, partitions, 1, topic_configs=config) for name, config in configs.items()]
        )
    finally:
        await admin.close()
    failed = [entry for entry in answer.topic_errors if entry[1] != 0]
    if failed:
        raise RuntimeError(f"These topics could not be made: {failed}")
    return topics
