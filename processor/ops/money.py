"""Minor units as people read them: ``1250`` in EUR is ``12.50``."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from schemas.money import amount_text, minor_units


class Amounts:
    """Writes amounts with each currency's decimals; an unknown currency's stay minor units, marked so."""

    def __init__(self, exponents: Mapping[str, int]) -> None:
        self._exponents = exponents

    def text(self, amount_minor: int | Decimal | None, currency: str | None) -> str | None:
        """The amount as a decimal string; None where there is no amount."""
        if amount_minor is None:
            return None
        exponent = None if currency is None else self._exponents.get(currency)
        if exponent is None:
            return f"{int(amount_minor)} minor units"
        return amount_text(int(amount_minor), exponent)

    def minor(self, text: str, currency: str) -> int:
        """The minor units of an amount that the door has let in."""
        return minor_units(text, self._exponents[currency])
