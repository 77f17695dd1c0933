"""Effects: what a decision changes beside the money, each a small piece of data that knows how to take place.

A decision lists them; `books.apply` lets each take place, in order, once the decision stands. None of them decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from processor.domain.moment import Moment
from processor.domain.state import CASH, BetMark, Player, Round, Session

#: Parts of a win as (``account>pool``, minor units).
Otherwise = tuple[tuple[str, int], ...]


class Effect(Protocol):
    """One change of a player's state."""

    def apply(self, player: Player, moment: Moment) -> None:
        """Let it take place."""
        ...


@dataclass(slots=True)
class WalletOpened:
    """A wallet of one currency is opened; the first one opens the player and fixes his partition."""

    currency: str
    partition: int
    country: str | None
    time_zone: str | None
    jurisdiction: str | None

    def apply(self, player: Player, moment: Moment) -> None:
        if not player.opened:
            player.opened_at = moment.broker_time
            player.partition = self.partition
            player.country, player.time_zone = self.country, self.time_zone
            player.jurisdiction = self.jurisdiction
        player.currencies.append(self.currency)
        player.account(self.currency, CASH).changed = True


@dataclass(slots=True)
class RoundEntered:
    """Something happens in a round; its first event opens it."""

    provider: str
    round_id: str
    game_id: str | None
    currency: str | None

    def apply(self, player: Player, moment: Moment) -> None:
        self.enter(player, moment)

    def enter(self, player: Player, moment: Moment) -> Round:
        """The round, opened where it is new, marked as changed."""
        round_ = player.rounds.get((self.provider, self.round_id))
        if round_ is None:
            round_ = player.rounds[(self.provider, self.round_id)] = Round(
                self.provider, self.round_id, self.game_id, self.currency, moment.broker_time
            )
        elif round_.currency is None:
            round_.currency = self.currency
        round_.changed = True
        return round_

    def count(self, round_: Round, *, staked_minor: int = 0, won_minor: int = 0) -> None:
        """Count money of this effect's currency, which need not be the round's own."""
        currency = self.currency
        if currency is None or currency == round_.currency:
            round_.staked_minor += staked_minor
            round_.won_minor += won_minor
        elif staked_minor or won_minor:
            also = dict(round_.also or {})
            staked, won = also.get(currency, (0, 0))
            also[currency] = (staked + staked_minor, won + won_minor)
            round_.also = also


@dataclass(slots=True)
class RoundStaked(RoundEntered):
    """A bet was taken in a round; ``staked_minor`` is what of it went to the gaming account."""

    staked_minor: int

    def apply(self, player: Player, moment: Moment) -> None:
        round_ = self.enter(player, moment)
        round_.bets += 1
        self.count(round_, staked_minor=self.staked_minor)


@dataclass(slots=True)
class RoundWon(RoundEntered):
    """A win was paid in a round; ``won_minor`` is what of it came from the gaming account."""

    won_minor: int

    def apply(self, player: Player, moment: Moment) -> None:
        round_ = self.enter(player, moment)
        round_.wins += 1
        self.count(round_, won_minor=self.won_minor)


@dataclass(slots=True)
class RoundUnwon(RoundEntered):
    """Wins of a round were taken back; ``won_minor`` is what of them went back to the gaming account.

    ``reopened`` says that the win had closed the round.
    """

    wins: int
    won_minor: int
    reopened: bool = False

    def apply(self, player: Player, moment: Moment) -> None:
        round_ = self.enter(player, moment)
        round_.wins -= self.wins
        self.count(round_, won_minor=-self.won_minor)
        if self.reopened:
            round_.closed_at = None


@dataclass(slots=True)
class RoundReturned(RoundEntered):
    """A bet of a round was rolled back; ``staked_minor`` is what of it came back from the gaming account."""

    staked_minor: int

    def apply(self, player: Player, moment: Moment) -> None:
        round_ = self.enter(player, moment)
        round_.bets_rolled_back += 1
        self.count(round_, staked_minor=-self.staked_minor)


@dataclass(slots=True)
class RoundRefunded(RoundEntered):
    """Some of a bet of a round was refunded; ``staked_minor`` is what of it came back from the gaming account."""

    staked_minor: int

    def apply(self, player: Player, moment: Moment) -> None:
        self.count(self.enter(player, moment), staked_minor=-self.staked_minor)


