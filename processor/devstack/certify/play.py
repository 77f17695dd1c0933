"""A whole certification: providers applied, cases played, verdicts gathered."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import tenacity

from processor.devstack.certify.books import Books
from processor.devstack.certify.cases import Case, GivenRate, Step
from processor.devstack.certify.cast import Cast
from processor.devstack.certify.mailbox import Mailbox, open_mailbox
from processor.devstack.certify.plan import Plan, Trouble
from processor.devstack.certify.report import Obstacle, Report
from processor.devstack.certify.runner import Runner
from processor.errors import WrongInstallation

if TYPE_CHECKING:
    from processor.settings import Settings

_KNOWN_SECONDS: Final = 30.0

#: Adds rates and provider profiles to the installation's reference data.
Apply = Callable[[Sequence[GivenRate], Mapping[str, Mapping[str, Any]]], Awaitable[None]]


async def certify(
    settings: Settings,
    cases: Sequence[Case],
    *,
    owner_dsn: str,
    obstacle: Obstacle,
    apply: Apply,
    plan: Plan,
    done: Callable[[Report], None],
) -> list[Report]:
    """Play cases against a running installation; a report for each, in order.

    Cases that an ``obstacle`` is named for are not played. ``done`` hears of each report as it
    comes. Raises KafkaUnreachable, PostgresUnreachable, WrongUsage (a profile that is none).
    """
    run = f"c{secrets.token_hex(3)}"
    canary = Case("canary", "", "", "", {}, {"p": {}}, [])
    rates = dict.fromkeys(one for case in cases if obstacle(case) is None for one in case.rates)
    await apply(list(rates), profiles(run, [*cases, canary], obstacle))
    async with Books(owner_dsn) as books, open_mailbox(settings) as mailbox:
        await _providers_are_known(mailbox, Cast(canary, run, len(cases)))
        halfway = mailbox.milestone(_events(run, cases, obstacle) // 2)
        async with _troubled(plan.trouble, halfway):
            return await Runner(mailbox, books, run, obstacle, plan).run_all(cases, done)


@asynccontextmanager
async def _troubled(trouble: Trouble | None, halfway: asyncio.Event) -> AsyncIterator[None]:
    """Do what is to be done to the installation once half of the events are sent, while the block plays on."""

    async def wait_and_act(planned: Trouble) -> None:
        await halfway.wait()
        await planned.act()

    if trouble is None:
        yield
        return
    task = asyncio.create_task(wait_and_act(trouble), name="certify-trouble")
    try:
        yield
        if halfway.is_set():  # it is not where so many steps failed that half of the events were never sent
            await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _events(run: str, cases: Sequence[Case], obstacle: Obstacle) -> int:
    """How many events these cases send, copies aside."""
    return sum(
        len([*Cast(case, run, number).opening(), *case.single_steps()])
        for number, case in enumerate(cases)
        if obstacle(case) is None
    )


def profiles(run: str, cases: Sequence[Case], obstacle: Obstacle) -> dict[str, Mapping[str, Any]]:
    """Two made-up providers for each case that can be played, both with the case's profile."""
    made: dict[str, Mapping[str, Any]] = {}
    for number, case in enumerate(cases):
        if obstacle(case) is not None:
            continue
        cast = Cast(case, run, number)
        made[cast.provider] = case.profile
        made[cast.other] = case.profile
    return made


async def _providers_are_known(mailbox: Mailbox, cast: Cast) -> None:
    """Wait until the worker has heard of the new reference data: bets at a made-up provider are not GAME_BLOCKED.

    Raises WrongInstallation if no worker answers, or none hears of it.
    """
    for step in cast.opening():
        await _code(mailbox, cast, step)
    numbers = count()

    async def bet() -> str:
        return await _code(mailbox, cast, Step("bet", f"canary-{next(numbers)}", {"amount": "0"}, {}))

    await tenacity.AsyncRetrying(
        wait=tenacity.wait_fixed(0.1),
        stop=tenacity.stop_after_delay(_KNOWN_SECONDS),
        retry=tenacity.retry_if_result(lambda code: code == "GAME_BLOCKED"),
        retry_error_callback=_never_known,
    )(bet)


def _never_known(_: tenacity.RetryCallState) -> None:
    raise WrongInstallation(
        "The worker does not hear of new provider profiles (it still answers GAME_BLOCKED): look at its log."
    )


async def _code(mailbox: Mailbox, cast: Cast, step: Step) -> str:
    (place,) = await mailbox.send([cast.message(step)])
    replies = await mailbox.replies(place, _KNOWN_SECONDS)
    if not replies:
        raise WrongInstallation("No result came for a first event: is a worker running (`croupier run`)?")
    return str((replies[0].body or {}).get("code"))
