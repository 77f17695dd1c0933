"""What a lane needs of the world, thin: read events, publish records, keep the ledger, know the time.

Policy is not here and not behind here: recovery, taint, seeking after an exception, assignment and back-off live in
`lane/`. The adapters (`kafka/`, `postgres/`) and the fakes of the tests keep one behaviour suite (`tests/contract`).
"""

from __future__ import annotations

from processor.domain.wanted import Wanted
from processor.ports.events import (
    AssignmentListener,
    CommittedOffset,
    EventReader,
    EventRecord,
    StoredRecord,
    TopicFacts,
    UnparsableRecord,
)
from processor.ports.ledger import (
    DeadLetter,
    JournalRow,
    LaneMove,
    LaneRequest,
    LaneRow,
    Layout,
    LayoutStore,
    Ledger,
    LedgerBatch,
    Written,
)
from processor.ports.records import (
    OutRecord,
    Publisher,
    PublisherFactory,
)
from processor.ports.world import (
    Clock,
    Identifiers,
    KeyFacts,
    Keys,
    Sender,
    SenderKey,
    StepHook,
)

__all__ = [
    "AssignmentListener",
    "Clock",
    "CommittedOffset",
    "DeadLetter",
    "EventReader",
    "EventRecord",
    "Identifiers",
    "JournalRow",
    "KeyFacts",
    "Keys",
    "LaneMove",
    "LaneRequest",
    "LaneRow",
    "Layout",
    "LayoutStore",
    "Ledger",
    "LedgerBatch",
    "OutRecord",
    "Publisher",
    "PublisherFactory",
    "Sender",
    "SenderKey",
    "StepHook",
    "StoredRecord",
    "TopicFacts",
    "UnparsableRecord",
    "Wanted",
    "Written",
]
