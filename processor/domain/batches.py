"""Guards on batches (10, 13): every action is rehearsed on a copy of the player, as if those before it had happened."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from typing import Final

from processor.domain.case import Case, make_case
from processor.domain.commands import Command
from processor.domain.conversion import convert
from processor.domain.decision import OK, Action, Code, Decision
from processor.domain.effects import RoundStaked
from processor.domain.fingerprint import difference
from processor.domain.guards import known_id, round_closed, tombstone
from processor.domain.operations.play import win
from processor.domain.postings import draw, stake_pools
from processor.domain.profiles import stored_key
from processor.domain.references import win_reference
from processor.domain.state import Books, Outcome, Player

Guard = Callable[[Case], Decision | None]

#: What is looked at for each action; everything else is looked at once, for the batch.
ACTION_GUARDS: Final[dict[str, tuple[Guard, ...]]] = {
    "bet": (known_id, tombstone, round_closed),
    "win": (known_id, tombstone, round_closed, win_reference),
}


@dataclass(slots=True)
class Rehearsal:
    """A batch on its way: ``books`` are the copy, ``cases`` those of new actions by their place, ``known`` the outcomes
    of actions that were decided before, ``refused`` what the others are answered with."""

    books: Books
    cases: dict[int, Case] = field(default_factory=dict)
    known: dict[int, Outcome] = field(default_factory=dict)
    refused: dict[int, Decision] = field(default_factory=dict)

    def new(self, type_: str) -> list[tuple[int, Case]]:
        """The new actions of a type, in their order."""
        return [(place, case) for place, case in sorted(self.cases.items()) if case.command.type == type_]


def batch_actions(case: Case) -> Decision | None:
    """10. The first action that is refused gives its code; a win whose bet is missing lets the whole batch wait.

    What else is refused comes before a missing bet also when waiting is over: whenever a batch is looked at, it is
    answered alike.
    """
    rehearsal = case.rehearsal = Rehearsal(_copy_of(case))
    for type_ in ("bet", "win"):  # a win may stand before its own bet
        for place, action in enumerate(case.command.actions):
            if action.type == type_:
                _rehearse(case, rehearsal, place, action)
    final = [place for place, decision in rehearsal.refused.items() if decision.awaits is None]
    if final:
        return _refusal(rehearsal.refused[min(final)], min(final))
    if rehearsal.refused:
        first = min(rehearsal.refused)
        missing = rehearsal.refused[first]
        return missing if case.may_wait else _refusal(missing, first)
    case.stakes = tuple([one.amount_minor for _, one in rehearsal.new("bet")])
    return None


def takes_stakes(case: Case) -> bool:
    """Whether a batch has a bet that is not known yet."""
    outcomes, profile = case.books.outcomes, case.profile
    return any(
        one.type == "bet"
        and (one.provider, stored_key(profile, one.player_id, one.transaction_id, "bet")) not in outcomes
        for one in case.command.actions
    )


def batch_funds(case: Case) -> Decision | None:
    """13. The pools do not hold all new stakes together; what the batch's own wins bring does not count."""
    rehearsal = case.rehearsal
    assert rehearsal is not None, "the actions were rehearsed before"
    pools = stake_pools(case.rules, case.reference)
    for _, one in rehearsal.new("bet"):
        command = one.command
        parts = draw(one.player, one.currency, pools, one.amount_minor)
        if parts is None:
            return Decision(Code.INSUFFICIENT_FUNDS)
        one.stake_parts = parts
        for pool, part in parts:
            one.player.account(one.currency, pool).balance_minor -= part
        rehearsal.books.outcomes[(command.provider, one.key)].split.update(
            {pool: -part for pool, part in parts}
        )
    return None


def refused_actions(case: Case, decision: Decision) -> tuple[Action, ...]:
    """What becomes of the actions of a refused batch: new bets are burnt with its code and conflict, wins never."""
    command = case.command
    details: dict[str, object] | None = None if decision.conflict is None else {"conflict": decision.conflict}
    seen = {case.key}
    actions = []
    for one in command.actions:
        key = stored_key(case.profile, one.player_id, one.transaction_id, one.type)
        known = case.books.outcomes.get((one.provider, key))
        if known is not None:
            repeated = difference(one, known) is None
            code = Code(known.code) if repeated else Code.CONFLICT
            actions.append(Action(one, key, code, known=known if repeated else None))
            continue
        burns = decision.burns_id and one.type == "bet" and key not in seen
        seen.add(key)
        actions.append(Action(one, key, decision.code, burns_id=burns, details=details))
    return tuple(actions)


def _rehearse(case: Case, rehearsal: Rehearsal, place: int, action: Command) -> None:
    one = make_case(action, rehearsal.books, case.reference, case.moment.decided_at)
    if case.conversion is not None:
        convert(one, case.conversion)
    for guard in ACTION_GUARDS[action.type]:
        decision = guard(one)
        if decision is None:
            continue
        if decision.known is not None and decision.conflict is None and decision.code == OK:
            rehearsal.known[place] = decision.known
        else:
            rehearsal.refused[place] = decision
        return
    rehearsal.cases[place] = one
    rehearsal.books.outcomes[(action.provider, one.key)] = _provisional(action, one.key)
    if action.type == "bet":
        _effect_of_bet(one)
        return
    for effect in win(one).effects:
        effect.apply(one.player, one.moment)


def _effect_of_bet(one: Case) -> None:
    command = one.command
    if command.round_id is not None:
        entered = RoundStaked(command.provider, command.round_id, command.game_id, command.currency, 0)
        entered.apply(one.player, one.moment)


def _provisional(command: Command, key: str) -> Outcome:
    """An action as if it had been accepted: what a later action of the batch sees of it."""
    return Outcome(
        command.provider,
        key,
        command.transaction_id,
        command.player_id,
        command.type,
        OK.value,
        "",
        currency=command.currency,
        amount_minor=command.amount_minor,
        amount_text=command.amount_text,
        game_id=command.game_id,
        round_id=command.round_id,
        session_id=command.session_id,
        reference=command.reference,
        kind=command.kind,
        own=command.own,
        moved_currency=command.currency,
    )


def _copy_of(case: Case) -> Books:
    """The player and what is known, to be written on; the batch's own id is taken."""
    player: Player = copy(case.player)
    player.accounts = {name: copy(account) for name, account in player.accounts.items()}
    player.rounds = {name: copy(round_) for name, round_ in player.rounds.items()}
    player.bets = {name: copy(mark) for name, mark in player.bets.items()}
    books = Books({player.player_id: player}, dict(case.books.outcomes))
    books.outcomes[(case.command.provider, case.key)] = _provisional(case.command, case.key)
    return books


def _refusal(decision: Decision, place: int) -> Decision:
    """What the batch answers where an action is refused so. A conflict names the action's field, or, where the action
    was burnt with an earlier batch's conflict, the action alone."""
    conflict = None if decision.conflict is None else f"actions[{place}].{decision.conflict}"
    if decision.code == Code.CONFLICT and conflict is None:
        conflict = f"actions[{place}]"
    return Decision(
        decision.code,
        burns_id=decision.burns_id or decision.known is not None,
        retryable=decision.retryable,
        conflict=conflict,
    )
