"""The locked state a batch is decided over: players, accounts, rounds, sessions, bets, known outcomes, queues.

The ledger fills it under row locks (step 5), the law reads it and `books.py` moves it (step 6), and the ledger
writes back what is marked as changed (step 7). Nothing here outlives one database transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from processor.domain.commands import Command
from processor.domain.usage import Usage

CASH = "cash"
BONUS = "bonus"
DEBT = "debt"


def game_pool(provider: str) -> str:
    """The name of the pool that holds a player's money at a transfer-wallet provider."""
    return f"game:{provider}"


@dataclass(slots=True)
class Account:
    """One pool of one player's wallet; ``version`` counts its entries. ``number`` is None until it is stored.

    ``usage`` is on the cash account alone: what his limits of that currency are measured by.
    """

    currency: str
    pool: str
    balance_minor: int = 0
    version: int = 0
    number: int | None = None
    changed: bool = False
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit that a player has set: ``value`` in minor units of ``currency``, or minutes of `session_time`.

    ``period`` and ``currency`` are empty where the limit has none. A raise that waits has its ``effective_at``;
    ``raised_to`` is then the new value, None where the limit is to go.
    """

    name: str
    period: str
    currency: str
    value: int
    raised_to: int | None = None
    effective_at: datetime | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What a player has one limit of."""
        return self.name, self.period, self.currency


@dataclass(frozen=True, slots=True)
class Bonus:
    """A bonus that a player has: what must be staked for it, and what was, in minor units of ``currency``.

    ``granted_at`` is the sequence of the player's answer that granted it. What is left of its money is in the pool.
    """

    bonus_id: str
    currency: str
    granted_at: int
    requirement_minor: int
    wagered_minor: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """What a player has one bonus of: the same id in another currency is another bonus."""
        return self.bonus_id, self.currency


@dataclass(slots=True)
class Round:
    """A round of play: (provider, player, round_id).

    ``staked_minor`` and ``won_minor`` are what was booked to and from the provider's gaming account, less what was
    rolled back, in minor units of ``currency``; ``also`` has both in other currencies, by currency. ``bets`` counts
    accepted bets, also those rolled back later.
    """

    provider: str
    round_id: str
    game_id: str | None
    currency: str | None
    opened_at: datetime
    closed_at: datetime | None = None
    bets: int = 0
    bets_rolled_back: int = 0
    wins: int = 0
    staked_minor: int = 0
    won_minor: int = 0
    also: dict[str, tuple[int, int]] | None = None
    stored: bool = False
    changed: bool = False


@dataclass(slots=True)
class Session:
    """A play session; a newer one on the same channel replaces the older (``replaced_at``).

    Read for a stake alone it is not ``whole``: its provider, channel and game are not there, and it is not changed.
    """

    session_id: str
    provider: str
    channel: str
    currency: str
    game_id: str | None
    opened_at: datetime
    expires_at: datetime
    closed_at: datetime | None = None
    replaced_at: datetime | None = None
    stored: bool = False
    changed: bool = False
    whole: bool = True


@dataclass(slots=True)
class BetMark:
    """What has happened to a bet since it was taken, or, with no bet yet, the tombstone that waits for it.

    It exists only once something has happened: an untouched bet has no mark. ``rolled_back`` without an accepted
    bet of that key is the tombstone of a rollback that overtook its bet. Any win that names the bet settles it
    (``wins``); only those of kind `game` count where a provider pays one win per bet (``game_wins``).
    ``paid_otherwise`` is what of ``won_minor`` did not go from the gaming account to cash: minor units by
    ``account>pool``. A mark under a `keys.reversal_key` is a win's: ``rolled_back`` says that it was taken back.
    """

    provider: str
    key: str
    rolled_back: bool = False
    wins: int = 0
    game_wins: int = 0
    won_minor: int = 0
    refunded_minor: int = 0
    paid_otherwise: dict[str, int] | None = None
    stored: bool = False
    changed: bool = False


