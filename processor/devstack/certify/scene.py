"""One case being played: its steps sent in order, some twice, and what comes back held against what is expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from processor.devstack.certify.cases import Step, Together
from processor.devstack.certify.cast import Cast, Message
from processor.devstack.certify.mailbox import Mailbox
from processor.devstack.certify.matching import copy_differences, differences, together_differences
from processor.devstack.certify.plan import Copier, Copy
from processor.devstack.certify.report import Report, demand, name_of
from processor.devstack.replies import Place, Reply

DEFAULT_WAIT_SECONDS: Final = 30.0
#: How long nothing must come for an event that must not be answered.
SILENCE_SECONDS: Final = 3.0


@dataclass(slots=True)
class _Sent:
    """One step's event: where it lies, what came back, and where its copies lie."""

    step: Step
    message: Message
    copy: Copy
    places: list[Place] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)


class Scene:
    """One case on the stage."""

    def __init__(
        self, cast: Cast, mailbox: Mailbox, copier: Copier, report: Report, grace_seconds: float
    ) -> None:
        self._cast = cast
        self._mailbox = mailbox
        self._copier = copier
        self._report = report
        self._grace_seconds = grace_seconds

    async def play(self, step: Step | Together) -> None:
        """Send a step's event, or several together, and wait for what must come. Raises CaseFailed.

        The next step is played only when the copies have their answers too: a copy that is still
        on its way could meet what the next step makes of the books.
        """
        together = step if isinstance(step, Together) else None
        sent = await self._send(step.steps if isinstance(step, Together) else [step])
        for one in sent:
            one.replies = await self._mailbox.replies(one.places[0], self._patience(one.step, together))
            demand(name_of(one.step), differences(one.step.expect, one.replies))
        if together:
            results = [reply.body for one in sent for reply in one.replies if reply.body is not None]
            wrong = together_differences(together.expect, results)
            demand(f"after {name_of(sent[0].step)} and others together", wrong)
        for one in sent:
            await self._look_at_copy(one)

    async def _send(self, steps: Sequence[Step]) -> list[_Sent]:
        """Send these steps' events in order, each followed by its copy where that is to come at once."""
        sent = [_Sent(step, self._cast.message(step), self._copier.choose()) for step in steps]
        each = [one for one in sent for _ in range(2 if one.copy is Copy.AT_ONCE else 1)]
        places = await self._mailbox.send([one.message for one in each])
        for one, place in zip(each, places, strict=True):
            self._note(one, place)
        return sent

    def _note(self, one: _Sent, place: Place) -> None:
        self._report.copies += bool(one.places)
        self._report.places[place] = one.step
        one.places.append(place)

    async def _look_at_copy(self, one: _Sent) -> None:
        """A copy must be answered as its event was, once."""
        if one.copy is Copy.NONE or one.step.expect.get("no_result"):
            return
        if one.copy is Copy.LATER:
            (place,) = await self._mailbox.send([one.message])
            self._note(one, place)
        replies = await self._mailbox.replies(one.places[1], self._patience(one.step, None))
        demand(f"the copy of {name_of(one.step)}", copy_differences(one.replies[0], replies))

    def _patience(self, step: Step, together: Together | None) -> float:
        """How long to wait for a step's answer, in seconds."""
        if step.expect.get("no_result"):
            return float(step.expect.get("within_seconds", SILENCE_SECONDS))
        shared = together.expect.get("within_seconds", 0) if together else 0
        wait = step.expect.get("within_seconds", max(float(shared), DEFAULT_WAIT_SECONDS))
        return float(wait) + self._grace_seconds
