"""Expectations against answers: what is named is compared, and every difference is told."""

from __future__ import annotations

from typing import Any

import pytest

from processor.devstack.certify.matching import differences, together_differences
from processor.devstack.replies import Place, Reply

PLACE = Place(0, 0)


def result(**changes: Any) -> dict[str, Any]:
    return {
        "code": "OK", "replayed": False, "sequence": 1, "message": "Bet accepted.",
        "balance": {"cash": "9.00", "bonus": "0.00", "game_wallet": "0.00"}, **changes,
    }  # fmt: skip


def of(**changes: Any) -> list[Reply]:
    return [Reply(PLACE, 0.0, body=result(**changes))]


LETTER = [Reply(PLACE, 0.0, reason="INVALID_AMOUNT", detail="too many decimals")]


@pytest.mark.parametrize(
    ("expect", "replies"),
    [
        ({}, of()),
        ({"code": "OK", "cash": "9.00", "replayed": False}, of()),
        ({"bonus": "0.00", "game_wallet": "0.00"}, of()),
        ({"code": "CONFLICT", "conflict": "amount"}, of(code="CONFLICT", conflict="amount")),
        ({"limit_left": "0.00"}, of(limit={"left": "0.00"})),
        ({"dead_letter": "INVALID_AMOUNT"}, LETTER),
        ({"no_result": True}, []),
        ({"code": "OK", "within_seconds": 90}, of()),
        ({"shortfall": "1.00"}, of(shortfall="1.00")),
    ],
)
def test_what_is_as_expected_has_no_differences(expect: dict[str, Any], replies: list[Reply]) -> None:
    assert differences(expect, replies) == []


@pytest.mark.parametrize(
    ("expect", "replies", "told"),
    [
        ({"code": "OK"}, of(code="CONFLICT"), "expected code 'OK', got 'CONFLICT'"),
        ({"cash": "9"}, of(), "expected cash '9', got '9.00'"),
        ({"cash": "9.00"}, of(balance=None), "got None"),
        ({"replayed": True}, of(), "expected replayed True, got False"),
        ({"limit_left": "0.00"}, of(), "expected limit_left"),
        ({"conflict": "amount"}, of(), "expected conflict"),
        ({"dead_letter": "UNDECODABLE"}, LETTER, "got a dead letter INVALID_AMOUNT"),
        ({"dead_letter": "UNDECODABLE"}, of(), "expected a dead letter UNDECODABLE, got OK"),
        ({"code": "OK"}, LETTER, "expected a result, got a dead letter"),
        ({}, LETTER, "expected a result"),
        ({}, [], "no answer came"),
        ({}, of() * 2, "2 answers came"),
        ({"dead_letter": "INVALID_AMOUNT"}, LETTER * 2, "2 answers came"),
        ({"no_result": True}, of(), "expected no answer"),
    ],
)
def test_each_difference_is_told(expect: dict[str, Any], replies: list[Reply], told: str) -> None:
    (sentence,) = differences(expect, replies)
    assert told in sentence


def test_together_counts_repeats_and_takes_the_balance_of_what_was_decided_last() -> None:
    late = result(sequence=3, balance={"cash": "7.00"})
    results = [late, result(sequence=2, replayed=True)]
    assert together_differences({"cash": "7.00", "replayed_count": 1}, results) == []
    assert len(together_differences({"cash": "9.00", "replayed_count": 2}, results)) == 2
