"""Transfers of the game wallet: who has one (5), whether its provider tells the same balance (12), its funds (13)."""

from __future__ import annotations

from typing import Final

from processor.domain.case import Case
from processor.domain.decision import Code, Decision
from processor.domain.money import format_minor, parse_minor
from processor.domain.state import game_pool

#: What a transfer out says to take everything that is there.
ALL: Final = "all"


def seamless_provider(case: Case) -> Decision | None:
    """5. Nothing can be transferred to or from a provider that plays with the wallet's own cash."""
    return Decision(Code.GAME_BLOCKED) if case.rules.wallet == "seamless" else None


def reported_balance(case: Case) -> Decision | None:
    """12. The provider tells another balance than the wallet's, and the wallet's is the one that counts."""
    reported_minor = _reported_minor(case)
    if reported_minor is None or reported_minor == _balance_minor(case):
        return None
    if case.rules.transfer_settlement == "provider":
        return None
    return Decision(Code.DISCREPANCY, details=reported_details(case))


def game_wallet_funds(case: Case) -> Decision | None:
    """13. The game wallet does not hold what is to be transferred out."""
    held_minor = _balance_minor(case) + reported_difference_minor(case)
    if amount_out_minor(case) > held_minor:
        return Decision(Code.INSUFFICIENT_FUNDS, details=reported_details(case))
    return None


def amount_out_minor(case: Case) -> int:
    """What a transfer out takes; ``all`` is what is there once the provider's figure, if it counts, is booked."""
    command = case.command
    if command.amount_text == ALL:
        return _balance_minor(case) + reported_difference_minor(case)
    return command.amount_minor or 0


def reported_difference_minor(case: Case) -> int:
    """How much more (or less) the provider holds than the wallet, where its figure is the truth; otherwise 0."""
    reported_minor = _reported_minor(case)
    if reported_minor is None or case.rules.transfer_settlement != "provider":
        return 0
    return reported_minor - _balance_minor(case)


def reported_details(case: Case) -> dict[str, object] | None:
    """What the provider said it holds, for the result."""
    reported_minor = _reported_minor(case)
    if reported_minor is None:
        return None
    exponent = case.reference.currencies[case.command.currency or ""]
    return {"reported_balance": format_minor(reported_minor, exponent)}


def _reported_minor(case: Case) -> int | None:
    text = case.command.own_field("reported_balance")
    return None if text is None else parse_minor(text, case.reference.currencies[case.command.currency or ""])


def _balance_minor(case: Case) -> int:
    command = case.command
    return case.player.balance_minor(command.currency or "", game_pool(command.provider))
