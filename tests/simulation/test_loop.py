"""The loop of the simulation: one seed, one order; time that only jumps; owners that can be frozen and die."""

from __future__ import annotations

import asyncio
import itertools
import random
import subprocess
import sys
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any

import pytest

from tests.simulation.loop import OWNER, DeterministicLoop, Endless, Forbidden, Stuck

Work = Callable[[list[str]], Coroutine[Any, Any, None]]


async def say(said: list[str], name: str, *, times: int = 3) -> None:
    for turn in range(times):
        said.append(f"{name}{turn}")
        await asyncio.sleep(0)


async def three_talk(said: list[str]) -> None:
    await asyncio.gather(*(say(said, name) for name in "abc"))


def heard(seed: int, work: Work = three_talk, *, shuffled: bool = True) -> list[str]:
    """What was said under this seed."""
    said: list[str] = []
    loop = DeterministicLoop(seed, shuffled=shuffled)
    loop.run_until_complete(work(said))
    loop.put_away()
    return said


def test_the_same_seed_gives_the_same_order_and_others_give_others() -> None:
    assert [heard(seed) for seed in range(20)] == [heard(seed) for seed in range(20)]
    assert len({tuple(heard(seed)) for seed in range(20)}) > 10


def test_without_shuffling_callbacks_go_in_the_order_they_were_scheduled() -> None:
    assert {tuple(heard(seed, shuffled=False)) for seed in range(5)} == {
        ("a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "c2")
    }


def test_a_trace_is_the_same_in_another_process_with_other_hashes_and_other_addresses() -> None:
    program = "from tests.simulation.test_loop import traced; print(traced())"
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(told) == 1
    assert told.pop().count("\n") > 20


def traced() -> str:
    """Every callback of a small world with sets of tasks in it, one line each."""
    lines: list[str] = []
    ballast = [object() for _ in range(random.randrange(10_000))]
    loop = DeterministicLoop(7)
    loop.trace = lambda now, what: lines.append(f"{now:.6f} {what}")

    async def sleeper(seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def work() -> None:
        tasks = {asyncio.create_task(sleeper(seconds)) for seconds in (1, 1, 1, 2, 2)}
        while tasks:
            done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            lines.extend(task.get_name() for task in [*done, *tasks])

    loop.run_until_complete(work())
    assert ballast is not None
    return "\n".join(lines)


def test_time_stands_still_while_somebody_is_ready_and_then_jumps() -> None:
    loop = DeterministicLoop(1)
    assert loop.time() == 0

    async def work() -> list[float]:
        times = []
        for seconds in (0, 3600, 0.5):
            await asyncio.sleep(seconds)
            times.append(asyncio.get_running_loop().time())
        return times

    assert loop.run_until_complete(work()) == [0, 3600, 3600.5]


def test_time_outs_and_cancellations_work_as_ever() -> None:
    async def work(said: list[str]) -> None:
        try:
            async with asyncio.timeout(2):
                await asyncio.sleep(5)
        except TimeoutError:
            said.append(f"late at {asyncio.get_running_loop().time():.0f}")
        task = asyncio.create_task(asyncio.sleep(100))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(2), asyncio.Lock():
            said.append("in time")

    assert {tuple(heard(seed, work)) for seed in range(50)} == {("late at 2", "in time")}


def test_what_is_due_at_the_same_instant_comes_in_the_order_of_the_seed() -> None:
    async def later(said: list[str], name: str) -> None:
        await asyncio.sleep(1)
        said.append(name)

    async def work(said: list[str]) -> None:
        await asyncio.gather(*(later(said, name) for name in "abcd"))

    assert len({tuple(heard(seed, work, shuffled=False)) for seed in range(50)}) > 10


def test_who_waits_for_what_nobody_will_do_is_stuck() -> None:
    loop = DeterministicLoop(1)
    with pytest.raises(Stuck, match=r"at 0\.000 s"):
        loop.run_until_complete(loop.create_future())


def test_who_turns_for_ever_is_stopped() -> None:
    async def spin() -> None:
        for _ in itertools.count():
            await asyncio.sleep(0)

    loop = DeterministicLoop(1, most_steps=1000)
    with pytest.raises(Endless, match="1001 steps"):
        loop.run_until_complete(spin())
    loop.put_away()


def test_threads_and_sockets_are_forbidden() -> None:
    async def thread() -> None:
        await asyncio.to_thread(print)

    async def socket() -> None:
        await asyncio.open_connection("127.0.0.1", 1)

    with pytest.raises(Forbidden):
        DeterministicLoop(1).run_until_complete(thread())
    with pytest.raises(NotImplementedError):
        DeterministicLoop(1).run_until_complete(socket())


def owned(owner: str, loop: DeterministicLoop, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """A task that belongs to this owner, with everything that it starts."""
    context = copy_context()
    context.run(OWNER.set, owner)
    return loop.create_task(work, context=context)


async def tick(said: list[str], name: str) -> None:
    while True:
        await asyncio.sleep(1)
        said.append(name)


def test_a_frozen_owner_does_nothing_until_it_is_thawed_and_then_everything_that_came_due() -> None:
    async def work(said: list[str]) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, DeterministicLoop)
        _ = [owned(f"w{number}", loop, tick(said, name)) for number, name in ((1, "one"), (2, "two"))]
        await asyncio.sleep(2.5)
        loop.freeze("w1")
        said.append("frozen")
        await asyncio.sleep(3)
        loop.thaw("w1")
        said.append("thawed")
        await asyncio.sleep(1.2)

    said = heard(3, work)
    frozen, thawed = said.index("frozen"), said.index("thawed")
    assert said[:frozen].count("one") == 2
    assert said[frozen:thawed] == ["frozen", "two", "two", "two"]
    assert said[thawed:].count("one") == 2


def test_what_an_owner_started_and_asked_others_to_wake_belongs_to_it() -> None:
    async def work(said: list[str]) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, DeterministicLoop)
        answer = loop.create_future()

        async def asks() -> None:
            said.append(await asyncio.create_task(answers()))

        async def answers() -> str:
            return str(await answer)

        asking = owned("w1", loop, asks())
        await asyncio.sleep(1)
        loop.freeze("w1")
        answer.set_result("answered")
        await asyncio.sleep(1)
        said.append("still frozen")
        loop.thaw("w1")
        await asking

    assert heard(1, work) == ["still frozen", "answered"]


def test_what_is_left_is_put_away_without_a_word(recwarn: pytest.WarningsRecorder) -> None:
    said: list[str] = []
    loop = DeterministicLoop(1)

    async def insists() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            await asyncio.sleep(1)
            said.append("never")

    async def work() -> None:
        left_behind = asyncio.create_task(insists())
        await asyncio.sleep(1)
        assert not left_behind.done()

    loop.run_until_complete(work())
    loop.put_away()
    assert said == []
    assert loop.problems == []
    assert not recwarn.list


def test_a_fault_that_nobody_awaited_is_kept_for_the_verdict() -> None:
    async def fails() -> None:
        await asyncio.sleep(0)
        raise ValueError("unheard")

    async def work() -> None:
        task = asyncio.create_task(fails())
        await asyncio.sleep(1)
        del task

    loop = DeterministicLoop(1)
    loop.run_until_complete(work())
    loop.tasks.clear()
    assert [str(one["exception"]) for one in loop.problems] == ["unheard"]
