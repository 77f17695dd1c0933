"""Test money: an honest deposit, and never in production."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from processor.ops.main import build

CREDIT = ["credit", "anna", "12.50", "EUR"]


def test_production_has_no_test_money() -> None:
    told = CliRunner().invoke(build(), CREDIT, env={"CROUPIER_ENVIRONMENT": "production", "COLUMNS": "300"})
    assert told.exit_code == 2
    assert "there are no test credits here" in told.stderr


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["credit", "anna", "12.505", "EUR"], "INVALID_AMOUNT"),
        (["credit", "anna", "much", "EUR"], "INVALID_AMOUNT"),
        (["credit", "", "12.50", "EUR"], "UNDECODABLE"),
    ],
)
def test_what_is_no_deposit_is_refused_before_it_is_sent(words: list[str], complaint: str) -> None:
    told = CliRunner().invoke(
        build(), words, env={"CROUPIER_ENVIRONMENT": "staging", "CROUPIER_KAFKA_BOOTSTRAP": "127.0.0.1:1"}
    )
    assert told.exit_code == 2
    assert complaint in told.stderr
