"""A batch: all of its new bets and wins in one decision, the stakes before the wins."""

from __future__ import annotations

from processor.domain.batches import Rehearsal
from processor.domain.case import Case
from processor.domain.decision import OK, Action, Decision, Posting
from processor.domain.effects import Effect, RoundClosed, RoundEntered
from processor.domain.operations.play import bet, win
from processor.domain.postings import HOUSE_ACCOUNTS
from processor.domain.state import Player


def batch(case: Case) -> Decision:
    """Take all stakes and pay all wins; what was decided before answers its outcome and does not count again."""
    command, rehearsal = case.command, case.rehearsal
    assert rehearsal is not None, "the actions were rehearsed before"
    decisions = _decisions(rehearsal)
    postings: list[Posting] = []
    effects: list[Effect] = []
    split: dict[str, int] = {}
    for _, decision in sorted(
        decisions.items(), key=lambda one: (rehearsal.cases[one[0]].command.type, one[0])
    ):
        postings += decision.postings
        effects += decision.effects
        for pool, minor in decision.split.items():
            split[pool] = split.get(pool, 0) + minor
    if command.round_closed and command.round_id is not None:
        effects.append(RoundEntered(command.provider, command.round_id, command.game_id, command.currency))
        effects.append(RoundClosed(command.provider, command.round_id))
    split = {pool: minor for pool, minor in split.items() if minor}
    moved_minor = sum(decision.moved_minor for decision in decisions.values())
    actions = tuple([_action(case, place, decisions) for place in range(len(command.actions))])
    told = None
    if case.conversion is not None:
        told = case.conversion.details(moved_minor, sum(split.values()), case.reference)
    return Decision(
        OK,
        tuple(postings),
        moved_minor,
        command.currency,
        split,
        tuple(effects),
        details=told,
        actions=actions,
    )


def _decisions(rehearsal: Rehearsal) -> dict[int, Decision]:
    """By place: each new action's decision, stakes first, then wins, whose money is booked on the copy as it comes."""
    decisions = {place: bet(one) for place, one in rehearsal.new("bet")}
    for place, one in rehearsal.new("win"):
        decision = decisions[place] = win(one)
        for posting in decision.postings:
            if posting.credit not in HOUSE_ACCOUNTS:
                _receive(one.player, posting)
    return decisions


def _receive(player: Player, posting: Posting) -> None:
    player.account(posting.currency, posting.credit).balance_minor += posting.amount_minor


def _action(case: Case, place: int, decisions: dict[int, Decision]) -> Action:
    rehearsal, command = case.rehearsal, case.command.actions[place]
    assert rehearsal is not None, "the actions were rehearsed before"
    known = rehearsal.known.get(place)
    if known is not None:
        return Action(command, known.key, OK, known=known)
    decision = decisions[place]
    key = rehearsal.cases[place].key
    return Action(
        command, key, OK, decision.moved_minor, decision.split, burns_id=True, details=decision.details
    )
