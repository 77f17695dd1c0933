"""The play as a whole: which player does what when, all of it from one seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from processor.devstack.traffic import (
    abroad,
    batches,
    bonuses,
    corrections,
    malformed,
    restraint,
    scripts,
    transfers,
)
from processor.devstack.traffic.event import Player, Table, TrafficEvent

_WEIGHTS: Final[dict[scripts.Script, float]] = {
    scripts.play_round: 60,
    scripts.play_long_round: 6,
    scripts.repeat: 12,
    scripts.bet_too_much: 5,
    scripts.cancel: 5,
    scripts.overtaking_rollback: 3,
    scripts.overtaking_win: 3,
    scripts.use_cashier: 3,
    batches.play_at_once: 4,
    batches.play_batch: 4,
    transfers.visit_live_game: 3,
    abroad.play_abroad: 3,
    bonuses.play_with_a_bonus: 2,
    corrections.refund_in_parts: 2,
    corrections.refund_too_late: 0.5,
    corrections.take_a_win_back: 1,
    corrections.put_right: 1,
    restraint.limit_single_bets: 0.3,
    restraint.limit_deposits: 0.1,
    restraint.be_blocked: 0.5,
    scripts.contradict: 2,
    scripts.cancel_too_late: 1,
    scripts.bet_into_closed_round: 1,
    scripts.change_session: 1,
    scripts.pay_promotion: 1,
    scripts.bet_after_deadline: 0.5,
    scripts.bet_in_other_currency: 0.5,
    scripts.bet_of_a_stranger: 0.3,
    scripts.orphan_win: 0.3,
    malformed.malformed: 4,
}
_CURRENCIES: Final = ("EUR", "EUR", "EUR", "JPY", "BTC", "ETH")
_REMEMBERED: Final = 20
_NOT_REPEATED: Final = frozenset({"duplicate", "conflict"})


@dataclass(slots=True)
class _Piece:
    """A script under way."""

    player: Player
    script: scripts.Script
    events: Iterator[TrafficEvent]


class Traffic:
    """Play of so many players; the same seed (and run name) gives the same events, ids and bytes included.

    Pieces of play of different players are mixed, those of one player follow one another. ``concurrency`` is
    how many are under way at once: at r events/s, two events of one piece lie concurrency / r seconds apart.
    """

    def __init__(
        self,
        seed: int,
        players: int,
        *,
        run: str | None = None,
        concurrency: int = 50,
        poison: bool = True,
        orphans: bool = True,
        rates: bool = True,
    ) -> None:
        """``poison``: one player's deposits overflow; ``orphans``: some wins wait for bets that never come, and their
        players leave, so that a play of millions of events ends with nobody; ``rates``: the ledger has the traffic's
        rates, so that some play is converted."""
        self.seed = seed
        self._random = Random(seed)
        self._table = Table(self._random, run or f"d{seed}")
        self._concurrency = max(1, min(concurrency, players))
        self._newcomers = [self._player(number) for number in range(players)]
        self._newcomers.reverse()
        self._idle: list[Player] = []
        self._whale_due = poison
        plays: dict[scripts.Script, bool] = {scripts.orphan_win: orphans, abroad.play_abroad: rates}
        self._weights = {script: weight for script, weight in _WEIGHTS.items() if plays.get(script, True)}

    def _player(self, number: int) -> Player:
        # The first player is the one whose deposits will overflow, in the currency with the most decimals.
        currency = "ETH" if number == 0 else self._random.choice(_CURRENCIES)
        return Player(f"{self._table.run}-p{number}", currency)

    def events(self, count: int) -> Iterator[TrafficEvent]:
        """At least ``count`` events: what is under way then is played to its end."""
        made = 0
        under_way: list[_Piece] = []
        while made < count or under_way:
            if made < count and len(under_way) < self._concurrency:
                self._start_a_piece(under_way, overdue=made * 3 >= count)
            if not under_way:
                return
            index = self._random.randrange(len(under_way))
            event = next(under_way[index].events, None)
            if event is None:
                self._end_piece(under_way, index)
            else:
                made += 1
                self._remember(under_way[index].player, event)
                yield event

    def _start_a_piece(self, under_way: list[_Piece], *, overdue: bool) -> None:
        joins = self._newcomers and (not self._idle or self._random.random() < 0.5)
        if joins:
            player = self._newcomers.pop()
            script: scripts.Script = scripts.join
        elif self._idle:
            player = self._take_idle(overdue=overdue)
            script = self._choose(player, overdue=overdue)
        else:
            return
        under_way.append(_Piece(player, script, script(self._table, player)))

    def _take_idle(self, *, overdue: bool) -> Player:
        if overdue and self._whale_due:
            for index, player in enumerate(self._idle):
                if player.player_id.endswith("-p0"):
                    return self._idle.pop(index)
        index = self._random.randrange(len(self._idle))
        self._idle[index], self._idle[-1] = self._idle[-1], self._idle[index]
        return self._idle.pop()

    def _choose(self, player: Player, *, overdue: bool) -> scripts.Script:
        if player.player_id.endswith("-p0"):
            if overdue and self._whale_due:
                self._whale_due = False
                return malformed.whale
            return scripts.play_round
        return self._random.choices(list(self._weights), list(self._weights.values()))[0]

    def _end_piece(self, under_way: list[_Piece], index: int) -> None:
        piece = under_way[index]
        under_way[index] = under_way[-1]
        under_way.pop()
        # Who waits for a bet that never comes plays no more: what he did next would depend on the waiting.
        if piece.script is not scripts.orphan_win:
            self._idle.append(piece.player)

    def _remember(self, player: Player, event: TrafficEvent) -> None:
        ours = event.key == player.player_id.encode()
        if ours and event.fields is not None and event.letter is None and event.what not in _NOT_REPEATED:
            player.sent.append(event)
            del player.sent[:-_REMEMBERED]
