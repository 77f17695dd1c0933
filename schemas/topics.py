"""The three topics of the contract: their default names, and the configuration that each must have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

TopicRole = Literal["events", "results", "dead-letters"]

EVENTS_TOPIC: Final = "wallet.events"
RESULTS_TOPIC: Final = "wallet.results"
DEAD_LETTERS_TOPIC: Final = "wallet.dead-letters"

#: Kafka's own default, which bounds record batches; the 64 KiB of an event are checked by the worker.
MAX_BATCH_BYTES: Final = 1_048_588
#: A dead letter is the original with more headers, so its topic takes this much more than the events'.
DEAD_LETTER_ROOM_BYTES: Final = 64 * 1024
RETENTION_MILLISECONDS: Final = 30 * 24 * 60 * 60 * 1000
DESIRED_REPLICATION_FACTOR: Final = 3
DESIRED_MIN_INSYNC_REPLICAS: Final = 2


@dataclass(frozen=True, slots=True)
class TopicSpecification:
    """A topic by its role. ``required`` must hold exactly; ``defaults`` are set when the topic is created.

    All three topics have the same number of partitions: a result goes to the partition its event came from.
    """

    role: TopicRole
    default_name: str
    required: Mapping[str, str]
    defaults: Mapping[str, str]


def _specification(
    role: TopicRole, name: str, required: Mapping[str, str], defaults: Mapping[str, str]
) -> TopicSpecification:
    return TopicSpecification(role, name, MappingProxyType(dict(required)), MappingProxyType(dict(defaults)))


_KEPT: Final = {"cleanup.policy": "delete", "retention.ms": str(RETENTION_MILLISECONDS)}

TOPICS: Final = (
    _specification(
        "events",
        EVENTS_TOPIC,
        # The broker's time, so that no sender chooses a record's time; no codec, so that no bomb comes in.
        {
            "message.timestamp.type": "LogAppendTime",
            "compression.type": "uncompressed",
            "max.message.bytes": str(MAX_BATCH_BYTES),
        },
        {"cleanup.policy": "delete"},
    ),
    _specification("results", RESULTS_TOPIC, {}, _KEPT),
    _specification(
        "dead-letters",
        DEAD_LETTERS_TOPIC,
        {"max.message.bytes": str(MAX_BATCH_BYTES + DEAD_LETTER_ROOM_BYTES)},
        _KEPT,
    ),
)


def replication_for(brokers: int) -> tuple[int, int]:
    """(replication factor, ``min.insync.replicas``) on so many brokers: 3 and 2 where there are 3."""
    factor = min(brokers, DESIRED_REPLICATION_FACTOR)
    return factor, min(DESIRED_MIN_INSYNC_REPLICAS, factor)
