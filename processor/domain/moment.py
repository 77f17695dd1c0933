"""A moment: the two clocks a decision is made by. Neither is read here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class Moment:
    """When a decision is made: the record's broker time, and the decision's own time (both aware UTC)."""

    broker_time: datetime
    decided_at: datetime
