"""The chaos suite's plan: same seed, same trouble; every trouble is tried, alone and in pairs that can be."""

from __future__ import annotations

from collections import Counter

from tests.chaos.scenarios.plan import pairs, singles
from tests.chaos.scenarios.table import TROUBLES


def test_the_same_seed_gives_the_same_trouble() -> None:
    assert singles(7) == singles(7)
    assert pairs(7, 30) == pairs(7, 30)
    assert [one.words() for one in pairs(7, 30)] == [one.words() for one in pairs(7, 30)]


def test_another_seed_gives_other_trouble() -> None:
    assert [one.words() for one in singles(7)] != [one.words() for one in singles(8)]
    assert [one.name for one in pairs(7, 30)] != [one.name for one in pairs(8, 30)]


def test_fewer_pairs_are_the_first_of_more() -> None:
    assert pairs(7, 30)[:5] == pairs(7, 5)


def test_each_trouble_is_tried_alone_and_has_a_name_of_its_own() -> None:
    assert [type(one.injections[0].trouble) for one in singles(3)] == list(TROUBLES)
    assert len({kind.name for kind in TROUBLES}) == len(TROUBLES)


def test_pairs_try_every_trouble_about_as_often_and_no_pair_twice() -> None:
    tried = pairs(5, 30)
    used = Counter(type(one.trouble) for scenario in tried for one in scenario.injections)
    assert set(used) == set(TROUBLES)
    assert max(used.values()) - min(used.values()) <= 2
    assert len({scenario.name for scenario in tried}) == len(tried)


def test_two_troubles_of_a_pair_touch_different_things() -> None:
    for scenario in pairs(9, 100):
        one, other = (injection.trouble for injection in scenario.injections)
        assert not one.touches & other.touches


def test_seeds_of_scenarios_are_all_different() -> None:
    seeds = [one.seed for run in (1, 2) for one in (*singles(run), *pairs(run, 50))]
    assert len(set(seeds)) == len(seeds)
