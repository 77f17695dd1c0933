"""Amounts on the wire: decimal text to whole minor units and back, exactly, with no float and no rounding."""

from __future__ import annotations

import re
from typing import Final

_UNSIGNED: Final = r"(0|[1-9][0-9]{0,19})(\.[0-9]+)?"

AMOUNT_PATTERN: Final = rf"^{_UNSIGNED}$"
SIGNED_AMOUNT_PATTERN: Final = rf"^-?{_UNSIGNED}$"
AMOUNT_OR_ALL_PATTERN: Final = rf"^(all|{_UNSIGNED})$"

#: The whole of a player's game wallet, where a transfer may say so instead of a number.
ALL: Final = "all"

_SIGNED: Final = re.compile(rf"-?{_UNSIGNED}", re.ASCII)


class TooManyDecimals(ValueError):  # says what is wrong with the amount
    """The amount has more decimals than its currency; it is refused, never rounded."""


def minor_units(text: str, exponent: int) -> int:
    """Whole minor units of an amount that has the contract's form: ``"12.34"`` with exponent 2 is 1234.

    Raises ``TooManyDecimals`` if the text has more decimals than ``exponent``, also when they are zeros.
    """
    whole, _, decimals = text.partition(".")
    missing = exponent - len(decimals)
    if missing < 0:
        raise TooManyDecimals(f"{len(decimals)} decimals where the currency has {exponent}")
    return int(whole + decimals + "0" * missing)


def parse_amount(text: str, exponent: int) -> int:
    """Whole minor units of any text, which may begin with ``-``; ``ValueError`` if it is no amount."""
    if _SIGNED.fullmatch(text) is None:
        raise ValueError("not an amount: write it as decimal digits, such as 12.34")
    return minor_units(text, exponent)


def amount_text(amount_minor: int, exponent: int) -> str:
    """The wire's text of whole minor units: (-250, 2) is ``"-2.50"``, (300, 0) is ``"300"``."""
    if exponent == 0:
        return str(amount_minor)
    digits = str(abs(amount_minor)).rjust(exponent + 1, "0")
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}"
