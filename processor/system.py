"""The machine's own time and randomness behind the ports `Clock` and `Identifiers`."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime

_COUNTS = 1 << 12
_AT_ONCE = 64


class SystemClock:
    """The wall clock (aware UTC), the monotonic clock, and asyncio's sleep."""

    def now(self) -> datetime:
        """Aware UTC, microseconds."""
        return datetime.now(UTC)

    def monotonic_seconds(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        await asyncio.sleep(seconds)


class RandomIdentifiers:
    """UUIDs of version 7 (RFC 9562, method 1): Unix milliseconds, a counter, 60 random bits."""

    def transaction_ids(self, at: datetime) -> Iterator[str]:
        """Ids for one batch: its milliseconds, then a counter that carries into them."""
        milliseconds = int(at.timestamp() * 1000)
        while True:
            time_text = f"{milliseconds:012x}"
            start = f"{time_text[:8]}-{time_text[8:]}-7"
            for first in range(0, _COUNTS, _AT_ONCE):
                # Fetched together: a call to the kernel for each would cost more than the rest.
                noise = os.urandom(8 * _AT_ONCE).hex()
                for step in range(_AT_ONCE):
                    at_digit = step << 4
                    yield (
                        f"{start}{first + step:03x}-8{noise[at_digit : at_digit + 3]}"
                        f"-{noise[at_digit + 3 : at_digit + 15]}"
                    )
            milliseconds += 1
