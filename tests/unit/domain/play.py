"""A player at the table: short ways to send events to the law and to look at what came of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from typing import Any

from processor.domain.answers import Answer, Refusal
from processor.domain.commands import CASHIER, OPERATOR, Command
from processor.domain.fingerprint import NAMES_ITS_BET
from processor.domain.money import parse_minor
from processor.domain.profiles import Game, Profile, Reference
from processor.domain.queues import Bounds
from tests.unit.domain.memory import MemoryLedger

EXPONENTS = {"EUR": 2, "USD": 2, "JPY": 0, "BTC": 8}
KIND = {"bet": "stake", "win": "game"}
ABOUT_THE_PLAYER = (
    "block_player", "unblock_player", "self_exclude", "cool_off", "set_limit", "confirm_limit",
)  # fmt: skip


@dataclass
class Play:
    """Providers ``acme`` and ``other`` of one profile, player ``p`` with 100.00 EUR in a session ``s``."""

    profile: Profile = field(default_factory=lambda: Profile("acme"))
    games: tuple[Game, ...] = ()
    bounds: Bounds = field(default_factory=Bounds)
    cash: str = "100.00"
    offsets: count[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        providers = {"acme": self.profile, "other": replace(self.profile, provider="other")}
        games = {(game.provider, game.game_id): game for game in self.games}
        self.ledger = MemoryLedger(Reference(1, providers, games, EXPONENTS), self.bounds)
        self.join("p", self.cash)

    def join(self, player_id: str, cash: str) -> None:
        """Open a player with money and a session of the operator's."""
        self.send("open_player", f"open-{player_id}", player_id=player_id)
        self.send("open_session", f"session-{player_id}", player_id=player_id)
        self.send("deposit", f"deposit-{player_id}", amount=cash, player_id=player_id)

    def event(self, type_: str, transaction_id: str, **fields: Any) -> Command:
        """A command with the defaults of the acceptance cases."""
        fields = {**defaults(type_), **fields}
        currency, amount = fields.get("currency"), fields.pop("amount", None)
        at = fields.pop("at_seconds", 0)
        if type_ == "bet_win" and currency is not None:
            bet_amount, win_amount = fields.pop("bet_amount", "1.00"), fields.pop("win_amount", "0.00")
            fields |= {
                "own": (("bet_amount", bet_amount), ("win_amount", win_amount)),
                "win_minor": parse_minor(win_amount, EXPONENTS[currency]),
                "amount_minor": parse_minor(bet_amount, EXPONENTS[currency]),
            }
            return Command(
                type=type_,
                transaction_id=transaction_id,
                offset=next(self.offsets),
                broker_time=self.ledger.now + timedelta(seconds=at),
                **fields,
            )
        return Command(
            type=type_,
            transaction_id=transaction_id,
            offset=next(self.offsets),
            broker_time=self.ledger.now + timedelta(seconds=at),
            amount_text=amount,
            amount_minor=None
            if amount in (None, "all") or currency is None
            else parse_minor(amount, EXPONENTS[currency]),
            **fields,
        )

    def send(self, type_: str, transaction_id: str, **fields: Any) -> Answer:
        """One event as a batch of its own; exactly one answer is expected."""
        [answer] = self.batch(self.event(type_, transaction_id, **fields))
        return answer

    def batch(self, *commands: Command, **options: Any) -> list[Answer]:
        """Several events as one batch; the answers, in the order of decision."""
        said = self.ledger.run(commands, **options)
        answers = [one for one in said if isinstance(one, Answer)]
        assert len(answers) == len(said), [one for one in said if isinstance(one, Refusal)]
        return answers

    def codes(self, *commands: Command, **options: Any) -> list[tuple[str, str]]:
        """Several events as one batch; (transaction id, code) in the order of decision."""
        return [(one.command.transaction_id, one.code.value) for one in self.batch(*commands, **options)]

    def kept(self) -> list[tuple[str, str]]:
        """What is parked: (transaction id, reason), in the order of the queue."""
        rows = sorted(self.ledger.parked, key=lambda row: row.position)
        return [(row.transaction_id, row.reason) for row in rows]

    def cash_of(self, player_id: str = "p", currency: str = "EUR") -> int:
        """Minor units of cash."""
        return self.ledger.players[player_id].balance_minor(currency, "cash")


def defaults(type_: str) -> dict[str, Any]:
    """What an event says where the test does not."""
    sender = {"open_player": OPERATOR, "open_session": OPERATOR, "deposit": CASHIER, "withdraw": CASHIER}
    sender |= dict.fromkeys(ABOUT_THE_PLAYER, OPERATOR)
    common: dict[str, Any] = {"provider": sender.get(type_, "acme"), "player_id": "p", "partition": 0}
    if type_ not in {*NAMES_ITS_BET, *ABOUT_THE_PLAYER}:
        common["currency"] = "EUR"
    if type_ in ("bet", "win", "bet_win", "batch", "close_round"):
        common |= {"game_id": "g", "round_id": "r"}
    if type_ in ("bet", "win", "bet_win", "batch", "open_session", "close_session"):
        common["session_id"] = "s"
    if type_ in ("bet", "win", "refund", "adjust", "deposit", "withdraw", "transfer_in", "transfer_out"):
        common["amount"] = "1.00"
    if type_ in KIND:
        common["kind"] = KIND[type_]
    return common
