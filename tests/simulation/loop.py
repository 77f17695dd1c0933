"""An event loop without a clock, a selector or a choice of its own: virtual time, and a seed that chooses who is next.

Nothing real can be waited for here. Time stands still while anything is ready, and jumps to the next timer when nothing
is. Whoever a callback belongs to is in its context (`OWNER`): an owner can be frozen, as a process is by SIGSTOP, and
what would have run for it waits until it is thawed, or for ever.
"""

from __future__ import annotations

import asyncio
import heapq
import random
import sys
from asyncio.events import _set_running_loop
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextvars import Context, ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    # In the types' eyes it can do everything; really, what it does not define itself raises NotImplementedError.
    Base = asyncio.BaseEventLoop
else:
    Base = asyncio.AbstractEventLoop

T = TypeVar("T")

#: Which process of the simulated world a callback belongs to; None is the world itself (servers, networks, the driver).
OWNER: ContextVar[str | None] = ContextVar("owner", default=None)


class Stuck(Exception):
    """Nothing is ready and no timer is set, but what was to be run is not done."""


class Endless(Exception):
    """More steps than allowed: something turns without getting anywhere."""


class Forbidden(Exception):
    """Code under simulation asked for a thread, a socket or a process."""


class NumberedTask(asyncio.Task[T]):
    """A task whose place in a set does not depend on where in memory it happens to lie."""

    number: int

    def __new__(cls, coro: Any, *, loop: DeterministicLoop, **more: Any) -> NumberedTask[T]:
        made = super().__new__(cls)
        made.number = loop.next_number()
        return made

    def __hash__(self) -> int:
        return self.number


