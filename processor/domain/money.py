"""Money: exact integers of minor units, and the decimal text they travel as. No float, no rounding, anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Final

#: An amount on the wire: no leading zeros, no exponent, no sign but a leading minus (only `adjust` may send one).
_AMOUNT: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,19})(?:\.[0-9]+)?")


class AmountError(ValueError):
    """The text is no amount of that currency; the message says why, without rounding it into one."""


def parse_minor(text: str, exponent: int) -> int:
    """Minor units of a decimal text: ``("12.34", 2)`` is 1234.

    Raises `AmountError` where the text has another form, or more decimals than the currency has.
    """
    if _AMOUNT.fullmatch(text) is None:
        raise AmountError(f"{text[:40]!r} is not a decimal amount such as 12.34")
    whole, _, decimals = text.partition(".")
    if len(decimals) > exponent:
        raise AmountError(f"{text[:40]!r} has {len(decimals)} decimals, the currency has {exponent}")
    return int(whole + decimals.ljust(exponent, "0"))


@lru_cache(maxsize=64)
def formatter_for(exponent: int) -> Callable[[int], str]:
    """The function that writes minor units of a currency with that many decimals as decimal text."""
    if exponent == 0:
        return str
    shortest = exponent + 1  # one digit stands before the point, also below one unit

    def write(amount_minor: int) -> str:
        if amount_minor < 0:
            return "-" + write(-amount_minor)
        digits = str(amount_minor)
        if len(digits) < shortest:
            digits = digits.zfill(shortest)
        return f"{digits[:-exponent]}.{digits[-exponent:]}"

    return write


def exact_text(value: Fraction) -> str:
    """A fraction as decimal text, whole: ``Fraction(-1, 8)`` is ``"-0.125"``. Its denominator has factors 2 and 5."""
    decimals = 0
    while (value * 10**decimals).denominator != 1:
        decimals += 1
    return format_minor(int(value * 10**decimals), decimals)


def format_minor(amount_minor: int, exponent: int) -> str:
    """Minor units as decimal text: ``(-250, 2)`` is ``"-2.50"``."""
    return formatter_for(exponent)(amount_minor)


def same_amount(text: str | None, other: str | None) -> bool:
    """Whether two amounts are the same by value (``1.0`` and ``1.00`` are; ``all`` is only itself)."""
    return text == other or (text is not None and other is not None and _plain(text) == _plain(other))


def _plain(text: str) -> str:
    """The amount without what does not change its value: zeros at the end, the sign of zero."""
    plain = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if plain == "-0" else plain
