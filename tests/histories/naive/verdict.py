"""What the naive wallet says to an event."""

from __future__ import annotations

from dataclasses import dataclass

from tests.histories.past import Fact


@dataclass
class Verdict:
    """What an event is answered. ``burns`` is False where nothing is remembered of it."""

    code: str
    fact: Fact | None = None
    burns: bool = True
    conflict: str | None = None
    replayed: Fact | None = None
    waits: bool = False
