"""What a batch needs read before it is decided: names only, so that the ledger can fetch them in a few statements."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Wanted:
    """Everything the law may look at for a batch, all of it read under the locks of its players.

    ``keys`` are (provider, stored key) of the batch's own ids and of the ids they refer to; ``bets`` are marks by
    (player, provider, mark key); ``rounds`` (player, provider, round id); ``sessions`` (player, session id), of which
    a stake need only know whether they are good, and ``whole_sessions`` those that may be changed;
    ``with_channels`` names players whose open sessions are all needed; ``rounds_of`` asks for the round of the
    outcome stored under (provider, key), if it is that player's: a rollback names a bet, not the bet's round.
    ``repairs`` are decisions whose result is to be told again, by (player, sequence).
    ``bets_of`` asks in the same way for the mark of the bet that the outcome names, whose key is its reference with the
    suffix that comes fourth.
    """

    keys: set[tuple[str, str]] = field(default_factory=set)
    bets: set[tuple[str, str, str]] = field(default_factory=set)
    rounds: set[tuple[str, str, str]] = field(default_factory=set)
    sessions: set[tuple[str, str]] = field(default_factory=set)
    whole_sessions: set[tuple[str, str]] = field(default_factory=set)
    with_channels: set[str] = field(default_factory=set)
    rounds_of: set[tuple[str, str, str]] = field(default_factory=set)
    repairs: set[tuple[str, int]] = field(default_factory=set)
    bets_of: set[tuple[str, str, str, str]] = field(default_factory=set)
