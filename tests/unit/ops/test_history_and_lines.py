"""How histories are exported and how results and dead letters are put on one line."""

from __future__ import annotations

import csv
import io
from typing import NamedTuple

import pytest

from processor.ops.history import as_csv
from processor.ops.lines import dead_letter_line, record_document, result_line
from processor.ops.money import Amounts
from processor.ops.sending import source_place

RESULT = {
    "type": "bet",
    "provider": "acme",
    "transaction_id": "b-1\x1b[31m",
    "player_id": "p-7",
    "status": "accepted",
    "code": "OK",
    "replayed": True,
    "amount": "-2.50",
    "currency": "EUR",
    "balance": {"total": "97.50"},
    "source": {"partition": 3, "offset": 18},
    "applied_at": "2026-11-22T10:00:00.012345Z",
}


class Record(NamedTuple):
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


LETTER = Record(
    "wallet.dead-letters",
    3,
    5,
    1_795_341_600_012,
    b"p-7",
    b"\xffjunk",
    [
        ("wallet-dlq-reason", b"UNDECODABLE"),
        ("wallet-dlq-detail", b"It is not JSON.\x07"),
        ("wallet-dlq-partition", b"3"),
        ("wallet-dlq-offset", b"18"),
        ("wallet-dlq-id", b"1-3-18"),
    ],
)


def test_a_result_is_one_line_that_no_input_can_colour() -> None:
    assert result_line(RESULT).plain == (
        "10:00:00.012 p-7 bet acme/b-1\\x1b[31m OK repeat -2.50 EUR, total 97.50 (3@18)"
    )


def test_a_dead_letter_is_one_line() -> None:
    line = dead_letter_line(LETTER).plain
    assert line.endswith("dead letter UNDECODABLE key p-7: It is not JSON.\\x07 (3@18) 1-3-18")


def test_a_record_for_programs_has_its_bytes_as_text() -> None:
    assert record_document(LETTER)["value"] == "\\xffjunk"


@pytest.mark.parametrize(
    ("headers", "place"),
    [
        ([("ce_id", b"1-3-18")], (3, 18)),
        ([("wallet-dlq-partition", b"2"), ("wallet-dlq-offset", b"7"), ("ce_id", b"1-3-18")], (2, 7)),
        ([("ce_id", b"somebody's")], None),
        ([], None),
    ],
)
def test_an_answer_names_the_place_of_its_event(
    headers: list[tuple[str, bytes | None]], place: tuple[int, int] | None
) -> None:
    assert source_place(LETTER._replace(headers=headers)) == place


def test_a_csv_has_a_line_for_each_leg_and_one_without() -> None:
    legs = [
        {"leg": 0, "debit": "cash", "credit": "house:gaming", "amount": "2.00", "currency": "EUR"},
        {"leg": 1, "debit": "bonus", "credit": "house:gaming", "amount": "0.50", "currency": "EUR"},
    ]
    rows = [
        {"sequence": 2, "transaction_id": "=cmd()", "amount": "-2.50", "legs": legs},
        {"sequence": 1, "transaction_id": "open", "amount": None, "legs": []},
    ]
    read = list(csv.DictReader(io.StringIO(as_csv(rows))))
    assert [(row["sequence"], row["leg"], row["leg_amount"]) for row in read] == [
        ("2", "0", "2.00"),
        ("2", "1", "0.50"),
        ("1", "", ""),
    ]
    assert read[0]["transaction_id"] == "'=cmd()"
    assert read[0]["amount"] == "-2.50"


def test_amounts_have_their_currencys_decimals() -> None:
    amounts = Amounts({"EUR": 2, "JPY": 0, "ETH": 18})
    assert amounts.text(-250, "EUR") == "-2.50"
    assert amounts.text(250, "JPY") == "250"
    assert amounts.text(1, "ETH") == "0.000000000000000001"
    assert amounts.text(7, "OLD") == "7 minor units"
    assert amounts.text(None, "EUR") is None
