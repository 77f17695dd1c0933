"""The acceptance cases without servers, and the accounts after each."""

from __future__ import annotations

from collections import defaultdict

import pytest

from processor.devstack.certify.cases import Case
from processor.domain.answers import Answer
from processor.domain.postings import HOUSE_ACCOUNTS
from tests.unit.domain.cases import CasePlayer, all_cases
from tests.unit.domain.memory import MemoryLedger

CASES = all_cases()


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_the_law_decides_as_the_case_says(case: Case) -> None:
    player = CasePlayer(case)
    player.play()
    check_books(player.ledger)


def test_there_are_cases_enough() -> None:
    assert len(CASES) >= 250


def check_books(ledger: MemoryLedger) -> None:
    """Entries sum to zero, balances are the sums of their entries, answers are counted without a gap."""
    sums: dict[tuple[str, str, str], int] = defaultdict(int)
    per_currency: dict[str, int] = defaultdict(int)
    for entry in ledger.entries:
        assert entry.amount_minor > 0
        for name, change in ((entry.debit, -entry.amount_minor), (entry.credit, entry.amount_minor)):
            per_currency[entry.currency] += change
            if name not in HOUSE_ACCOUNTS:
                sums[(entry.player_id, entry.currency, name)] += change
    assert not any(per_currency.values())
    for player_id, player in ledger.players.items():
        for (currency, pool), account in player.accounts.items():
            assert account.balance_minor == sums.pop((player_id, currency, pool), 0)
            assert account.balance_minor <= 0 if pool == "debt" else account.balance_minor >= 0
        told = [said.sequence for said in ledger.said if isinstance(said, Answer) and of(said) == player_id]
        assert told == list(range(1, player.sequence + 1))
    assert not any(sums.values())


def of(answer: Answer) -> str:
    return answer.command.player_id
