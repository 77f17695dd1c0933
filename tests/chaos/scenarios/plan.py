"""What is tried, from a seed alone: each trouble by itself, and pairs of them. Same seed, same trouble."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from random import Random

from tests.chaos.scenarios.table import TROUBLES
from tests.chaos.scenarios.trouble import Trouble


@dataclass(frozen=True)
class Injection:
    """One trouble, and when: so many seconds after the scenario began, for so long."""

    trouble: Trouble
    after_seconds: float
    lasts_seconds: float


@dataclass(frozen=True)
class Scenario:
    """One or two troubles that overlap; the seed is also the play's and the proxies'."""

    seed: int
    injections: tuple[Injection, ...]

    @property
    def name(self) -> str:
        """The kinds of trouble."""
        return " + ".join(one.trouble.name for one in self.injections)

    def words(self) -> str:
        """The troubles with what was drawn for them."""
        return " + ".join(
            f"{one.trouble.words()} (at {one.after_seconds:.1f} s, {one.lasts_seconds:.1f} s)"
            for one in self.injections
        )

    def needs(self) -> frozenset[str]:
        """What the stage must have."""
        return frozenset[str]().union(*(one.trouble.needs for one in self.injections))


def singles(seed: int) -> tuple[Scenario, ...]:
    """Each trouble of the table, alone."""
    return tuple(_scenario(seed, number, (kind,)) for number, kind in enumerate(TROUBLES))


def pairs(seed: int, count: int) -> tuple[Scenario, ...]:
    """So many pairs of troubles that do not touch the same thing, every trouble as often as any other."""
    chance = Random(f"{seed} pairs")
    chosen = list(_evenly(chance, count))
    return tuple(_scenario(seed, 100 + number, kinds) for number, kinds in enumerate(chosen))


def _evenly(chance: Random, count: int) -> Iterator[tuple[type[Trouble], type[Trouble]]]:
    possible = [(one, other) for one, other in combinations(TROUBLES, 2) if not one.touches & other.touches]
    chance.shuffle(possible)
    used = Counter[type[Trouble]]()
    for _ in range(min(count, len(possible))):
        pair = min(possible, key=lambda two: (used[two[0]] + used[two[1]], max(used[two[0]], used[two[1]])))
        possible.remove(pair)
        used.update(pair)
        yield pair


def _scenario(seed: int, number: int, kinds: Sequence[type[Trouble]]) -> Scenario:
    chance = Random(f"{seed} scenario {number}")
    return Scenario(seed * 1000 + number, tuple(injection(kind, chance) for kind in kinds))


def injection(kind: type[Trouble], chance: Random) -> Injection:
    """A trouble of this kind, by chance, and when."""
    return Injection(
        kind.drawn(chance), round(chance.uniform(0.0, 2.0), 1), round(chance.uniform(*kind.lasts), 1)
    )
