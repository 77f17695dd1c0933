"""`make simulate`: many seeds with their rate, or one seed with its trace; exit code 1 where something did not hold."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence

from tests.simulation.mutations import MUTATIONS, hunt
from tests.simulation.plan import plan_of
from tests.simulation.world import World

Say = Callable[[str], object]


def main(arguments: Sequence[str], say: Say) -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many worlds")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="replay this one with its trace")
    parser.add_argument(
        "--mutations", action="store_true", help="break each rule and say which seed finds it"
    )
    asked = parser.parse_args(arguments)
    if asked.mutations:
        return _mutations(asked.seeds, say)
    if asked.seed is not None:
        return _replay(asked.seed, say)
    return _many(range(asked.first, asked.first + asked.seeds), say)


def _many(seeds: range, say: Say) -> int:
    started, busy, bad, batches = time.perf_counter(), time.process_time(), 0, 0
    for seed in seeds:
        verdict = World(seed).run()
        batches += verdict.batches
        if verdict.problem is not None:
            bad += 1
            say(f"seed {seed}: {verdict.problem}\n  replay it: make simulate SEED={seed}")
    seconds, busy = time.perf_counter() - started, time.process_time() - busy
    rate, of_processor = len(seeds) / seconds * 60, len(seeds) / busy * 60
    say(
        f"{len(seeds)} seeds, {bad} with a problem, {batches} batches, {seconds:.1f} s: {rate:.0f} seeds a minute "
        f"({of_processor:.0f} in a minute of processor time)"
    )
    return 1 if bad else 0


def _replay(seed: int, say: Say) -> int:
    say(str(plan_of(seed)))
    verdict = World(seed, tell=lambda at, what: say(f"{at:10.4f}  {what}")).run()
    say(f"seed {seed}: {verdict.problem or 'everything held'}")
    return 1 if verdict.problem is not None else 0


def _mutations(most_seeds: int, say: Say) -> int:
    missed = 0
    for mutation in MUTATIONS:
        found = hunt(mutation, range(most_seeds))
        missed += found is None
        told = "not found" if found is None else f"seed {found.seed}: {(found.problem or '')[:160]}"
        say(f"{mutation.name} | {told}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], lambda line: print(line, flush=True)))  # noqa: T201  # it is a program for people
