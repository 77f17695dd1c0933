"""The closed lists of the contract: codes, reasons, currencies, amounts, topics, headers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.codes import CODES, Code
from schemas.currencies import BUILT_IN_CURRENCIES, LARGEST_EXPONENT, with_configured
from schemas.dead_letters import DEAD_LETTER_HEADERS, MAX_DETAIL_BYTES, cut_detail, read_headers
from schemas.events import ALL_TYPES
from schemas.money import TooManyDecimals, amount_text, minor_units, parse_amount
from schemas.reasons import Reason
from schemas.topics import TOPICS, replication_for

# Numbers are stored in databases: a change here is a change of what is stored.
_CODES = {
    "OK": (1, 200),
    "ALREADY_ROLLED_BACK": (2, 200),
    "INSUFFICIENT_FUNDS": (3, 402),
    "SESSION_EXPIRED": (4, 401),
    "GAME_BLOCKED": (5, 403),
    "PLAYER_BLOCKED": (6, 403),
    "LIMIT_EXCEEDED": (7, 403),
    "PLAYER_NOT_FOUND": (8, 404),
    "BET_NOT_FOUND": (9, 404),
    "CONFLICT": (10, 409),
    "ALREADY_SETTLED": (11, 409),
    "ROLLED_BACK": (12, 409),
    "ROUND_CLOSED": (13, 409),
    "EXPIRED": (14, 422),
    "WRONG_CURRENCY": (15, 422),
    "NOT_ROLLBACKABLE": (16, 422),
    "REFUND_EXCEEDS_BET": (17, 422),
    "DISCREPANCY": (18, 422),
}
_REASONS = {
    "TOO_LARGE": 1,
    "UNKNOWN_KEY": 2,
    "BAD_SIGNATURE": 3,
    "STALE_TIMESTAMP": 4,
    "UNDECODABLE": 5,
    "UNKNOWN_VERSION": 6,
    "UNKNOWN_TYPE": 7,
    "KEY_MISMATCH": 8,
    "NOT_PERMITTED": 9,
    "UNKNOWN_CURRENCY": 10,
    "INVALID_AMOUNT": 11,
    "POISON": 12,
}


def test_the_codes_keep_their_numbers_and_their_http_statuses() -> None:
    assert {name: (code.number, code.http_status) for name, code in CODES.items()} == _CODES


def test_the_reasons_keep_their_numbers() -> None:
    assert {reason.value: reason.number for reason in Reason} == _REASONS


def test_every_code_and_reason_has_a_sentence_of_its_own() -> None:
    sentences = [code.sentence for code in Code] + [reason.sentence for reason in Reason]
    assert len(set(sentences)) == len(sentences)
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in sentences)


def test_only_a_missing_bet_can_be_retried_and_only_by_what_pays() -> None:
    retryable = {(code, name) for code in Code for name in ALL_TYPES if code.may_be_retryable(name)}
    assert retryable == {(Code.BET_NOT_FOUND, "win"), (Code.BET_NOT_FOUND, "batch")}
    assert {code for code in Code if not code.final} == {Code.BET_NOT_FOUND}


@pytest.mark.parametrize(
    ("code", "exponent"),
    [("JPY", 0), ("ISK", 0), ("EUR", 2), ("USD", 2), ("HUF", 2), ("KWD", 3), ("BHD", 3), ("TND", 3), ("IQD", 3),
     ("JOD", 3), ("LYD", 3), ("OMR", 3), ("CLF", 4), ("UYW", 4), ("BTC", 8), ("ETH", 18)],
)  # fmt: skip
def test_a_currency_has_its_exponent(code: str, exponent: int) -> None:
    assert BUILT_IN_CURRENCIES[code] == exponent


def test_currencies_can_be_added() -> None:
    assert with_configured({"USDT": 6, "EUR": 2})["USDT"] == 6
    assert "USDT" not in BUILT_IN_CURRENCIES


@pytest.mark.parametrize(
    "wrong", [{"EUR": 3}, {"USDT": 19}, {"USDT": -1}, {"usdt": 6}, {"U": 2}, {"US DT": 2}]
)
def test_a_configured_currency_cannot_contradict_or_overflow(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="currency"):
        with_configured(wrong)


@given(minor=st.integers(-(10**38) + 1, 10**38 - 1), exponent=st.integers(0, LARGEST_EXPONENT))
def test_an_amount_survives_being_written_and_read(minor: int, exponent: int) -> None:
    text = amount_text(minor, exponent)
    whole = text.lstrip("-").partition(".")[0]
    if len(whole) <= 20:
        assert parse_amount(text, exponent) == minor


def test_more_decimals_than_the_currency_has_are_never_rounded() -> None:
    with pytest.raises(TooManyDecimals):
        minor_units("1.001", 2)
    with pytest.raises(TooManyDecimals):
        minor_units("1.000", 2)
    assert minor_units("-1.5", 2) == -150


@pytest.mark.parametrize("text", ["", "1.", ".1", "+1", "01", "1e3", "٣", "1\n", "--1", "all"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        parse_amount(text, 2)


def test_the_topics_are_set_as_the_contract_says() -> None:
    events, results, letters = TOPICS
    names = [topic.default_name for topic in TOPICS]
    assert names == ["wallet.events", "wallet.results", "wallet.dead-letters"]
    assert events.required["message.timestamp.type"] == "LogAppendTime"
    assert events.required["compression.type"] == "uncompressed"
    room = int(letters.required["max.message.bytes"]) - int(events.required["max.message.bytes"])
    assert room == 64 * 1024
    thirty_days = str(30 * 24 * 3600 * 1000)
    assert (results.defaults["retention.ms"], letters.defaults["retention.ms"]) == (thirty_days, thirty_days)


@pytest.mark.parametrize(("brokers", "expected"), [(1, (1, 1)), (2, (2, 2)), (3, (3, 2)), (9, (3, 2))])
def test_replication_is_three_where_there_are_three_brokers(brokers: int, expected: tuple[int, int]) -> None:
    assert replication_for(brokers) == expected


_HEADERS: dict[str, bytes] = {
    "wallet-batch": b"1/0/7",
    "wallet-dlq-reason": b"INVALID_AMOUNT",
    "wallet-dlq-detail": b'Field "amount" is not an amount.',
    "wallet-dlq-id": b"1-3-18",
    "wallet-dlq-attempts": b"1",
    "wallet-dlq-at": b"2026-11-22T10:00:00.012345Z",
    "wallet-dlq-topic": b"wallet.events",
    "wallet-dlq-partition": b"3",
    "wallet-dlq-offset": b"18",
    "wallet-dlq-group": b"croupier",
    "__connect.errors.topic": b"wallet.events",
    "__connect.errors.partition": b"3",
    "__connect.errors.offset": b"18",
    "__connect.errors.exception.class.name": b"croupier.INVALID_AMOUNT",
    "__connect.errors.exception.message": b'Field "amount" is not an amount.',
}


def test_the_headers_of_a_dead_letter_are_read() -> None:
    original: list[tuple[str, bytes | None]] = [("x-key-id", b"\xff"), ("empty", None)]
    headers = read_headers([*original, *_HEADERS.items()])
    assert (headers.reason, headers.offset, headers.original_headers) == (Reason.INVALID_AMOUNT, "18", None)
    assert set(_HEADERS) | {"wallet-dlq-original-headers"} == set(DEAD_LETTER_HEADERS)


@pytest.mark.parametrize("missing", sorted(_HEADERS))
def test_a_dead_letter_without_one_of_its_headers_is_none(missing: str) -> None:
    with pytest.raises(ValidationError):
        read_headers([(name, value) for name, value in _HEADERS.items() if name != missing])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("wallet-dlq-reason", b"BAD_LUCK"),
        ("wallet-dlq-offset", b"-1"),
        ("wallet-dlq-at", b"yesterday"),
        ("wallet-dlq-detail", b"x" * 513),
    ],
)
def test_a_dead_letter_with_a_wrong_header_is_none(name: str, value: bytes) -> None:
    with pytest.raises(ValidationError):
        read_headers([*(_HEADERS | {name: value}).items()])


@given(text=st.text(max_size=600))
def test_a_detail_is_cut_between_characters(text: str) -> None:
    text = text.encode(errors="replace").decode()
    cut = cut_detail(text)
    assert len(cut) <= MAX_DETAIL_BYTES
    assert text.startswith(cut.decode())
    assert len(cut) > MAX_DETAIL_BYTES - 4 or cut.decode() == text
