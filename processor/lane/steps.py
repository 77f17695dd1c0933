"""The numbered steps of a batch: the same numbers in code, log lines, metrics, documents and chaos tests."""

from __future__ import annotations

from enum import IntEnum


class Step(IntEnum):
    """One step of a batch's life (docs/exactly-once.md). Members are what metrics and logs call them."""

    FETCH = 1
    AUTHENTICATE = 2
    DECODE = 3
    FENCE = 4
    LOAD = 5
    DECIDE = 6
    WRITE = 7
    COMMIT = 8
    PUBLISH = 9
    RECEIPT = 10
    CLEAR = 11

    @property
    def word(self) -> str:
        """The step's name in metrics and logs."""
        return self.name.lower()
