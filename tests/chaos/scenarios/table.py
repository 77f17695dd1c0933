"""The table of troubles: every failure that docs/exactly-once.md says is survived, as something that can be made."""

from __future__ import annotations

from typing import Final

from tests.chaos.scenarios.kafka_troubles import (
    BrokerGone,
    BrokerRestarted,
    CoordinatorLoading,
    CoordinatorSilent,
    EndTxnAnswerLost,
    OffsetsDeleted,
)
from tests.chaos.scenarios.network_troubles import (
    KafkaCut,
    KafkaCutWithin,
    KafkaDelayed,
    KafkaSilent,
    PostgresCut,
    PostgresCutWithin,
    PostgresDelayed,
    PostgresSilent,
)
from tests.chaos.scenarios.postgres_troubles import (
    BackendsKilled,
    DiskFull,
    FailedOver,
    PostgresGone,
    PostgresRestarted,
)
from tests.chaos.scenarios.sender_troubles import BadEvents, PartitionHeldBack, SentAgain
from tests.chaos.scenarios.trouble import Trouble
from tests.chaos.scenarios.worker_troubles import (
    ClockStepped,
    JoinsAndLeaves,
    KilledAgainAndAgain,
    KilledAtAStep,
    Zombie,
    ZombieBeforeCommit,
    ZombieBeforeReceipt,
)

TROUBLES: Final[tuple[type[Trouble], ...]] = (
    KilledAtAStep,
    KilledAgainAndAgain,
    Zombie,
    ZombieBeforeCommit,
    ZombieBeforeReceipt,
    JoinsAndLeaves,
    ClockStepped,
    PostgresRestarted,
    PostgresGone,
    BackendsKilled,
    DiskFull,
    FailedOver,
    PostgresDelayed,
    PostgresSilent,
    PostgresCut,
    PostgresCutWithin,
    BrokerRestarted,
    BrokerGone,
    CoordinatorLoading,
    CoordinatorSilent,
    EndTxnAnswerLost,
    OffsetsDeleted,
    KafkaDelayed,
    KafkaSilent,
    KafkaCut,
    KafkaCutWithin,
    SentAgain,
    BadEvents,
    PartitionHeldBack,
)
