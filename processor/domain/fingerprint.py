"""Fingerprints: whether an event under a known id is the same event, and if not, in which field it first differs."""

from __future__ import annotations

from typing import Final

from processor.domain.commands import Command
from processor.domain.money import same_amount
from processor.domain.state import Outcome

#: Types that name their bet, and whose currency, game and round are therefore not compared.
NAMES_ITS_BET: Final = frozenset({"rollback", "refund", "reverse_win"})

#: The types' own fields that are amounts, compared by value.
_OWN_AMOUNTS: Final = frozenset(
    {"jackpot_contribution", "bet_amount", "win_amount", "wagering_requirement", "reported_balance"}
)


def difference(command: Command, known: Outcome) -> str | None:
    """The first field that differs, in the contract's order; None where it is the same event."""
    if command.type != known.type:
        return "type"
    if command.player_id != known.player_id:
        return "player_id"
    by_bet = command.type in NAMES_ITS_BET
    if not by_bet and command.currency != known.currency:
        return "currency"
    if command.type != "bet_win" and not _same_amount(command, known):  # a bet_win has two, both its own
        return "amount"
    if not by_bet and command.game_id != known.game_id:
        return "game_id"
    if not by_bet and command.round_id != known.round_id:
        return "round_id"
    if command.reference != known.reference:
        return "reference"
    if command.kind != known.kind:
        return "kind"
    return None if command.own == known.own else _own_difference(command, known)


def _same_amount(command: Command, known: Outcome) -> bool:
    if (
        command.currency == known.currency
        and command.amount_minor is not None
        and known.amount_minor is not None
    ):
        return command.amount_minor == known.amount_minor
    if command.amount_text is None and known.amount_text is None:
        return command.amount_minor == known.amount_minor
    return same_amount(command.amount_text, known.amount_text)


def _own_difference(command: Command, known: Outcome) -> str | None:
    stored = dict(known.own)
    for name, text in command.own:
        before = stored.pop(name, None)
        if text != before and not (name in _OWN_AMOUNTS and same_amount(text, before)):
            return name
    return next((name for name, text in stored.items() if text is not None), None)
