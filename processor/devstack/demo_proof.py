"""The demonstration's proofs: answers against what was sent, counts and balances against the expectation, the audit."""

from __future__ import annotations

import json
from collections.abc import Mapping

from processor.devstack.audience import Audience
from processor.devstack.commands import croupier
from processor.devstack.traffic.expectation import Expectation

_SHOWN = 5


def answer_faults(audience: Audience) -> list[str]:
    """Events with no answer, with more than one, or with another kind of answer than they must have."""
    missing = audience.unanswered()
    faults = [f"no answer for {event.what} at {place}" for place, event in missing[:_SHOWN]]
    if len(missing) > _SHOWN:
        faults.append(f"and no answer for {len(missing) - _SHOWN} more events")
    faults += [f"more than one answer for the event at {place}" for place in audience.doubled[:_SHOWN]]
    return faults + audience.wrong_letters[:_SHOWN]


def count_faults(expected: Expectation, audience: Audience) -> list[str]:
    """Where outcomes by code, repeats and dead letters are not as many as the expectation says."""
    seen = {**audience.codes, "repeats": audience.replayed, **audience.letters}
    wanted = {**expected.codes, "repeats": expected.replayed, **expected.letters}
    return [
        f"{seen.get(name, 0)} × {name}, the expectation says {wanted.get(name, 0)}"
        for name in sorted(seen.keys() | wanted.keys())
        if seen.get(name, 0) != wanted.get(name, 0)
    ]


def balance_faults(
    expected: Mapping[tuple[str, str, str], int], actual: Mapping[tuple[str, str, str], int]
) -> list[str]:
    """Where the ledger and the expectation differ, in words; both by player, currency and pool, no account is 0."""
    faults = [
        f"{name[0]} has {actual.get(name, 0)} minor units of {name[1]} in the pool {name[2]}, "
        f"the expectation says {expected.get(name, 0)}"
        for name in sorted(expected.keys() | actual.keys())
        if actual.get(name, 0) != expected.get(name, 0)
    ]
    if len(faults) > _SHOWN:
        return [*faults[:_SHOWN], f"and {len(faults) - _SHOWN} more balances differ"]
    return faults


async def audit_faults(environment: Mapping[str, str]) -> list[str]:
    """What `croupier audit --results` finds, in its own words."""
    code, said = await croupier(["audit", "--results", "--json"], environment, allowed=frozenset({0, 1}))
    found = [proof["fault"] for proof in json.loads(said)["proofs"] if proof["fault"] is not None]
    return [f"audit: {fault}" for fault in found or ["it ended badly and named no fault"]] if code else []