class DeterministicLoop(Base):
    """Runs callbacks in an order that only the seed decides.

    ``shuffled`` picks any ready callback next; otherwise they go in the order they were scheduled, as in asyncio, and
    only what is due at the same instant is shuffled.
    """

    def __init__(self, seed: int, *, shuffled: bool = True, most_steps: int = 1_000_000) -> None:
        self._random = random.Random(seed)
        self._shuffled = shuffled
        self._most_steps = most_steps
        self._now = 0.0
        self._numbers = 0
        self._ready: list[asyncio.Handle] = []
        self._next = 0
        self._timers: list[tuple[float, float, int, asyncio.TimerHandle]] = []
        self._frozen: dict[str | None, list[asyncio.Handle]] = {}
        self._closed = False
        self.steps = 0
        self.tasks: list[NumberedTask[Any]] = []
        self.problems: list[dict[str, Any]] = []
        #: Called with (time, what) before each callback, where somebody wants to watch.
        self.trace: Callable[[float, str], None] | None = None

    # ---------------------------------------------------------------------------------------------- scheduling

    def time(self) -> float:
        """Virtual seconds since the world began."""
        return self._now

    def next_number(self) -> int:
        """A number that nothing else of this loop has."""
        self._numbers += 1
        return self._numbers

    def call_soon(  # type: ignore[override]  # typeshed ties the arguments to the callback's types
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Ready now."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon  # type: ignore[assignment]  # there is one thread

    def call_later(  # type: ignore[override]  # typeshed ties the arguments to the callback's types
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Ready after so many virtual seconds."""
        return self.call_at(self._now + max(0.0, delay), callback, *args, context=context)

    def call_at(  # type: ignore[override]  # typeshed ties the arguments to the callback's types
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Ready at that virtual time; among equals the seed decides."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, self._random.random(), self.next_number(), timer))
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """A cancelled timer is skipped when its time comes."""

    def create_future(self) -> asyncio.Future[Any]:
        """A future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]  # typeshed asks for a Task[T]; a NumberedTask is one
        self,
        coro: Coroutine[Any, Any, T] | Generator[Any, None, T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> NumberedTask[T]:
        """A task; the loop remembers it, so that a dead owner's can be put away in order."""
        task: NumberedTask[T] = NumberedTask(coro, loop=self, name=name, context=context)
        if name is None:
            task.set_name(f"task-{task.number}")
        self.tasks.append(task)
        return task

    # ------------------------------------------------------------------------------------------------- running

    def run_until_complete(self, future: Any) -> Any:
        """Run until this is done. Raises `Stuck`, `Endless`, and whatever it raises."""
        waited = asyncio.ensure_future(future, loop=self)
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(finalizer=self._finalize)
        _set_running_loop(self)
        try:
            while not waited.done():
                self._step()
        finally:
            _set_running_loop(None)
            sys.set_asyncgen_hooks(*hooks)
        return waited.result()

    def _step(self) -> None:
        handle: Any = self._choose()
        if handle._cancelled:
            return
        owner = handle._context.get(OWNER) if self._frozen else None
        if owner is not None and owner in self._frozen:
            self._frozen[owner].append(handle)
            return
        self.steps += 1
        if self.steps > self._most_steps:
            raise Endless(f"{self.steps} steps, and it is {self._now:.3f} s")
        if self.trace is not None:
            self.trace(self._now, _described(handle))
        handle._run()

    def _choose(self) -> asyncio.Handle:
        if self._next >= len(self._ready):
            self._ready, self._next = [], 0
            self._advance()
        if self._shuffled:
            rest = len(self._ready) - self._next
            if rest > 1:
                other = self._next + int(self._random.random() * rest)
                ready = self._ready
                ready[self._next], ready[other] = ready[other], ready[self._next]
        handle = self._ready[self._next]
        self._next += 1
        return handle

    def _advance(self) -> None:
        """Nothing is ready: time goes on to the next timer that was not cancelled."""
        timers = self._timers
        while timers:
            when, _, _, timer = heapq.heappop(timers)
            if timer._cancelled:
                continue
            self._now = max(self._now, when)
            self._ready.append(timer)
            while timers and timers[0][0] <= self._now:
                timer = heapq.heappop(timers)[3]
                if not timer._cancelled:
                    self._ready.append(timer)
            return
        raise Stuck(f"at {self._now:.3f} s nothing is left that could ever happen")

    # ---------------------------------------------------------------------------------------- freezing and ends

    def freeze(self, owner: str) -> None:
        """Nothing of this owner runs from now on, as after SIGSTOP (or, never thawed, SIGKILL)."""
        self._frozen.setdefault(owner, [])

    def thaw(self, owner: str) -> None:
        """It goes on, with everything that came due meanwhile."""
        self._ready += self._frozen.pop(owner, [])

    def put_away(self) -> None:
        """End what is left, without a word: nothing of this world runs any more."""
        self._closed = True
        self._ready, self._next, self._timers, self._frozen = [], 0, [], {}
        for task in self.tasks:
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio's own, said to be stable
                _close(task.get_coro())
        self.tasks.clear()

    def _finalize(self, generator: AsyncGenerator[Any, Any]) -> None:
        if not self._closed:
            self._closing = self.create_task(generator.aclose())

    # ----------------------------------------------------------------------------------- what asyncio asks for

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """What nobody awaited is kept for the verdict."""
        self.problems.append(context)

    def get_debug(self) -> bool:
        """Never."""
        return False

    def is_running(self) -> bool:
        """While `run_until_complete` does."""
        return not self._closed

    def is_closed(self) -> bool:
        """After `put_away`."""
        return self._closed

    def run_in_executor(  # type: ignore[override]  # typeshed ties the arguments to the callback's types
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> Any:
        """There are no threads here."""
        raise Forbidden(f"{func!r} was to be run in a thread")


def _described(handle: Any) -> str:
    """Who runs what, without an address in it."""
    callback = handle._callback
    of = getattr(callback, "__self__", None)
    named = getattr(callback, "__qualname__", type(callback).__name__)
    what = of.get_name() if isinstance(of, asyncio.Task) else named
    return f"{handle._context.get(OWNER) or 'world'}: {what}"


def _close(coroutine: Any) -> None:
    """Close a coroutine that may insist on awaiting something in its ``finally``."""
    for _ in range(100):
        try:
            coroutine.close()
        except RuntimeError:
            continue
        except Exception:  # noqa: BLE001, S110  # whatever it wanted to say, its world is gone
            pass
        return
