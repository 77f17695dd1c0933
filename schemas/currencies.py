"""How many decimals each currency has: ISO 4217's list one, two crypto currencies, and configured ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

#: What a currency code looks like; configured codes must match it too.
CURRENCY_CODE_PATTERN: Final = r"^[A-Z][A-Z0-9]{2,11}$"

#: numeric(38,0) holds 20 integer digits and 18 decimals, so no currency may have more.
LARGEST_EXPONENT: Final = 18

_NO_DECIMALS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_TWO_DECIMALS: Final = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
    CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD
    HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT
    MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR
    SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU
    UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
"""
_THREE_DECIMALS: Final = "BHD IQD JOD KWD LYD OMR TND"
_FOUR_DECIMALS: Final = "CLF UYW"
_CRYPTO: Final = {"BTC": 8, "ETH": 18}


def _built_in() -> dict[str, int]:
    exponents = dict(_CRYPTO)
    for exponent, codes in ((0, _NO_DECIMALS), (2, _TWO_DECIMALS), (3, _THREE_DECIMALS), (4, _FOUR_DECIMALS)):
        exponents.update(dict.fromkeys(codes.split(), exponent))
    return exponents


#: Currency code to exponent (its number of decimals). Codes without a minor unit (gold, tests) are not in it.
BUILT_IN_CURRENCIES: Final[Mapping[str, int]] = MappingProxyType(_built_in())


def with_configured(configured: Mapping[str, int]) -> dict[str, int]:
    """The built-in currencies and the installation's own, as code to exponent.

    A configured code may be new; it may not give a built-in currency another exponent, because amounts that
    are stored would change their meaning. Raises ``ValueError`` naming the code otherwise.
    """
    for code, exponent in configured.items():
        if re.fullmatch(CURRENCY_CODE_PATTERN, code) is None:
            raise ValueError(f"currency {code!r}: a code is 3 to 12 capital letters and digits")
        if not 0 <= exponent <= LARGEST_EXPONENT:
            raise ValueError(f"currency {code}: the exponent must be 0 to {LARGEST_EXPONENT}, not {exponent}")
        if BUILT_IN_CURRENCIES.get(code, exponent) != exponent:
            raise ValueError(
                f"currency {code}: its exponent is {BUILT_IN_CURRENCIES[code]} and cannot be {exponent}"
            )
    return {**BUILT_IN_CURRENCIES, **configured}
