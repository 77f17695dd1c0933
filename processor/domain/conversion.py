"""Conversion: an event in a currency that the player has no wallet in goes into the first one that he opened.

Exact: rates are decimal text, amounts integers of minor units, what is between them is a fraction that is rounded once,
in the player's favour unless his jurisdiction says otherwise. What the rounding lost is kept with the decision. The
house's clearing account carries both currencies, so that the books sum to zero in each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from processor.domain.decision import Code, Decision, Posting
from processor.domain.money import exact_text, format_minor
from processor.domain.postings import CLEARING
from processor.domain.profiles import Rate, Reference

if TYPE_CHECKING:
    from processor.domain.case import Case
    from processor.domain.state import Outcome

#: Types whose amounts may be converted; the cashier's money and transfers never are.
CONVERTED: Final = frozenset({"bet", "win", "bet_win", "batch", "adjust"})

#: Roundings by name: what is taken from the player, and what he is given.
_DOWN: Final = "down"
_UP: Final = "up"
_EVEN: Final = "even"
_ROUNDINGS: Final[Mapping[str, tuple[str, str]]] = {
    "player": (_DOWN, _UP),
    "house": (_UP, _DOWN),
    "half_even": (_EVEN, _EVEN),
}


@dataclass(frozen=True, slots=True)
class Conversion:
    """One rate, as it is applied: ``minor_rate`` is wallet minor units for one minor unit of the event's currency."""

    event_currency: str
    wallet_currency: str
    rate: Rate
    minor_rate: Fraction
    rounding: str = "player"

    def taken(self, amount_minor: int) -> int:
        """Wallet minor units that are taken for an amount of the event's; of a stake that is not zero never zero."""
        converted = _rounded(amount_minor * self.minor_rate, _ROUNDINGS[self.rounding][0])
        return max(1, converted) if amount_minor else 0

    def given(self, amount_minor: int) -> int:
        """Wallet minor units that the player gets for an amount of the event's."""
        return _rounded(amount_minor * self.minor_rate, _ROUNDINGS[self.rounding][1])

    def details(self, event_minor: int, wallet_minor: int, reference: Reference) -> dict[str, object]:
        """What is stored and told of a conversion; both amounts are signed from the player's side.

        ``lost`` is what the exact amount was more than the rounded one, in the wallet's currency (it is not told).
        """
        exponent = reference.currencies[self.wallet_currency]
        lost = (event_minor * self.minor_rate - wallet_minor) / 10**exponent
        return {
            "fx": {
                "from": self.event_currency,
                "to": self.wallet_currency,
                "rate": self.rate.text,
                "rate_at": self.rate.at.isoformat().replace("+00:00", "Z"),
                "source": self.rate.source,
                "converted_amount": format_minor(wallet_minor, exponent),
                "lost": exact_text(lost),
                "rounding": self.rounding,
            }
        }


def convert_or_refuse(case: Case) -> Decision | None:
    """6. The player has no wallet in the event's currency: its amounts are converted, or it is refused.

    What refers to a bet that was converted goes by the bet's own rate, whatever the profile and the rates say now.
    """
    command, rules = case.command, case.rules
    wallet = case.player.currencies[0] if case.player.currencies else None
    if wallet is None or command.currency is None or command.type not in CONVERTED:
        return Decision(Code.WRONG_CURRENCY)
    if command.reference is not None:
        case.find_bet()
        if case.bet is not None and case.bet.currency == command.currency and convert_as(case, case.bet):
            return None
    if not rules.fx:
        return Decision(Code.WRONG_CURRENCY)
    rate = _rate_at(case.reference, command.currency, wallet, case.moment.broker_time)
    if rate is None:
        return _refused(f"There is no rate from {command.currency} to {wallet}.")
    oldest = case.moment.broker_time - timedelta(hours=case.reference.rate_max_age_hours)
    if rate.at < oldest:
        return _refused(
            f"The newest rate from {command.currency} to {wallet} is of {rate.at:%Y-%m-%d %H:%M} UTC: too old."
        )
    rounding = case.reference.jurisdiction_of(case.player).fx_rounding
    convert(case, _conversion(command.currency, wallet, rate, case.reference, rounding))
    return None


def convert_as(case: Case, outcome: Outcome) -> bool:
    """Let a case go by the rate of a stored outcome, if that was converted."""
    conversion = conversion_of(outcome, case.reference)
    if conversion is None:
        return False
    convert(case, conversion)
    return True


def convert(case: Case, conversion: Conversion) -> None:
    """Count a case in the wallet's currency from here on: what a stake takes, or what is given."""
    command = case.command
    amount_minor = command.amount_minor or 0
    case.conversion, case.currency = conversion, conversion.wallet_currency
    if command.type == "win" or (command.type == "adjust" and amount_minor >= 0):
        case.amount_minor = conversion.given(amount_minor)
    elif command.type == "adjust":
        case.amount_minor = -conversion.taken(-amount_minor)
    else:
        case.amount_minor = conversion.taken(amount_minor)


def conversion_of(outcome: Outcome, reference: Reference) -> Conversion | None:
    """The conversion that a stored outcome was decided with; None where there was none."""
    told = None if outcome.details is None else outcome.details.get("fx")
    if not isinstance(told, Mapping):
        return None
    rate = Rate(str(told["rate"]), datetime.fromisoformat(str(told["rate_at"])), str(told["source"]))
    rounding = str(told["rounding"])
    return _conversion(str(told["from"]), str(told["to"]), rate, reference, rounding)


def wallet_currency(details: Mapping[str, Any] | None, moved_currency: str | None) -> str | None:
    """The currency of the pools that a decision moved: what it converted to, else what it tells."""
    if details is None or "fx" not in details:
        return moved_currency
    return str(details["fx"]["to"])


def booked(
    conversion: Conversion | None, postings: tuple[Posting, ...], amounts: Iterable[tuple[str, int]]
) -> tuple[Posting, ...]:
    """What is booked of a decision. Converted: its ``postings`` (wallet's currency) against the clearing account, and
    ``amounts`` of the event's currency by the house's account: above zero the house gets them, below it gives them."""
    if conversion is None:
        return postings
    currency = conversion.event_currency
    house = [
        Posting(CLEARING, account, currency, minor)
        if minor > 0
        else Posting(account, CLEARING, currency, -minor)
        for account, minor in amounts
        if minor
    ]
    return (*(replace(posting, cleared=True) for posting in postings), *house)


def _rate_at(reference: Reference, source: str, target: str, at: datetime) -> Rate | None:
    """The newest rate that is not in the future."""
    return next((rate for rate in reference.rates.get((source, target), ()) if rate.at <= at), None)


def _conversion(source: str, target: str, rate: Rate, reference: Reference, rounding: str) -> Conversion:
    exponents = reference.currencies[target] - reference.currencies[source]
    return Conversion(source, target, rate, Fraction(rate.text) * Fraction(10) ** exponents, rounding)


def _refused(why: str) -> Decision:
    return Decision(Code.WRONG_CURRENCY, details={"message": why})


def _rounded(exact: Fraction, how: str) -> int:
    whole = exact.numerator // exact.denominator
    if how == _UP:
        return -(-exact.numerator // exact.denominator)
    return round(exact) if how == _EVEN else whole
