"""The network of the simulated world: requests take their time, are lost on their way, or lose their answer.

What a server does it does in the world's context: also when whoever asked has been frozen, or is dead, meanwhile.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextvars import Context
from typing import Any, TypeVar

from tests.simulation.plan import Plan

T = TypeVar("T")

#: Nobody's context: what runs in it is frozen with no worker.
WORLD = Context()


class Cut(Exception):
    """The connection went: the request may have been carried out, or not, or may be later."""


class Network:
    """Carries requests between workers and servers under one seed's plan of trouble."""

    def __init__(self, loop: asyncio.AbstractEventLoop, plan: Plan, dice: random.Random) -> None:
        self._loop = loop
        self._plan = plan
        self._dice = dice
        self.calm = False
        self.down: set[str] = set()

    def chance(self, probability: float) -> bool:
        """Whether trouble strikes now; never once the world is calm."""
        return probability > 0 and not self.calm and self._dice.random() < probability

    def delay(self) -> float:
        """One way through the network, in seconds: mostly quick, now and then slow."""
        draw = self._dice.random()
        if draw < self._plan.slow and not self.calm:
            return self._plan.slow_seconds * self._dice.random()
        return 0.0005 + 0.003 * draw

    def later(self, seconds: float, call: Callable[..., Any], *args: Any) -> asyncio.TimerHandle:
        """The world does this after a while, whoever lives then."""
        return self._loop.call_later(seconds, call, *args, context=WORLD)

    async def ask(self, server: str, operate: Callable[[], Any], cut: float = 0.0) -> Any:
        """Let a server do something and wait for its answer (where that is a future: for what comes of it).

        Raises what ``operate`` raises, and `Cut` with the probability ``cut`` or where the server is down.
        """
        answer: asyncio.Future[Any] = self._loop.create_future()
        if server in self.down:
            self.later(self.delay() * 5, self._fail, answer, Cut(f"{server} is down"))
        elif self.chance(cut):
            if self._dice.random() < 0.5:
                self.later(self.delay(), self._arrive, server, operate, None)
            self.later(self.delay(), self._fail, answer, Cut(f"the connection to {server} was cut"))
        else:
            self.later(self.delay(), self._arrive, server, operate, answer)
        return await answer

    def _arrive(self, server: str, operate: Callable[[], Any], answer: asyncio.Future[Any] | None) -> None:
        if server in self.down:
            self._fail(answer, Cut(f"{server} is down"))
            return
        try:
            result = operate()
        except Exception as error:  # noqa: BLE001  # whatever the server says travels back
            self.later(self.delay(), self._fail, answer, error)
            return
        if isinstance(result, asyncio.Future):
            result.add_done_callback(lambda done: self._pass_on(done, answer), context=WORLD)
        else:
            self.later(self.delay(), self._answer, answer, result)

    def _pass_on(self, done: asyncio.Future[Any], answer: asyncio.Future[Any] | None) -> None:
        if done.cancelled():
            self._fail(answer, Cut("the server let go of the request"))
        elif (error := done.exception()) is not None:
            self.later(self.delay(), self._fail, answer, error)
        else:
            self.later(self.delay(), self._answer, answer, done.result())

    @staticmethod
    def _answer(answer: asyncio.Future[Any] | None, result: Any) -> None:
        if answer is not None and not answer.done():
            answer.set_result(result)

    @staticmethod
    def _fail(answer: asyncio.Future[Any] | None, error: BaseException) -> None:
        if answer is not None and not answer.done():
            answer.set_exception(error)