@dataclass(slots=True)
class Outcome:
    """The stored decision for one transaction id: the fields it is compared by, and those it is answered from.

    ``moved_minor`` and ``split`` (pool to minor units) are signed from the player's side, in ``moved_currency``. Of a
    `bet_win` the split is the stake's alone, as of a bet.
    """

    provider: str
    key: str
    transaction_id: str
    player_id: str
    type: str
    code: str
    wallet_transaction_id: str
    currency: str | None = None
    amount_minor: int | None = None
    amount_text: str | None = None
    game_id: str | None = None
    round_id: str | None = None
    session_id: str | None = None
    reference: str | None = None
    kind: str | None = None
    own: tuple[tuple[str, str | None], ...] = ()
    moved_minor: int = 0
    moved_currency: str | None = None
    split: dict[str, int] = field(default_factory=dict)
    details: dict[str, object] | None = None
    sequence: int = 0
    partition: int = 0
    offset: int = 0
    decided_at: datetime | None = None
    metadata: bytes | None = None
    broker_time: datetime | None = None

    def stake_parts(self) -> list[tuple[str, int]]:
        """Of a taken bet: how much of the stake each pool paid, in the order in which they were drawn on."""
        return [(pool, -part) for pool, part in self.split.items()]


@dataclass(slots=True)
class Entry:
    """One movement: both sides, one amount above zero. A house side has the name ``house:{purpose}``.

    Balances and versions are those of the player's accounts after the entry; None on a house side.
    """

    player_id: str
    sequence: int
    leg: int
    provider: str
    currency: str
    amount_minor: int
    debit: str
    credit: str
    debit_balance_after_minor: int | None = None
    debit_version: int | None = None
    credit_balance_after_minor: int | None = None
    credit_version: int | None = None


@dataclass(slots=True)
class Parked:
    """An event kept back in Postgres: a head that waits for a bet or a better attempt, or a follower behind it.

    ``reason`` is ``missing_bet``, ``poison`` or ``queued``. ``awaits`` is the mark key of the bet it waits for, or
    U+001F and a round's id (any bet of that round). Times are broker times of its partition. Rows of one queue
    stand in the order of ``position``.
    """

    player_id: str
    provider: str
    transaction_id: str
    partition: int
    offset: int
    broker_time: datetime
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    reason: str
    awaits: str | None
    attempts: int
    parked_at: datetime
    next_attempt_at: datetime
    expires_at: datetime
    last_error: str | None = None
    number: int | None = None
    position: int = 0
    command: Command | None = None
    changed: bool = False
    gone: bool = False


@dataclass(slots=True)
class Player:
    """One player with everything of his that this batch may need. ``number`` is the ledger's own id.

    ``partition`` is set once he is opened; ``opened_at`` only in the batch that opens him. ``tombstones`` counts the
    rollbacks that overtook their bets: while there are none, no id of his need be looked for among them.
    """

    player_id: str
    number: int
    shard: int
    partition: int | None = None
    opened_at: datetime | None = None
    sequence: int = 0
    blocked: bool = False
    excluded_until: datetime | None = None
    country: str | None = None
    time_zone: str | None = None
    jurisdiction: str | None = None
    tombstones: int = 0
    limits: tuple[Limit, ...] = ()
    bonuses: tuple[Bonus, ...] = ()
    changed: bool = False
    currencies: list[str] = field(default_factory=list)  # in the order they were opened
    accounts: dict[tuple[str, str], Account] = field(default_factory=dict)
    rounds: dict[tuple[str, str], Round] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    bets: dict[tuple[str, str], BetMark] = field(default_factory=dict)
    queues: dict[str, list[Parked]] = field(default_factory=dict)

    @property
    def opened(self) -> bool:
        """Whether somebody has opened this player."""
        return self.partition is not None

    def account(self, currency: str, pool: str) -> Account:
        """The account of a pool, made (empty, not stored yet) where there is none."""
        found = self.accounts.get((currency, pool))
        if found is None:
            found = self.accounts[(currency, pool)] = Account(currency, pool)
        return found

    def balance_minor(self, currency: str, pool: str) -> int:
        """The balance of a pool in minor units, 0 where there is no account."""
        found = self.accounts.get((currency, pool))
        return 0 if found is None else found.balance_minor


@dataclass(slots=True)
class Told:
    """A decision made long ago, as it was to be told: its outcome, its batch (``layout/lane/seq``), and what the pools
    of the player held after it, by (currency, pool), in minor units. ``actions`` counts the ids decided with it."""

    outcome: Outcome
    batch: str
    pools: dict[tuple[str, str], int]
    actions: int = 1


@dataclass(slots=True)
class Books:
    """All of one batch's state: players by id, known outcomes by (provider, key), and what the batch wrote."""

    players: dict[str, Player] = field(default_factory=dict)
    outcomes: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    new_outcomes: list[Outcome] = field(default_factory=list)
    new_entries: list[Entry] = field(default_factory=list)
    new_parked: list[Parked] = field(default_factory=list)
    repairs: dict[tuple[str, int], Told] = field(default_factory=dict)
