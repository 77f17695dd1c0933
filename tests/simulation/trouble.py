"""Trouble on a seed's order: deaths, frozen workers, workers that leave, servers away, a database that goes back."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.simulation.worker import Worker
    from tests.simulation.world import World

#: Trouble goes on for so long after the last event was sent.
_AFTERMATH_SECONDS = 4.0


class Trouble:
    """Everything that is planned for one world."""

    def __init__(self, world: World, dice: random.Random) -> None:
        self._world = world
        self._dice = dice
        self.over_at = world.plan.sending_seconds + _AFTERMATH_SECONDS

    def plan_everything(self) -> None:
        """Choose the times."""
        plan, world = self._world.plan, self._world
        for _ in range(plan.crashes):
            self._at_some_time(self._strike, world.kill)
        for _ in range(plan.pauses):
            self._at_some_time(self._strike, world.pause)
        for _ in range(plan.leaves):
            self._at_some_time(self._leave)
        for _ in range(plan.outages):
            self._at_some_time(self._take_away, self._dice.choice(["kafka", "postgres"]))
        if plan.failover:
            at = self.over_at * (0.3 + 0.6 * self._dice.random())
            self._world.network.later(at - self._dice.choice([0.05, 0.5, 2.0]), world.store.copy_to_replica)
            self._world.network.later(at, self._fail_over)

    def _at_some_time(self, do: Callable[..., None], *args: Any) -> None:
        self._world.network.later(self._dice.random() * self.over_at, do, *args)

    def _strike(self, blow: Callable[[Worker], None]) -> None:
        workers = [one for one in self._world.workers if one.is_at_work and not one.is_paused]
        if workers:
            blow(self._dice.choice(workers))

    def _leave(self) -> None:
        """Somebody stops in good order, and another comes."""
        workers = [one for one in self._world.workers if one.is_at_work and not one.is_paused]
        if workers:
            leaving = self._dice.choice(workers)
            self._world.say(f"{leaving.name} is told to stop")
            leaving.stopping.set()
            self._world.network.later(
                self._dice.choice([0.0, 1.0, 4.0]), self._world.start_worker, f"{leaving.name}+"
            )

    def _take_away(self, server: str) -> None:
        seconds = self._dice.choice([0.5, 3.0, 12.0])
        self._world.say(f"{server} is away for {seconds} s")
        self._world.network.down.add(server)
        if server == "postgres":
            self._world.server.lose_connections()
        self._world.network.later(seconds, self._world.network.down.discard, server)

    def _fail_over(self) -> None:
        self._world.say("the database fails over to an older copy")
        self._world.server.lose_connections()
        self._world.store.fail_over()
        self._world.oracle.went_back()

    def end(self) -> None:
        """From here on nothing goes wrong any more."""
        world = self._world
        world.say("the trouble is over")
        world.network.calm = True
        world.network.down.clear()
        for worker in world.workers:
            worker.resume()
        if not any(worker.is_at_work for worker in world.workers):
            world.start_worker("last")
