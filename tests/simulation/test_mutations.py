"""The simulation can fail: each rule broken on purpose is found within a bounded number of seeds."""

from __future__ import annotations

import pytest

from tests.simulation.mutations import MUTATIONS, Mutation, hunt

#: A handful is enough for most; see the table in docs/simulation.md.
_MOST_SEEDS = 200


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_broken_rule_is_found(mutation: Mutation) -> None:
    found = hunt(mutation, range(_MOST_SEEDS))
    assert found is not None, f"{_MOST_SEEDS} seeds noticed nothing"
    print(f"{mutation.name}: seed {found.seed}: {found.problem}")  # noqa: T201  # shown with -s


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_same_worlds_are_whole_with_the_rule_kept(mutation: Mutation) -> None:
    found = hunt(mutation, range(5), kept=True)
    assert found is None, f"seed {found.seed}: {found.problem}"
