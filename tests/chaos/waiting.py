"""Waiting for what must come: asked again and again, and a never becomes a failure that says what did not come."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from tenacity import AsyncRetrying, RetryError, retry_if_result, stop_after_delay, wait_fixed

#: Generous: machines are noisy, and no test is about speed.
PATIENCE_SECONDS: Final = 150.0


async def until(
    holds: Callable[[], Awaitable[bool]], what: Callable[[], str] | str, *, seconds: float = PATIENCE_SECONDS
) -> None:
    """Return once it holds. Raises AssertionError with ``what`` was waited for."""
    try:
        await AsyncRetrying(
            retry=retry_if_result(lambda held: not held),
            stop=stop_after_delay(seconds),
            wait=wait_fixed(0.05),
        )(holds)
    except RetryError as over:
        said = what if isinstance(what, str) else what()
        raise AssertionError(f"not within {seconds:.0f} seconds: {said}") from over
