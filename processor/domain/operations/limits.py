"""Limits: lowering one acts at once; raising or removing it waits, and then for the player to confirm it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from processor.domain.case import Case
from processor.domain.decision import OK, Decision
from processor.domain.limits import limit_key, limit_value, time_text
from processor.domain.player_effects import LimitsChanged
from processor.domain.state import Limit


def set_limit(case: Case) -> Decision:
    """Set, lower, raise or remove a limit. Whatever raise of it was pending is no more."""
    value, now = limit_value(case), _limit_of(case)
    if now is None:
        return _changed(case, None if value is None else Limit(*limit_key(case), value))
    if value is not None and value <= now.value:
        return _changed(case, Limit(now.name, now.period, now.currency, value))
    rules = case.reference.jurisdiction_of(case.player)
    effective_at = case.moment.broker_time + timedelta(hours=rules.limit_raise_hours)
    decision = _changed(case, replace(now, raised_to=value, effective_at=effective_at))
    decision.details = {"effective_at": time_text(effective_at)}
    return decision


def confirm_limit(case: Case) -> Decision:
    """Let a raise that has waited long enough take place; one that has not is told again when it may be confirmed."""
    now = _limit_of(case)
    if now is None or now.effective_at is None:
        return Decision(OK)
    if case.moment.broker_time < now.effective_at:
        return Decision(OK, details={"effective_at": time_text(now.effective_at)})
    raised = None if now.raised_to is None else Limit(now.name, now.period, now.currency, now.raised_to)
    return _changed(case, raised)


def _limit_of(case: Case) -> Limit | None:
    key = limit_key(case)
    return next((limit for limit in case.player.limits if limit.key == key), None)


def _changed(case: Case, limit: Limit | None) -> Decision:
    """The player's limits with this one in the place of what was there; None: without it."""
    key = limit_key(case)
    others = [other for other in case.player.limits if other.key != key]
    kept = others if limit is None else [*others, limit]
    return Decision(OK, effects=(LimitsChanged(tuple(sorted(kept, key=lambda one: one.key))),))
