"""Actions: the outcomes of a batch's actions are stored under their own ids, and told in the batch's own."""

from __future__ import annotations

from collections.abc import Iterator

from processor.domain.case import Case
from processor.domain.decision import CODE_TEXT, Action, Code, Decision
from processor.domain.money import format_minor
from processor.domain.state import Outcome


def store_actions(
    case: Case, decision: Decision, outcome: Outcome | None, identifiers: Iterator[str]
) -> dict[str, object]:
    """Store each burnt action behind the batch's outcome; what the batch's result tells, which it keeps.

    What moved is kept with the actions alone, so that it is counted once.
    """
    exponent = case.reference.currencies[case.command.currency or ""]
    split_exponent = case.reference.currencies[case.currency]
    ids: dict[str, str] = {}
    told: list[dict[str, object]] = []
    for action in decision.actions:
        if action.burns_id:
            ids[action.key] = next(identifiers)
            _store(case, action, ids[action.key])
        told.append(_told(action, ids, exponent))
    details: dict[str, object] = {
        "actions": told,
        "amount": format_minor(decision.moved_minor, exponent),
        "split": {pool: format_minor(minor, split_exponent) for pool, minor in decision.split.items()},
    }
    if decision.conflict is not None:
        details["conflict"] = decision.conflict
    if decision.details:
        details |= decision.details
    if outcome is not None:
        outcome.details, outcome.moved_minor, outcome.split = details, 0, {}
    return details


def _told(action: Action, ids: dict[str, str], exponent: int) -> dict[str, object]:
    known = action.known
    moved_minor = action.moved_minor if known is None else known.moved_minor
    stored_before = None if known is None or not known.wallet_transaction_id else known.wallet_transaction_id
    return {
        "transaction_id": action.command.transaction_id,
        "type": action.command.type,
        "code": CODE_TEXT[action.code],
        "replayed": known is not None,
        "wallet_transaction_id": None
        if action.code == Code.CONFLICT
        else stored_before or ids.get(action.key),
        "amount": format_minor(moved_minor, exponent),
    }


def _store(case: Case, action: Action, wallet_transaction_id: str) -> None:
    command, books = action.command, case.books
    outcome = Outcome(
        command.provider,
        action.key,
        command.transaction_id,
        command.player_id,
        command.type,
        CODE_TEXT[action.code],
        wallet_transaction_id,
        currency=command.currency,
        amount_minor=command.amount_minor,
        amount_text=command.amount_text,
        game_id=command.game_id,
        round_id=command.round_id,
        session_id=command.session_id,
        reference=command.reference,
        kind=command.kind,
        own=command.own,
        moved_minor=action.moved_minor,
        moved_currency=command.currency if action.code == "OK" else None,
        split=dict(action.split),
        details=action.details,
        sequence=case.player.sequence,
        partition=command.partition,
        offset=command.offset,
        decided_at=case.moment.decided_at,
    )
    books.outcomes[(command.provider, action.key)] = outcome
    books.new_outcomes.append(outcome)
