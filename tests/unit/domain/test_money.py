"""Money is exact: text to minor units and back, in every exponent, and by value where amounts are compared."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.domain.money import AmountError, format_minor, parse_minor, same_amount


@pytest.mark.parametrize(
    ("text", "exponent", "amount_minor"),
    [
        ("0", 2, 0),
        ("0.00", 2, 0),
        ("12.34", 2, 1234),
        ("12.3", 2, 1230),
        ("300", 0, 300),
        ("1.234", 3, 1234),
        ("0.00000001", 8, 1),
        ("63727092.34", 2, 6372709234),
        ("99999999999999999999.999999999999999999", 18, 10**38 - 1),
        ("-2.50", 2, -250),
    ],
)
def test_text_becomes_exact_minor_units(text: str, exponent: int, amount_minor: int) -> None:
    assert parse_minor(text, exponent) == amount_minor


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1.",
        ".5",
        "01",
        "1e3",
        "+1",
        " 1",
        "1 ",
        "1,00",
        "--1",
        "1.001",
        "1.000",
        "١",
        "1_0",
        "NaN",
        "1" * 21,
        "1\n",
    ],
)
def test_what_is_no_amount_of_two_decimals_is_refused(text: str) -> None:
    with pytest.raises(AmountError):
        parse_minor(text, 2)


@pytest.mark.parametrize(
    ("amount_minor", "exponent", "text"),
    [
        (0, 2, "0.00"),
        (5, 2, "0.05"),
        (-5, 2, "-0.05"),
        (-250, 2, "-2.50"),
        (7, 0, "7"),
        (-7, 0, "-7"),
        (1, 18, f"0.{'0' * 17}1"),
    ],
)
def test_minor_units_become_text(amount_minor: int, exponent: int, text: str) -> None:
    assert format_minor(amount_minor, exponent) == text


@given(st.integers(-(10**20) + 1, 10**20 - 1), st.integers(0, 18))
def test_there_and_back_is_the_same(amount_minor: int, exponent: int) -> None:
    text = format_minor(amount_minor, exponent)
    assert Fraction(text) == Fraction(amount_minor, 10**exponent)
    assert parse_minor(text, exponent) == amount_minor


@pytest.mark.parametrize(
    ("text", "other", "same"),
    [
        ("1", "1.00", True),
        ("1.5", "1.50", True),
        ("10", "1", False),
        ("100", "10", False),
        ("0", "0.00", True),
        ("-0", "0", True),
        ("all", "all", True),
        ("all", "1", False),
        (None, None, True),
        (None, "0", False),
    ],
)
def test_amounts_are_compared_by_value(text: str | None, other: str | None, same: bool) -> None:
    assert same_amount(text, other) is same
    assert same_amount(other, text) is same
