"""Runs cases, a few at a time, and looks at numbering, late answers and the books when they are over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from processor.devstack.certify.books import Books
from processor.devstack.certify.cases import Case
from processor.devstack.certify.cast import Cast
from processor.devstack.certify.mailbox import Mailbox
from processor.devstack.certify.plan import Copier, Plan
from processor.devstack.certify.report import CaseFailed, Obstacle, Report, Verdict, name_of
from processor.devstack.certify.scene import Scene


class Runner:
    """Plays cases through one mailbox, but for those that an ``obstacle`` is named for."""

    def __init__(self, mailbox: Mailbox, books: Books, run: str, obstacle: Obstacle, plan: Plan) -> None:
        self._mailbox = mailbox
        self._books = books
        self._run = run
        self._obstacle = obstacle
        self._plan = plan

    async def run_all(self, cases: Sequence[Case], done: Callable[[Report], None]) -> list[Report]:
        """Every case's report, in the cases' order; ``done`` hears of each as it ends."""
        room = asyncio.Semaphore(self._plan.parallel)

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
        """Play one case, unless something is in its way."""
        obstacle = self._obstacle(case)
        if obstacle is not None:
            return Report(case, Verdict.NOT_PLAYED, [obstacle])
        report = Report(case, Verdict.PASSED)
        began = asyncio.get_running_loop().time()
        try:
            await self._play(Cast(case, self._run, number), case, report)
        except CaseFailed as failed:
            report.verdict, report.reasons = Verdict.FAILED, [str(reason) for reason in failed.args]
        report.seconds = asyncio.get_running_loop().time() - began
        return report

    async def _play(self, cast: Cast, case: Case, report: Report) -> None:
        copier = Copier(self._plan.duplicate, self._plan.seed, case.id)
        scene = Scene(cast, self._mailbox, copier, report, self._plan.grace_seconds)
        for step in [*cast.opening(), *case.steps]:
            await scene.play(step)
        faults = [*await self._books.faults(cast.players()), *self._sequence_faults(report)]
        if faults:
            raise CaseFailed(*faults)

    def _sequence_faults(self, report: Report) -> list[str]:
        """A player's results, copies' too, must be numbered from 1 without a gap."""
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
                report.reasons.append(f"{name_of(step)}: {count} answers in the end")
