"""Worlds in short: some hundred seeds are lived through, a seed is the same world again, and its trace tells of it."""

from __future__ import annotations

from tests.simulation.__main__ import main
from tests.simulation.plan import Plan, plan_of
from tests.simulation.world import World

_SEEDS = range(60)


def test_worlds_full_of_trouble_end_well() -> None:
    verdicts = [World(seed).run() for seed in _SEEDS]
    assert [(one.seed, one.problem) for one in verdicts if one.problem is not None] == []
    assert sum(one.batches for one in verdicts) > 5 * len(verdicts)


def test_a_seed_is_the_same_world_every_time() -> None:
    def told(seed: int) -> list[str]:
        lines: list[str] = []
        World(seed, tell=lambda at, what: lines.append(f"{at:.6f} {what}")).run()
        return lines

    for seed in (3, 5, 8):
        first = told(seed)
        assert len(first) > 20
        assert told(seed) == first


def test_a_world_without_trouble_loses_no_time_and_no_producer() -> None:
    plan = Plan(workers=1, events=20, sending_seconds=2.0)
    world = World(1, plan=plan)
    verdict = world.run()
    assert verdict.problem is None
    assert verdict.virtual_seconds < 20
    assert {found.epoch for found in world.broker.coordinated.values()} == {0}
    assert {row.epoch for row in world.store.lanes.values()} == {1}


def test_every_trouble_strikes_in_some_of_the_seeds_that_are_run() -> None:
    plans = [plan_of(seed) for seed in _SEEDS]
    quiet = Plan()
    for trouble in ("slow", "kafka_cut", "echo", "refused", "fetch_fails", "offsets_unknown", "postgres_cut",
                    "commit_lost", "crash_at_step", "pause_at_step", "crashes", "pauses", "leaves", "outages",
                    "failover", "marker_seconds"):  # fmt: skip
        assert any(getattr(plan, trouble) != getattr(quiet, trouble) for plan in plans), trouble


def test_the_program_counts_seeds_and_replays_one_with_its_trace() -> None:
    said: list[str] = []
    assert main(["--seeds", "3"], said.append) == 0
    assert "3 seeds, 0 with a problem" in said[-1]
    said.clear()
    assert main(["--seed", "2"], said.append) == 0
    assert any("w0 starts" in line for line in said)
    assert "seed 2: everything held" in said[-1]