@dataclass(slots=True)
class RoundClosed:
    """A round ends: it takes no more bets, and its bets are settled."""

    provider: str
    round_id: str

    def apply(self, player: Player, moment: Moment) -> None:
        round_ = player.rounds[(self.provider, self.round_id)]
        if round_.closed_at is None:
            round_.closed_at = moment.broker_time
            round_.changed = True


@dataclass(slots=True)
class BetSettled:
    """A win (also of zero) named a bet. ``otherwise`` are those parts that did not go from gaming to cash."""

    provider: str
    key: str
    won_minor: int
    game: bool
    otherwise: Otherwise = ()

    def apply(self, player: Player, moment: Moment) -> None:
        mark = _mark(player, self.provider, self.key)
        mark.wins += 1
        mark.game_wins += self.game
        mark.won_minor += self.won_minor
        if self.otherwise:
            _pay_otherwise(mark, self.otherwise, 1)


@dataclass(slots=True)
class WinReversed:
    """A win was taken back; the bet it named, if it named one, is as if the win had not been."""

    provider: str
    key: str
    bet_key: str | None
    won_minor: int
    game: bool
    otherwise: Otherwise = ()

    def apply(self, player: Player, moment: Moment) -> None:
        _mark(player, self.provider, self.key).rolled_back = True
        if self.bet_key is None:
            return
        mark = _mark(player, self.provider, self.bet_key)
        mark.wins -= 1
        mark.game_wins -= self.game
        mark.won_minor -= self.won_minor
        _pay_otherwise(mark, self.otherwise, -1)


@dataclass(slots=True)
class BetRolledBack:
    """A taken bet is cancelled, wholly and for ever."""

    provider: str
    key: str

    def apply(self, player: Player, moment: Moment) -> None:
        _mark(player, self.provider, self.key).rolled_back = True


@dataclass(slots=True)
class BetRefunded:
    """Some of a taken bet's stake, or all of it, was given back."""

    provider: str
    key: str
    refunded_minor: int

    def apply(self, player: Player, moment: Moment) -> None:
        _mark(player, self.provider, self.key).refunded_minor += self.refunded_minor


@dataclass(slots=True)
class TombstoneSet:
    """A rollback came before its bet: the bet, should it come, takes nothing."""

    provider: str
    key: str

    def apply(self, player: Player, moment: Moment) -> None:
        _mark(player, self.provider, self.key).rolled_back = True
        player.tombstones += 1


@dataclass(slots=True)
class SessionOpened:
    """A session begins; an older one still open on its channel is replaced."""

    session_id: str
    provider: str
    channel: str
    currency: str
    game_id: str | None
    expires_at: datetime

    def apply(self, player: Player, moment: Moment) -> None:
        for older in player.sessions.values():
            if older.channel == self.channel and older.closed_at is None and older.replaced_at is None:
                older.replaced_at = moment.broker_time
                older.changed = True
        before = player.sessions.get(self.session_id)
        player.sessions[self.session_id] = Session(
            self.session_id,
            self.provider,
            self.channel,
            self.currency,
            self.game_id,
            opened_at=moment.broker_time,
            expires_at=self.expires_at,
            stored=before is not None and before.stored,
            changed=True,
        )


@dataclass(slots=True)
class SessionClosed:
    """A session ends."""

    session_id: str

    def apply(self, player: Player, moment: Moment) -> None:
        session = player.sessions[self.session_id]
        if session.closed_at is None:
            session.closed_at = moment.broker_time
            session.changed = True


def _pay_otherwise(mark: BetMark, otherwise: Otherwise, sign: int) -> None:
    found = dict(mark.paid_otherwise or ())
    for name, amount_minor in otherwise:
        found[name] = found.get(name, 0) + sign * amount_minor
    mark.paid_otherwise = {name: amount_minor for name, amount_minor in found.items() if amount_minor} or None


def _mark(player: Player, provider: str, key: str) -> BetMark:
    """The mark of a bet, made where there is none; whoever asks for it changes it."""
    mark = player.bets.get((provider, key))
    if mark is None:
        mark = player.bets[(provider, key)] = BetMark(provider, key)
    mark.changed = True
    return mark
