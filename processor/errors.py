"""The tree of what can go wrong, by what is to be done about it (failures.md: six kinds, never mixed).

CroupierError
├── WrongUsage                 exit 2: the words of the command are off
├── Unreachable                exit 3
│   ├── KafkaUnreachable
│   └── PostgresUnreachable
├── WrongInstallation          exit 4: not migrated, topics missing or different, another layout
│   ├── AccessDenied           Kafka or Postgres knows us, and we lack a right
│   ├── NotMigrated
│   ├── TopicMissing
│   ├── TopicDiffers
│   ├── LayoutDiffers
│   ├── UnsafeProduction       production mode, and a setting that is not safe there
│   └── KeysUnusable           no directory of keys, or no key in it
├── WorldFault                 retried in place with back-off; never a dead letter, never a result
│   ├── LedgerUnavailable
│   ├── LaneRace               another lane stored the same id first: load again
│   ├── CommitUnknown          the answer to COMMIT was lost: the lane's row says
│   ├── FetchFailed            seek every partition of the lane, then go on
│   ├── OffsetsUnknown         an empty answer about offsets is no answer
│   ├── NoSigningKey           results are to be signed and the operator has no valid key
│   └── PublishFailed          every failure takes the one recovery path
├── BadEvent                   about one event
│   ├── UnparsableBatch        read it alone, tolerantly; dead-letter by offset
│   └── LedgerRefusedData      SQLSTATE class 22: bisect; the single one is poison
└── Doubt                      our own: stop the lane, say why, never guess
    ├── LeaseLost              another owner: leave the lane
    ├── LedgerWentBack         the database is older than what we remember
    ├── ReceiptAhead           Kafka holds receipts above the ledger: restored behind Kafka
    ├── ReceiptUnknown         the receipt is lost and the topics no longer tell
    ├── JournalBroken          the journal is not the batches above the receipt
    ├── OffsetOutOfRange
    ├── TopicReplaced
    ├── TooMuchPoison          the circuit breaker
    └── LaneStopped            stopped earlier, until `lanes resume`
"""

from __future__ import annotations


class CroupierError(Exception):
    """Something went wrong; the message says what, to which thing, and what to do."""

    exit_code = 1


class WrongUsage(CroupierError):
    """The command's words are off."""

    exit_code = 2


class Unreachable(CroupierError):
    """A server does not answer."""

    exit_code = 3


class KafkaUnreachable(Unreachable):
    """Kafka does not answer."""


class PostgresUnreachable(Unreachable):
    """Postgres does not answer."""


class WrongInstallation(CroupierError):
    """The installation is not as it must be."""

    exit_code = 4


class AccessDenied(WrongInstallation):
    """Kafka or Postgres knows who we are, and we lack a right that we need."""


class NotMigrated(WrongInstallation):
    """The database is not at a schema version that this program accepts."""


class TopicMissing(WrongInstallation):
    """A topic does not exist."""


class TopicDiffers(WrongInstallation):
    """A topic is there with settings that the worker cannot accept."""


class LayoutDiffers(WrongInstallation):
    """The stored lane layout is another than the one asked for, or no longer fits the topic."""


class UnsafeProduction(WrongInstallation):
    """This is production, and something is set (or not) that is not safe there."""


class KeysUnusable(WrongInstallation):
    """The directory of keys cannot be read, or holds no key that is needed."""


class WorldFault(CroupierError):
    """A fault of the world: a lane retries the whole batch in place, a command ends as where a server is away."""

    # Not 1: an audit whose connection is cut has found nothing wrong with the books.
    exit_code = 3


class LedgerUnavailable(WorldFault):
    """Postgres did not carry out a statement for a reason that is not the event's."""


class LaneRace(WorldFault):
    """Another lane stored the same transaction id first."""


class CommitUnknown(WorldFault):
    """The connection was lost while COMMIT was under way."""


class FetchFailed(WorldFault):
    """A fetch raised; records of other partitions may be lost from the client's buffers."""


class OffsetsUnknown(WorldFault):
    """The group coordinator did not answer for every partition."""


class OffsetsUnstable(OffsetsUnknown):
    """The group's offsets lie under a transaction that has no end yet, or never gets one."""


class Swept(WorldFault):
    """Something hung in Kafka and was ended; whether it has gone is to be looked at by another recovery."""


class NoSigningKey(WorldFault):
    """Results are to be signed, and the operator has no key that is valid now."""


class PublishFailed(WorldFault):
    """Steps 9 or 10 did not complete for certain."""


class BadEvent(CroupierError):
    """One event's own fault."""


class UnparsableBatch(BadEvent):
    """A record batch cannot be taken apart by the client's parser."""

    def __init__(self, partition: int | None, problem: str) -> None:
        super().__init__(problem)
        self.partition = partition


class LedgerRefusedData(BadEvent):
    """Postgres refused an event's data (SQLSTATE class 22)."""


class Doubt(CroupierError):
    """Our own doubt: the lane stops and says why."""


class LeaseLost(Doubt):
    """Another owner has the lane."""


class LedgerWentBack(Doubt):
    """The lane's row is older than what this worker remembers: a failover lost commits, or a restore."""


class ReceiptAhead(Doubt):
    """Kafka's receipt is above the ledger: the database was restored behind Kafka."""


class ReceiptUnknown(Doubt):
    """The receipt is lost, and what was published can no longer be told from the topics."""


class JournalBroken(Doubt):
    """The journal does not hold exactly the batches above the receipt."""


class OffsetOutOfRange(Doubt):
    """The lane's next offset is no longer, or not yet, on the topic."""

    def __init__(self, message: str, partitions: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.partitions = partitions


class TopicReplaced(Doubt):
    """The events topic has another topic id than the layout's."""


class TooMuchPoison(Doubt):
    """The circuit breaker: a bad deploy must not empty a topic into the dead-letter topic."""


class LaneStopped(Doubt):
    """The lane was stopped earlier and stays so until a person resumes it."""
