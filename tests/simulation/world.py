"""A whole world under one seed: servers, workers, traffic, trouble; run to its end, and judged."""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import Callable
from dataclasses import dataclass

from processor.lane.observer import SilentObserver
from processor.ports import Layout, StepHook
from tests.simulation.books import RecordedStore
from tests.simulation.broker import Broker
from tests.simulation.group import Group
from tests.simulation.loop import DeterministicLoop, Endless, Stuck
from tests.simulation.network import Network
from tests.simulation.oracle import LAYOUT, Oracle
from tests.simulation.plan import Plan, plan_of
from tests.simulation.postgres import Server
from tests.simulation.traffic import Sent, traffic_of
from tests.simulation.trouble import Trouble
from tests.simulation.worker import BEGINNING, Parts, Surroundings, Worker

Tell = Callable[[float, str], object]

#: After the last trouble a world settles within this many virtual seconds, or never.
SETTLING_SECONDS = 150.0
STOPPING_SECONDS = 60.0
_LOOK_SECONDS = 0.5
_MOST_STEPS = 60_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a seed: ``problem`` is None where everything that must hold held."""

    seed: int
    problem: str | None
    virtual_seconds: float
    steps: int
    batches: int


class World:
    """One seed's world."""

    def __init__(
        self, seed: int, *, plan: Plan | None = None, parts: Parts | None = None, tell: Tell | None = None
    ) -> None:
        self.seed = seed
        self.plan = plan or plan_of(seed)
        self.dice = random.Random(f"world {seed}")
        self.loop = DeterministicLoop(seed, shuffled=self.plan.shuffled, most_steps=_MOST_STEPS)
        self.network = Network(self.loop, self.plan, self.dice)
        self.broker = Broker(self.network, self.plan)
        self.store = RecordedStore()
        self.server = Server(self.store, self.network, self.plan)
        self.oracle = Oracle(self.broker, self.store)
        self.workers: list[Worker] = []
        self._tell = tell
        self._is_ending = False
        self._around = Surroundings(
            self.loop,
            self.plan,
            self.broker,
            Group(self.network, self.plan.lanes, self.plan.partitions),
            self.server,
            Layout(LAYOUT, "wallet.events", "fake-topic-1", self.plan.partitions, self.plan.lanes, 4),
            parts or Parts(),
            Telling(self),
            self._hook_of,
        )

    def run(self) -> Verdict:
        """Live through it. Nothing of it stays behind."""
        state = random.getstate()
        random.seed(self.seed)  # tenacity draws its back-off from the module's own dice
        gc.disable()
        try:
            self.loop.run_until_complete(self._live())
        except (Stuck, Endless) as end:
            self.oracle.wrong(str(end))
        finally:
            self.loop.put_away()
            gc.enable()
            random.setstate(state)
        return Verdict(
            self.seed, self.oracle.problem, self.loop.time(), self.loop.steps, len(self.store.commits)
        )

    async def _live(self) -> None:
        for number in range(self.plan.workers):
            self.start_worker(f"w{number}")
        trouble = Trouble(self, self.dice)
        trouble.plan_everything()
        for sent in traffic_of(self.plan, self.dice):
            self.network.later(sent.at, self._arrive, sent)
        await self._until(
            lambda: self.loop.time() >= trouble.over_at, trouble.over_at + 1, "the trouble went on for ever"
        )
        trouble.end()
        await self._until(self.oracle.is_settled, SETTLING_SECONDS, "it never settled")
        self._is_ending = True
        for worker in self.workers:
            worker.stopping.set()
        await self._until(
            lambda: all(one.is_dead or _ended(one) for one in self.workers),
            STOPPING_SECONDS,
            "a worker never stopped",
        )
        if self.oracle.problem is None:
            self.oracle.judge()

    async def _until(self, holds: Callable[[], bool], seconds: float, otherwise: str) -> None:
        """Look now and then; the first problem ends everything."""
        until = self.loop.time() + seconds
        while self.oracle.problem is None and not holds():
            if self.loop.time() > until:
                self.oracle.wrong(f"{otherwise}: {self._state()}")
            await asyncio.sleep(_LOOK_SECONDS)
            self.oracle.resume_whole_lanes()
            self._look_for_faults()

    def _look_for_faults(self) -> None:
        for worker in self.workers:
            if worker.task is not None and worker.task.done() and not worker.task.cancelled():
                error = worker.task.exception()
                if error is not None:
                    self.oracle.wrong(
                        f"worker {worker.name} ended by itself: {type(error).__name__}: {error}"
                    )
        for found in self.loop.problems:
            self.oracle.wrong(f"nobody heard of it: {found.get('message')}: {found.get('exception')!r}")
        if self._around.group.thrown_out_at_work:
            names = self._around.group.thrown_out_at_work
            self.oracle.wrong(f"thrown out of the group, busy in a rebalance listener: {', '.join(names)}")

    def _state(self) -> str:
        rows = {
            lane: (row.applied_seq, row.next_offsets, row.stopped_reason)
            for (_, lane), row in self.store.lanes.items()
        }
        ends = {partition: self.broker.end(partition) for partition in self.broker.events}
        return f"lanes {rows}, ends {ends}, receipts {dict(self.oracle._receipts)}"

    def _arrive(self, sent: Sent) -> None:
        self.broker.take(sent.partition, sent.value, key=sent.key, timestamp=self._broker_time())

    def _broker_time(self) -> int:
        return int((BEGINNING.timestamp() + self.loop.time()) * 1000)

    # ----------------------------------------------------------------------------------------------- workers

    def start_worker(self, name: str) -> None:
        """A new process, unless all are to end."""
        if self._is_ending:
            return
        worker = Worker(name, self._around)
        self.workers.append(worker)
        self.say(f"{name} starts")
        worker.start()

    def _hook_of(self, worker: Worker) -> StepHook:
        """At each step the seed may kill or pause the worker."""

        async def hook(step: int, when: str, seq: int) -> None:
            if self._tell is not None:
                self.say(f"{worker.name}: {when} step {step} of batch {seq}")
            if self.network.chance(self.plan.crash_at_step):
                self.kill(worker)
            elif self.network.chance(self.plan.pause_at_step):
                self.pause(worker)
            else:
                return
            await asyncio.sleep(0)

        return hook

    def kill(self, worker: Worker) -> None:
        """It dies; another one is started in its place after a while."""
        if worker.is_at_work and not worker.is_paused:
            self.say(f"{worker.name} is killed")
            worker.kill()
            self._around.group.excuse(worker.name)
            self.network.later(self.dice.choice([0.1, 1.0, 5.0]), self.start_worker, f"{worker.name}'")

    def pause(self, worker: Worker) -> None:
        """It is frozen for a while, perhaps longer than its session."""
        if worker.is_at_work and not worker.is_paused:
            seconds = self.dice.choice([0.5, 2.0, 8.0, 15.0])
            self.say(f"{worker.name} is frozen for {seconds} s")
            worker.pause()
            self._around.group.excuse(worker.name)
            self.network.later(seconds, self._resume, worker)

    def _resume(self, worker: Worker) -> None:
        self.say(f"{worker.name} is thawed")
        worker.resume()

    def say(self, what: str) -> None:
        """For the trace."""
        if self._tell is not None:
            self._tell(self.loop.time(), what)


