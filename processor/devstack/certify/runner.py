"""Runs cases: a few at a time, each step by step, and looks at the books when a case is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from processor.devstack.certify.books import Books
from processor.devstack.certify.cases import Case, Step, Together
from processor.devstack.certify.cast import Cast
from processor.devstack.certify.mailbox import Mailbox
from processor.devstack.certify.matching import differences, together_differences
from processor.devstack.replies import Place

DEFAULT_WAIT_SECONDS: Final = 30.0
#: How long nothing must come for an event that must not be answered.
SILENCE_SECONDS: Final = 3.0


#: What a case needs and the installation cannot do yet, as people read it; empty where it can be played.
Missing = Callable[[Case], Sequence[str]]


class Verdict(StrEnum):
    """What a run says of a case; the values are what people read."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_COVERED = "not yet covered"


@dataclass(slots=True)
class Report:
    """One case's verdict, with a reason for anything but a pass; ``places`` are the events that were sent."""

    case: Case
    verdict: Verdict
    reasons: list[str] = field(default_factory=list)
    seconds: float = 0.0
    places: dict[Place, Step] = field(default_factory=dict)


class CaseFailed(Exception):
    """A step went otherwise than expected; the arguments are sentences."""


class Runner:
    """Plays cases through one mailbox, but for those that need what is ``missing``."""

    def __init__(self, mailbox: Mailbox, books: Books, run: str, missing: Missing) -> None:
        self._mailbox = mailbox
        self._books = books
        self._run = run
        self._missing = missing

    async def run_all(
        self, cases: Sequence[Case], *, at_once: int, done: Callable[[Report], None]
    ) -> list[Report]:
        """Every case's report, in the cases' order; ``done`` hears of each as it ends."""
        room = asyncio.Semaphore(at_once)

        async def one(number: int, case: Case) -> Report:
            async with room:
                report = await self.run(number, case)
            done(report)
            return report

        reports = await asyncio.gather(*(one(number, case) for number, case in enumerate(cases)))
        for report in reports:
            self._look_for_late_answers(report)
        return reports

    async def run(self, number: int, case: Case) -> Report:
        """Play one case, unless it needs what the installation cannot do yet."""
        missing = self._missing(case)
        if missing:
            return Report(case, Verdict.NOT_COVERED, [f"needs {', '.join(missing)}"])
        report = Report(case, Verdict.PASSED)
        began = asyncio.get_running_loop().time()
        cast = Cast(case, self._run, number)
        try:
            for step in [*cast.opening(), *case.steps]:
                await self._play(cast, step, report)
            faults = [*await self._books.faults(cast.players()), *self._sequence_faults(report)]
            if faults:
                raise CaseFailed(*faults)
        except CaseFailed as failed:
            report.verdict, report.reasons = Verdict.FAILED, [str(reason) for reason in failed.args]
        report.seconds = asyncio.get_running_loop().time() - began
        return report

    async def _play(self, cast: Cast, step: Step | Together, report: Report) -> None:
        steps = step.steps if isinstance(step, Together) else [step]
        places = await self._mailbox.send([cast.message(one) for one in steps])
        report.places.update(zip(places, steps, strict=True))
        results: list[Any] = []
        limit = float(step.expect.get("within_seconds", DEFAULT_WAIT_SECONDS))
        for one, place in zip(steps, places, strict=True):
            wait = SILENCE_SECONDS if one.expect.get("no_result") else DEFAULT_WAIT_SECONDS
            wait = float(
                one.expect.get("within_seconds", max(limit, wait) if isinstance(step, Together) else wait)
            )
            replies = await self._mailbox.replies(place, wait)
            found = differences(one.expect, replies)
            if found:
                raise CaseFailed(*(f"{_name(one)}: {sentence}" for sentence in found))
            results += [reply.body for reply in replies if reply.body is not None]
        if isinstance(step, Together):
            found = together_differences(step.expect, results)
            if found:
                raise CaseFailed(
                    *(f"after {_name(steps[0])} and others together: {sentence}" for sentence in found)
                )

    def _sequence_faults(self, report: Report) -> list[str]:
        """A player's results must be numbered from 1 without a gap."""
        numbers: dict[str, list[int]] = {}
        for place in report.places:
            for reply in self._mailbox.replies_so_far(place):
                if reply.body is not None:
                    numbers.setdefault(str(reply.body["player_id"]), []).append(int(reply.body["sequence"]))
        return [
            f"results of {player} are numbered {sorted(found)}, not 1 to {len(found)}"
            for player, found in numbers.items()
            if sorted(found) != list(range(1, len(found) + 1))
        ]

    def _look_for_late_answers(self, report: Report) -> None:
        """Once all cases are over: still exactly one answer for each event (none where none was expected)."""
        if report.verdict is not Verdict.PASSED:
            return
        for place, step in report.places.items():
            count = len(self._mailbox.replies_so_far(place))
            if count != (0 if step.expect.get("no_result") else 1):
                report.verdict = Verdict.FAILED
                report.reasons.append(f"{_name(step)}: {count} answers in the end")


def _name(step: Step) -> str:
    return f"{step.type} {step.transaction_id}" if step.type else "raw bytes"
