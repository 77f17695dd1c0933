"""A case: one command with everything of the locked state that deciding it may look at. Read, never written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from processor.domain.commands import CASHIER, OPERATOR, Command
from processor.domain.keys import mark_key, reference_key, reversal_key, win_key
from processor.domain.moment import Moment
from processor.domain.postings import Parts
from processor.domain.profiles import Profile, Reference, stored_key
from processor.domain.reversals import Reversal
from processor.domain.state import BetMark, Books, Outcome, Player, Round

if TYPE_CHECKING:
    from processor.domain.batches import Rehearsal
    from processor.domain.conversion import Conversion

#: Senders that are the operator's own: they need no profile, and no session or game can be asked of them.
BUILT_IN = frozenset({CASHIER, OPERATOR})

#: The rules of a provider without a profile.
STRICT = Profile("")


@dataclass(slots=True)
class Case:
    """``profile`` is None for a provider nobody has applied; ``rules`` are then the strict defaults.

    ``key`` is what the command's own outcome is stored under. ``bet``, ``bet_key`` and ``bet_mark`` are found by
    `find_bet`: the outcome that the command refers to (None: not known to this player), the key of its mark, and
    the mark: what has happened to it.
    ``win``, ``win_key`` and ``win_mark`` are the same of a win that is to be taken back, found by `find_win`; its bet's
    mark is then ``bet_mark``. ``reversal`` is what is taken back, found by the guard on funds.
    ``rehearsal`` is a batch's, made by the guard on its actions; ``stakes`` are its new bets' amounts.
    ``currency`` and ``amount_minor`` are what the command asks for, in the wallet's currency: its own, unless a
    ``conversion`` was found for it (by the guard on currencies, or with the bet that it refers to).
    ``stake_parts`` are the pools a stake is taken from, found by the guard on funds. ``returned_minor`` is what a
    refund gives back, found by the guard on its reference: only the bet tells in which currency it is counted.
    """

    command: Command
    player: Player
    profile: Profile | None
    rules: Profile
    books: Books
    reference: Reference
    moment: Moment
    may_wait: bool
    key: str
    bet: Outcome | None = None
    bet_key: str = ""
    bet_mark: BetMark | None = None
    stake_parts: Parts = ()
    returned_minor: int = 0
    win: Outcome | None = None
    win_key: str = ""
    win_mark: BetMark | None = None
    reversal: Reversal | None = None
    rehearsal: Rehearsal | None = None
    stakes: tuple[int, ...] = ()
    currency: str = ""
    amount_minor: int = 0
    conversion: Conversion | None = None

    def own_mark(self) -> BetMark | None:
        """What a rollback has left under the command's own id."""
        command = self.command
        return self.player.bets.get(
            (command.provider, mark_key(self.profile, command.player_id, command.transaction_id))
        )

    def round(self) -> Round | None:
        """The round that the command names, if it is known."""
        command = self.command
        if command.round_id is None:
            return None
        return self.player.rounds.get((command.provider, command.round_id))

    def find_bet(self) -> None:
        """Look up what the command refers to: within its provider and its player only."""
        command, outcomes = self.command, self.books.outcomes
        provider, player_id, bet_id = command.provider, command.player_id, command.reference
        if bet_id is None:
            return
        self.bet_key = mark_key(self.profile, player_id, bet_id)
        found = outcomes.get((provider, reference_key(self.profile, player_id, bet_id)))
        if found is not None and found.player_id == player_id:
            self.bet = found
        if self.player.bets:
            self.bet_mark = self.player.bets.get((provider, self.bet_key))

    def find_win(self) -> None:
        """Look up the win that the command refers to, and with it the mark of its bet."""
        command, bets = self.command, self.player.bets
        provider, player_id, win_id = command.provider, command.player_id, command.reference or ""
        self.win_key = reversal_key(self.profile, player_id, win_id)
        self.win_mark = bets.get((provider, self.win_key))
        found = self.books.outcomes.get((provider, win_key(self.profile, player_id, win_id)))
        if found is None or found.player_id != player_id:
            return
        self.win = found
        if found.reference is not None:
            self.bet_key = mark_key(self.profile, player_id, found.reference)
            self.bet_mark = bets.get((provider, self.bet_key))


def make_case(
    command: Command, books: Books, reference: Reference, decided_at: datetime, may_wait: bool = True
) -> Case:
    """Put a case together. Raises KeyError for a player who was not locked."""
    profile = reference.providers.get(command.provider)
    player_id = command.player_id
    case = Case(
        command,
        books.players[player_id],
        profile,
        profile or STRICT,
        books,
        reference,
        Moment(command.broker_time, decided_at),
        may_wait,
        stored_key(profile, player_id, command.transaction_id, command.type),
    )
    case.currency, case.amount_minor = command.currency or "", command.amount_minor or 0
    return case
