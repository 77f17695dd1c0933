"""Players: the operator blocks and unblocks them, they exclude themselves and take breaks."""

from __future__ import annotations

from datetime import datetime

from processor.domain.case import Case
from processor.domain.decision import OK, Decision
from processor.domain.player_effects import FOR_EVER, PlayerBlocked, PlayerExcluded


def block_player(case: Case) -> Decision:
    """From now on no stakes, deposits, transfers in, bonuses or sessions."""
    return Decision(OK, effects=(PlayerBlocked(True),))


def unblock_player(case: Case) -> Decision:
    """End the operator's block; an exclusion that the player asked for goes on."""
    return Decision(OK, effects=(PlayerBlocked(False),))


def exclude(case: Case) -> Decision:
    """A self-exclusion or a cooling-off, until a time or for ever; it is never made shorter by a later one."""
    until = case.command.own_field("until")
    return Decision(
        OK, effects=(PlayerExcluded(FOR_EVER if until is None else datetime.fromisoformat(until)),)
    )
