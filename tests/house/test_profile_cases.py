"""Each of a provider's choices has acceptance cases for both of its sides, by name."""

from __future__ import annotations

from dataclasses import MISSING, fields
from pathlib import Path

from processor.devstack.certify.cases import load_cases
from processor.domain.profiles import Profile

CASES = sorted((Path(__file__).parents[1] / "cases").glob("*.yaml"))
#: How long something is waited for; a case cannot wait for the default, and one with a second is there.
DURATIONS = {"round_timeout_hours", "missing_bet_wait_seconds"}


def test_every_choice_of_a_profile_has_a_case_with_its_default_and_one_with_another_value() -> None:
    named = [case.profile for case in load_cases(CASES)]
    for one in fields(Profile):
        if one.default is MISSING or one.name in DURATIONS:
            continue
        default = sorted(one.default) if isinstance(one.default, frozenset) else one.default
        values = [profile[one.name] for profile in named if one.name in profile]
        assert default in values, f"no case names {one.name}: {default}, the default"
        assert any(value != default for value in values), f"no case has {one.name} otherwise than {default}"
