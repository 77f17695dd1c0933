"""A case: one command with everything of the locked state that deciding it may look at. Read, never written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from processor.domain.commands import CASHIER, OPERATOR, Command
from processor.domain.decision import Moment
from processor.domain.keys import mark_key, reference_keys
from processor.domain.profiles import Profile, Reference
from processor.domain.state import BetMark, Books, Outcome, Player, Round

#: Senders that are the operator's own: they need no profile, and no session or game can be asked of them.
BUILT_IN = frozenset({CASHIER, OPERATOR})

_STRICT = Profile("")


@dataclass(slots=True)
class Case:
    """``profile`` is None for a provider nobody has applied; ``rules`` are then the strict defaults.

    ``key`` is what the command's own outcome is stored under. ``bet`` and ``bet_mark`` are found by `find_bet`:
    the outcome that the command refers to (None: not known to this player), and what has happened to it.
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
    bet_mark: BetMark | None = None

    @property
    def broker_time(self) -> datetime:
        """The record's broker time: the clock of sessions, blocks and limits."""
        return self.moment.broker_time

    def own_mark(self) -> BetMark | None:
        """What a rollback has left under the command's own id."""
        command, bets = self.command, self.player.bets
        if not bets:
            return None
        return bets.get((command.provider, mark_key(self.profile, command.player_id, command.transaction_id)))

    def round(self) -> Round | None:
        """The round that the command names, if it is known."""
        command = self.command
        if command.round_id is None:
            return None
        return self.player.rounds.get((command.provider, command.round_id))

    def reference_mark_key(self) -> str:
        """The key of the mark of the bet that the command refers to."""
        return mark_key(self.profile, self.command.player_id, self.command.reference or "")

    def find_bet(self) -> None:
        """Look up what the command refers to: within its provider and its player only."""
        command, outcomes = self.command, self.books.outcomes
        if command.reference is None:
            return
        for key in reference_keys(self.profile, command.player_id, command.reference):
            found = outcomes.get((command.provider, key))
            if found is not None and found.player_id == command.player_id:
                self.bet = found
                break
        if self.player.bets:
            self.bet_mark = self.player.bets.get((command.provider, self.reference_mark_key()))


def make_case(
    command: Command,
    player: Player,
    books: Books,
    reference: Reference,
    moment: Moment,
    may_wait: bool,
    key: str,
) -> Case:
    """Put a case together; the strict default rules hold where a provider has no profile."""
    profile = reference.providers.get(command.provider)
    return Case(command, player, profile, profile or _STRICT, books, reference, moment, may_wait, key)
