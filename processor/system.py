"""The machine's own time and randomness behind the ports `Clock` and `Identifiers`."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime

_VERSION_AND_VARIANT = (7 << 76) | (0b10 << 62)
_RANDOM_BITS = 62
_COUNTER_BITS = 12


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
    """UUIDs of version 7 (RFC 9562, method 1): Unix milliseconds, a counter, 62 random bits."""

    def transaction_ids(self, at: datetime) -> Iterator[str]:
        """Ids for one batch: its milliseconds, then a counter that carries into them."""
        milliseconds = int(at.timestamp() * 1000)
        ticks = milliseconds << _COUNTER_BITS
        while True:
            for noise in _random_numbers(64):
                high, counter = ticks >> _COUNTER_BITS, ticks & 0xFFF
                number = (high << 80) | _VERSION_AND_VARIANT | (counter << 64) | noise
                text = f"{number:032x}"
                yield f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
                ticks += 1


def _random_numbers(count: int) -> list[int]:
    """Numbers of 62 random bits, fetched together: a call to the kernel for each would cost more than the rest."""
    noise = os.urandom(8 * count)
    mask = (1 << _RANDOM_BITS) - 1
    return [int.from_bytes(noise[at : at + 8]) & mask for at in range(0, len(noise), 8)]
