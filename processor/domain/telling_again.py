"""Telling again: a stored decision as the answer that it was, for a result that the topic lost."""

from __future__ import annotations

from datetime import UTC, datetime

from processor.domain.answers import Answer, Balance
from processor.domain.commands import Command
from processor.domain.conversion import wallet_currency
from processor.domain.decision import Code
from processor.domain.state import BONUS, CASH, DEBT, Outcome, Player, Told, game_pool


def answer_again(told: Told, player: Player) -> Answer:
    """The answer to the first decision, from what is stored of it. What the sender attached is not told again."""
    outcome = told.outcome
    return Answer(
        _command(outcome),
        Code(outcome.code),
        outcome.sequence,
        _balance(told, player),
        outcome.wallet_transaction_id,
        moved_minor=outcome.moved_minor,
        moved_currency=outcome.moved_currency,
        split=outcome.split,
        details=outcome.details,
        outcome=outcome,
    )


def _command(outcome: Outcome) -> Command:
    return Command(
        outcome.type,
        outcome.provider,
        outcome.transaction_id,
        outcome.player_id,
        outcome.partition,
        outcome.offset,
        outcome.decided_at or datetime.min.replace(tzinfo=UTC),
        outcome.currency,
        outcome.amount_minor,
        outcome.amount_text,
        outcome.game_id,
        outcome.round_id,
        outcome.session_id,
        outcome.reference,
        outcome.kind,
        own=outcome.own,
    )


def _balance(told: Told, player: Player) -> Balance | None:
    """The wallet after the decision, in the currency in which `answering` would have told it."""
    if not player.currencies:
        return None
    currency = wallet_currency(told.outcome.details, told.outcome.currency)
    if currency is None or currency not in player.currencies:
        currency = player.currencies[0]
    pools = told.pools
    return Balance(
        currency,
        pools.get((currency, CASH), 0),
        pools.get((currency, BONUS), 0),
        pools.get((currency, game_pool(told.outcome.provider)), 0),
        pools.get((currency, DEBT), 0),
    )
