"""A whole certification: providers applied, cases played, verdicts gathered."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from processor.devstack.certify.books import Books
from processor.devstack.certify.cases import Case
from processor.devstack.certify.cast import Cast
from processor.devstack.certify.mailbox import open_mailbox
from processor.devstack.certify.runner import Report, Runner

if TYPE_CHECKING:
    from processor.settings import Settings

#: Adds provider profiles to the installation's reference data.
ApplyProfiles = Callable[[Mapping[str, Mapping[str, Any]]], Awaitable[None]]


async def certify(
    settings: Settings,
    cases: Sequence[Case],
    *,
    owner_dsn: str,
    decided: frozenset[str],
    apply_profiles: ApplyProfiles,
    at_once: int,
    done: Callable[[Report], None],
) -> list[Report]:
    """Play cases against a running installation; a report for each, in order.

    ``decided`` are the event types that its law handles: cases that need others are not played. ``done`` hears of
    each report as it comes. Raises KafkaUnreachable, PostgresUnreachable, WrongUsage (a profile that is none).
    """
    run = f"c{secrets.token_hex(3)}"
    await apply_profiles(profiles(run, cases, decided))
    async with Books(owner_dsn) as books, open_mailbox(settings) as mailbox:
        return await Runner(mailbox, books, run, decided).run_all(cases, at_once=at_once, done=done)


def profiles(run: str, cases: Sequence[Case], decided: frozenset[str]) -> dict[str, Mapping[str, Any]]:
    """Two made-up providers for each case that can be played, both with the case's profile."""
    made: dict[str, Mapping[str, Any]] = {}
    for number, case in enumerate(cases):
        if not case.types() <= decided:
            continue
        cast = Cast(case, run, number)
        made[cast.provider] = case.profile
        made[cast.other] = case.profile
    return made
