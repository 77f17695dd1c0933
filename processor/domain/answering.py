"""Answering: what is said of a decision once it has taken place: the outcome, and the wallet as it then is."""

from __future__ import annotations

from processor.domain.answers import Answer, Balance
from processor.domain.case import Case
from processor.domain.commands import Command
from processor.domain.conversion import wallet_currency
from processor.domain.decision import Decision
from processor.domain.state import BONUS, CASH, DEBT, Outcome, Player, game_pool


def answer(case: Case, decision: Decision, outcome: Outcome | None) -> Answer:
    """The answer to a first decision, or to a conflict (which has no outcome of its own)."""
    return Answer(
        case.command,
        decision.code,
        case.player.sequence,
        balance_of(case.player, case.command, wallet_currency(decision.details, decision.moved_currency)),
        None if outcome is None else outcome.wallet_transaction_id,
        False,
        decision.retryable,
        decision.moved_minor,
        decision.moved_currency,
        decision.split,
        decision.details,
        decision.conflict,
        decision.burns_id,
        outcome,
    )


def repeat(case: Case, decision: Decision, known: Outcome) -> Answer:
    """The answer to an id seen before: the original's outcome, today's balance."""
    return Answer(
        case.command,
        decision.code,
        case.player.sequence,
        balance_of(case.player, case.command, wallet_currency(known.details, known.moved_currency)),
        known.wallet_transaction_id,
        replayed=True,
        moved_minor=known.moved_minor,
        moved_currency=known.moved_currency,
        split=known.split,
        details=known.details,
        outcome=known,
    )


def balance_of(player: Player, command: Command, moved_currency: str | None) -> Balance | None:
    """The wallet that was moved, else the one of the command's currency, else the one that was opened first.

    ``game_minor`` is the wallet at the command's provider. None for a player whom nobody has opened.
    """
    currencies = player.currencies
    if not currencies:
        return None
    currency = moved_currency or command.currency
    if currency is None or currency not in currencies:
        currency = currencies[0]
    cash = player.accounts.get((currency, CASH))
    if cash is not None and len(player.accounts) == 1:  # most players: nothing but cash
        return Balance(currency, cash.balance_minor, 0, 0, 0)
    return Balance(
        currency,
        player.balance_minor(currency, CASH),
        player.balance_minor(currency, BONUS),
        player.balance_minor(currency, game_pool(command.provider)),
        player.balance_minor(currency, DEBT),
    )
