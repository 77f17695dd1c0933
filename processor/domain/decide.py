"""Decide: the whole law in one step: the guards in their order, then the operation. Reads, changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from processor.domain.batches import refused_actions, takes_stakes
from processor.domain.case import Case, make_case
from processor.domain.commands import Command
from processor.domain.decision import Decision, Moment
from processor.domain.operations import (
    account,
    batch,
    bonuses,
    cashier,
    corrections,
    limits,
    play,
    players,
    returns,
    transfers,
)
from processor.domain.precedence import BATCH_OF_WINS, GUARDS
from processor.domain.profiles import Reference
from processor.domain.state import Books

OPERATIONS: Final[Mapping[str, Callable[[Case], Decision]]] = {
    "open_player": account.open_player,
    "open_session": account.open_session,
    "close_session": account.close_session,
    "transfer_in": transfers.transfer_in,
    "transfer_out": transfers.transfer_out,
    "block_player": players.block_player,
    "unblock_player": players.unblock_player,
    "self_exclude": players.exclude,
    "cool_off": players.exclude,
    "set_limit": limits.set_limit,
    "confirm_limit": limits.confirm_limit,
    "deposit": cashier.deposit,
    "withdraw": cashier.withdraw,
    "grant_bonus": bonuses.grant_bonus,
    "expire_bonus": bonuses.expire_bonus,
    "release_bonus": bonuses.release_bonus,
    "bet": play.bet,
    "win": play.win,
    "rollback": returns.rollback,
    "refund": returns.refund,
    "bet_win": play.bet_win,
    "batch": batch.batch,
    "reverse_win": corrections.reverse_win,
    "adjust": corrections.adjust,
    "close_round": play.close_round,
}


def decide(
    command: Command, books: Books, reference: Reference, moment: Moment, *, may_wait: bool = True
) -> Decision:
    """The decision on one command over the locked books.

    ``may_wait`` False says that no bet is waited for any more.
    Raises KeyError for a type without a law or a player who was not locked.
    """
    return decide_case(make_case(command, books, reference, moment.decided_at, may_wait))


def decide_case(case: Case) -> Decision:
    """The first guard that has something to say answers; where none has, the operation takes place."""
    type_ = case.command.type
    guards = GUARDS[type_]
    if type_ == "batch" and not takes_stakes(case):
        guards = BATCH_OF_WINS
    for guard in guards:
        decision = guard(case)
        if decision is not None:
            if type_ == "batch" and decision.known is None:
                decision.actions = refused_actions(case, decision)
            return decision
    return OPERATIONS[type_](case)