class Telling(SilentObserver):
    """Passes on to the trace what lanes tell."""

    def __init__(self, world: World) -> None:
        self._world = world

    def retrying(self, lane: int, error: BaseException, attempt: int) -> None:
        self._world.say(f"lane {lane} tries again: {type(error).__name__}: {error}")

    def recovering(self, lane: int, why: str) -> None:
        self._world.say(f"lane {lane} recovers: {why}")

    def recovered(self, lane: int, epoch: int, republished: int, concluded: str) -> None:
        self._world.say(
            f"lane {lane} recovered with epoch {epoch}, {republished} published again: {concluded}"
        )

    def fenced(self, lane: int, why: str) -> None:
        self._world.say(f"lane {lane} is fenced: {why}")

    def stopped(self, lane: int, reason: str) -> None:
        self._world.say(f"lane {lane} stops: {reason}")
        if not self._world.plan.failover:
            self._world.oracle.wrong(f"lane {lane} stopped: {reason}")

    def left(self, lane: int) -> None:
        self._world.say(f"lane {lane} was left")

    def poison(self, lane: int, partition: int, offset: int, error: BaseException) -> None:
        self._world.oracle.wrong(f"the event {partition}/{offset} counts as poison: {error!r}")

    def rebalanced(self, assigned: int) -> None:
        self._world.say(f"{assigned} partitions are assigned")


def _ended(worker: Worker) -> bool:
    return worker.task is not None and worker.task.done()
