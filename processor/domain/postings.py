"""Postings: which pools of the player a stake draws on and a win is paid to, and which house account is across."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from processor.domain.decision import Posting
from processor.domain.money import parse_minor
from processor.domain.profiles import Profile, Reference
from processor.domain.state import CASH, DEBT, Player, game_pool

GAMING: Final = "house:gaming"
TIPS: Final = "house:tips"
FEES: Final = "house:fees"
TOURNAMENT: Final = "house:tournament"
JACKPOT: Final = "house:jackpot"
PROMOTION: Final = "house:promotion"
DEPOSITS: Final = "house:deposits"
WITHDRAWALS: Final = "house:withdrawals"
#: Carries both currencies of each conversion.
CLEARING: Final = "house:fx_clearing"

#: What every house account's name begins with.
HOUSE: Final = "house:"

#: All accounts of the house; whatever else a posting names is a pool of the player's.
HOUSE_ACCOUNTS: Final = frozenset(
    {GAMING, TIPS, FEES, TOURNAMENT, JACKPOT, PROMOTION, DEPOSITS, WITHDRAWALS, CLEARING}
)

#: House account by kind of stake.
STAKE_ACCOUNT: Final[Mapping[str, str]] = {
    "stake": GAMING,
    "free_round": GAMING,
    "tip": TIPS,
    "fee": FEES,
    "buy_in": TOURNAMENT,
    "rebuy": TOURNAMENT,
    "add_on": TOURNAMENT,
}

#: House account by kind of win.
WIN_ACCOUNT: Final[Mapping[str, str]] = {
    "game": GAMING,
    "free_round": GAMING,
    "jackpot": JACKPOT,
    "tournament": TOURNAMENT,
    "promo": PROMOTION,
    "bonus": PROMOTION,
}

#: What no pool is called.
_CONVERTED: Final = ">converted"

#: (pool, minor units) for each pool that takes part.
Parts = Sequence[tuple[str, int]]


def stake_pools(rules: Profile, reference: Reference) -> tuple[str, ...]:
    """The pools a stake draws on, in order: the wallet's policy, or the game wallet of a transfer provider."""
    return reference.pool_order if rules.wallet == "seamless" else (game_pool(rules.provider),)


def draw(player: Player, currency: str, pools: Iterable[str], amount_minor: int) -> Parts | None:
    """Which pools an amount is taken from; None where all of them together do not hold it."""
    parts: list[tuple[str, int]] = []
    left = amount_minor
    for pool in pools:
        balance = player.balance_minor(currency, pool)
        if left <= balance:
            if left:
                parts.append((pool, left))
            return parts
        if balance > 0:
            parts.append((pool, balance))
            left -= balance
    return parts if left == 0 else None


def jackpot_minor(text: str | None, currency: str, amount_minor: int, reference: Reference) -> int:
    """The part of a stake that feeds the jackpot; never more than the stake."""
    if text is None:
        return 0
    return min(parse_minor(text, reference.currencies[currency]), amount_minor)


def stake_postings(parts: Parts, account: str, jackpot: int, currency: str) -> tuple[Posting, ...]:
    """Player to house. The jackpot's contribution is the last of the stake, whichever pool pays it."""
    if not jackpot:
        if len(parts) == 1:
            pool, part = parts[0]
            return (Posting(pool, account, currency, part),)
        return tuple([Posting(pool, account, currency, part) for pool, part in parts])
    return tuple(_split_in_two(parts, account, jackpot, currency))


def _split_in_two(parts: Parts, account: str, jackpot: int, currency: str) -> Iterable[Posting]:
    first_minor = sum(part for _, part in parts) - jackpot
    for pool, part in parts:
        to_account = min(part, first_minor)
        first_minor -= to_account
        if to_account:
            yield Posting(pool, account, currency, to_account)
        if part > to_account:
            yield Posting(pool, JACKPOT, currency, part - to_account)


def reversed_postings(postings: Iterable[Posting]) -> tuple[Posting, ...]:
    """The same amounts back, each to where it came from."""
    return tuple([Posting(p.credit, p.debit, p.currency, p.amount_minor) for p in postings])


def pay(player: Player, currency: str, account: str, pool: str, amount_minor: int) -> tuple[Posting, ...]:
    """House to player: a debt is repaid first, the rest goes to the pool."""
    if amount_minor == 0:
        return ()
    debt = player.accounts.get((currency, DEBT))
    if debt is None or debt.balance_minor == 0:
        return (Posting(account, pool, currency, amount_minor),)
    owed_minor = -debt.balance_minor
    repaid_minor = min(owed_minor, amount_minor)
    repayment = Posting(account, DEBT, currency, repaid_minor)
    if repaid_minor == amount_minor:
        return (repayment,)
    return repayment, Posting(account, pool, currency, amount_minor - repaid_minor)


def converted_name(account: str) -> str:
    """Under which name a bet's mark keeps what an account gave of the event's own currency for converted wins."""
    return f"{account}{_CONVERTED}"


def converted_amounts(otherwise: Mapping[str, int]) -> dict[str, int]:
    """By account, what it gave of the event's own currency."""
    return {
        name.removesuffix(_CONVERTED): minor for name, minor in otherwise.items() if name.endswith(_CONVERTED)
    }


def not_gaming_to_cash(postings: Iterable[Posting]) -> tuple[tuple[str, int], ...]:
    """Those parts of a win that did not go from the gaming account to cash, as a bet's mark keeps them."""
    return tuple(
        [
            (f"{paid.debit}>{paid.credit}", paid.amount_minor)
            for paid in postings
            if paid.debit != GAMING or paid.credit != CASH
        ]
    )


def paying_pool(bet_split: Mapping[str, int] | None, rules: Profile) -> str:
    """Where a win goes: the pool that paid most of the bet (a tie: cash), or a transfer provider's game wallet."""
    if rules.wallet == "transfer":
        return game_pool(rules.provider)
    if not bet_split:
        return CASH
    if len(bet_split) == 1:
        return next(iter(bet_split))
    return min(bet_split, key=lambda pool: (bet_split[pool], pool != CASH))
