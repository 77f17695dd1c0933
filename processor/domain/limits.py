"""Limits (11): what a player may still stake or pay in, by the limits he has set himself; the lowest left wins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from processor.domain.case import Case
from processor.domain.decision import Code, Decision
from processor.domain.money import AmountError, format_minor, parse_minor
from processor.domain.periods import PERIODS, day_number, ends_at
from processor.domain.postings import stake_pools
from processor.domain.state import BONUS, CASH, Limit
from processor.domain.usage import DEPOSITED, STAKED, WAGERED, WON

SINGLE_BET: Final = "single_bet"
LOSS: Final = "loss"
WAGER: Final = "wager"
DEPOSIT: Final = "deposit"
SESSION_TIME: Final = "session_time"

#: Which of two limits with equally little left is named: the one that stands first, then the shorter period.
_RANK: Final = (SINGLE_BET, LOSS, WAGER, DEPOSIT, SESSION_TIME)


@dataclass(slots=True)
class Standing:
    """A limit that refuses: what is left of it (minor units; 0 of a session's time), and when it begins anew."""

    limit: Limit
    left_minor: int
    resets_at: datetime | None = None

    def rank(self) -> tuple[int, int, int]:
        """The lowest one is told: least left, then by name, then by period."""
        limit = self.limit
        return self.left_minor, _RANK.index(limit.name), PERIODS.index(limit.period) if limit.period else 0


def limits(case: Case) -> Decision | None:
    """11. A limit that the player has set leaves too little for what this event would stake or pay in."""
    if not case.player.limits:
        return None
    lowest = min(_refusing(case), key=Standing.rank, default=None)
    if lowest is None:
        return None
    return Decision(Code.LIMIT_EXCEEDED, details={"limit": _told(lowest, case)})


def _refusing(case: Case) -> Iterator[Standing]:
    """The limits that the event would break: those on deposits by a deposit, all others by its stakes together."""
    currency, stakes = case.currency, _stakes(case)
    is_deposit = case.command.type == "deposit"
    for limit in case.player.limits:
        if limit.name == SESSION_TIME:
            if not is_deposit and _session_is_over(limit, case):
                yield Standing(limit, 0)
        elif limit.currency != currency or is_deposit != (limit.name == DEPOSIT):
            continue
        elif limit.name == SINGLE_BET:
            if max(stakes, default=0) > limit.value:
                yield Standing(limit, limit.value)
        else:
            standing = _standing(limit, case)
            if _asked(limit, case, stakes) > standing.left_minor:
                yield standing


def _stakes(case: Case) -> Sequence[int]:
    """Each stake (or the deposit) of the event; of a batch those of its new bets."""
    if case.command.type == "batch":
        return case.stakes
    return (case.amount_minor,)


def _asked(limit: Limit, case: Case, stakes: Sequence[int]) -> int:
    """How much of a limit the event would use; what bonus money pays of a stake cannot be lost."""
    total_minor = sum(stakes)
    if limit.name != LOSS:
        return total_minor
    left, bonus_minor = total_minor, 0
    for pool in stake_pools(case.rules, case.reference):
        part = min(left, case.player.balance_minor(limit.currency, pool))
        left -= part
        bonus_minor += part if pool == BONUS else 0
    return total_minor - bonus_minor


def _standing(limit: Limit, case: Case) -> Standing:
    """What is left of a limit in the period that the event falls in."""
    player = case.player
    day = day_number(player.time_zone, case.moment.broker_time)
    cash = player.accounts.get((limit.currency, CASH))
    used_minor = 0
    if cash is not None and cash.usage is not None:
        day = max(day, cash.usage.day)
        used_minor = _used(limit, cash.usage.of_period(limit.period, day))
    left_minor = max(0, limit.value - used_minor)
    return Standing(limit, left_minor, ends_at(player.time_zone, limit.period, day))


def _used(limit: Limit, counts: Sequence[int]) -> int:
    if limit.name == WAGER:
        return counts[WAGERED]
    if limit.name == LOSS:
        return max(0, counts[STAKED] - counts[WON])
    return counts[DEPOSITED]


def _session_is_over(limit: Limit, case: Case) -> bool:
    """Whether the event's session, if it has one, has been open for as long as it may."""
    session = case.player.sessions.get(case.command.session_id or "")
    return session is not None and case.moment.broker_time >= session.opened_at + timedelta(
        minutes=limit.value
    )


def _told(standing: Standing, case: Case) -> dict[str, str | None]:
    """The refusing limit as the result tells it; session time has no amounts."""
    limit, resets_at = standing.limit, standing.resets_at
    amount = left = None
    if limit.name != SESSION_TIME:
        exponent = case.reference.currencies[limit.currency]
        amount, left = format_minor(limit.value, exponent), format_minor(standing.left_minor, exponent)
    return {
        "limit": limit.name,
        "period": limit.period or None,
        "amount": amount,
        "left": left,
        "resets_at": None if resets_at is None else time_text(resets_at),
    }


def time_text(at: datetime) -> str:
    """RFC 3339, in UTC."""
    return at.isoformat().replace("+00:00", "Z")


def limit_currency(case: Case) -> Decision | None:
    """6. A limit is for a wallet that the player has, and its amount one that this wallet's currency can hold."""
    command = case.command
    if command.own_field("limit") == SESSION_TIME:
        return None
    if command.currency is not None and command.currency not in case.player.currencies:
        return Decision(Code.WRONG_CURRENCY)
    try:
        limit_value(case)
    except AmountError:
        return Decision(Code.WRONG_CURRENCY)
    return None


def limit_key(case: Case) -> tuple[str, str, str]:
    """Which limit a command is about: its name, its period and its currency ("" where it has none)."""
    command = case.command
    name = command.own_field("limit") or ""
    currency = "" if name == SESSION_TIME else command.currency or case.player.currencies[0]
    return name, command.own_field("period") or "", currency


def limit_value(case: Case) -> int | None:
    """What a limit is set to, in minor units or minutes; None where it is removed. Raises `AmountError`."""
    command = case.command
    name, _, currency = limit_key(case)
    if name == SESSION_TIME:
        minutes = command.own_field("minutes")
        return None if minutes is None else int(minutes)
    if command.amount_minor is not None or command.amount_text is None:
        return command.amount_minor
    return parse_minor(command.amount_text, case.reference.currencies[currency])
