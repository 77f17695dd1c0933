"""The order of precedence as a table: everything is wrong at first, and each row puts exactly one thing right."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from processor.domain.commands import Command
from processor.domain.decide import decide
from processor.domain.decision import Decision, Moment
from processor.domain.precedence import DECIDED_TYPES, GUARDS, PRECEDENCE
from processor.domain.profiles import Profile, Reference
from processor.domain.state import BetMark, Bonus, Books, Limit, Outcome, Player, Round, Session
from tests.unit.domain.memory import START


@dataclass
class World:
    """One command and all that is wrong with it."""

    command: Command
    profile: Profile = field(default_factory=lambda: Profile("acme", status="suspended"))
    books: Books = field(default_factory=Books)

    @property
    def player(self) -> Player:
        return self.books.players["p"]

    def decide(self) -> Decision:
        reference = Reference(1, {"acme": self.profile}, {}, {"EUR": 2, "USD": 2})
        return decide(self.command, self.books, reference, Moment(START, START))

    def know(self, type_: str, key: str, *, code: str = "OK", amount_minor: int = 500) -> Outcome:
        outcome = Outcome("acme", key, key, "p", type_, code, "0199", "EUR", amount_minor)
        outcome.round_id, outcome.moved_currency = "r", "EUR"
        outcome.moved_minor, outcome.split = -amount_minor, {"cash": -amount_minor}
        self.books.outcomes[("acme", key)] = outcome
        return outcome


def all_wrong(type_: str) -> World:
    """An event under a known id with a tombstone, late, of nobody, at a suspended provider, in a wrong currency …"""
    command = Command(
        type_, "acme", "known", "p", 0, 7, START, "USD", 900, "9.00", "g", "r", "gone", "b1",
        {"bet": "stake", "win": "game"}.get(type_), deadline=START - timedelta(seconds=1),
    )  # fmt: skip
    if type_ == "transfer_out":
        command.own = (("reported_balance", "1"),)
    if type_ == "release_bonus":
        command.own = (("bonus_id", "w"),)
    if type_ == "batch":
        command.actions = (replace(command, type="bet", transaction_id="late", kind="stake", reference=None),)
    world = World(command)
    player = world.books.players["p"] = Player("p", 1, 0, blocked=True, currencies=["EUR"])
    player.account("EUR", "cash").balance_minor = 100
    player.limits = (Limit("deposit", "day", "EUR", 899), Limit("wager", "day", "EUR", 899))
    player.rounds[("acme", "r")] = Round("acme", "r", "g", "EUR", START, closed_at=START)
    player.bets[("acme", "late")] = BetMark("acme", "late", rolled_back=True)
    player.bets[("acme", "b1")] = BetMark("acme", "b1", rolled_back=True, wins=1, game_wins=1)
    world.know("bet", "known", amount_minor=1)
    if type_ != "rollback":
        world.know("bet", "b1")
    return world


Fix = Callable[[World], None]


def set_id(transaction_id: str) -> Fix:
    def fix(world: World) -> None:
        world.command.transaction_id = transaction_id

    return fix


def in_time(world: World) -> None:
    world.command.deadline = START


def open_player(world: World) -> None:
    world.player.partition = 0


def activate_provider(world: World) -> None:
    world.profile = replace(world.profile, status="active")


def right_currency(world: World) -> None:
    world.command.currency = "EUR"


def open_session(world: World) -> None:
    later = START + timedelta(hours=1)
    world.player.sessions["gone"] = Session("gone", "acme", "web", "EUR", None, START, later)


def unblock(world: World) -> None:
    world.player.blocked = False


def reopen_round(world: World) -> None:
    world.player.rounds[("acme", "r")].closed_at = None


def know_bet(world: World) -> None:
    world.know("bet", "b1")


def refuse_bet(world: World) -> None:
    world.know("bet", "b1", code="INSUFFICIENT_FUNDS")


def refused_and_not_rolled_back(world: World) -> None:
    refuse_bet(world)
    not_rolled_back(world)


def not_rolled_back(world: World) -> None:
    world.player.bets[("acme", "b1")].rolled_back = False


def not_settled(world: World) -> None:
    mark = world.player.bets[("acme", "b1")]
    mark.wins = mark.game_wins = 0


def right_amount(world: World) -> None:
    world.command.amount_minor, world.command.amount_text = 500, "5.00"


def give_game_wallets(world: World) -> None:
    world.profile = replace(world.profile, wallet="transfer")


def report_nothing(world: World) -> None:
    world.command.own = ()


def fund_game_wallet(world: World) -> None:
    world.player.account("EUR", "game:acme").balance_minor = 900


def lift_limits(world: World) -> None:
    world.player.limits = ()


def fund(world: World) -> None:
    world.player.account("EUR", "cash").balance_minor = 900


def name_nothing(before: Fix) -> Fix:
    def fix(world: World) -> None:
        before(world)
        world.command.reference = "w1"

    return fix


def refuse_win(world: World) -> None:
    world.know("win", "w1", code="ROUND_CLOSED").reference = "b1"


def know_win(world: World) -> None:
    win = world.know("win", "w1")
    win.reference, win.moved_minor, win.split = "b1", 100, {"cash": 100}


def reversals_allowed(world: World) -> None:
    world.profile = replace(world.profile, win_reversal="take_available")


def name_refused_bet(world: World) -> None:
    right_currency(world)
    refuse_bet(world)


def take_too_much(world: World) -> None:
    not_rolled_back(world)
    world.command.amount_minor, world.command.amount_text = -900, "-9.00"


def have_the_bonus(world: World) -> None:
    world.player.bonuses = (Bonus("w", "EUR", 1, 500, 499),)


def wager_it(world: World) -> None:
    world.player.bonuses = (Bonus("w", "EUR", 1, 500, 500),)


def fund_bonus(world: World) -> None:
    world.player.account("EUR", "bonus").balance_minor = 900


def batch_in_euros(world: World) -> None:
    right_currency(world)
    world.command.actions = (replace(world.command.actions[0], currency="EUR"),)


def name_action(transaction_id: str) -> Fix:
    def fix(world: World) -> None:
        world.command.actions = (replace(world.command.actions[0], transaction_id=transaction_id),)

    return fix


#: (what the row above lacked, the fix that makes this row, the code it is answered with)
TABLES: dict[str, Sequence[tuple[str, Fix, str]]] = {
    "bet": [
        ("a known id of another event", set_id("known"), "CONFLICT"),
        ("a tombstone names it", set_id("late"), "ROLLED_BACK"),
        ("it is late", set_id("new"), "EXPIRED"),
        ("nobody knows the player", in_time, "PLAYER_NOT_FOUND"),
        ("the provider is suspended", open_player, "GAME_BLOCKED"),
        ("the player has no such wallet", activate_provider, "WRONG_CURRENCY"),
        ("the session is unknown", right_currency, "SESSION_EXPIRED"),
        ("the player is blocked", open_session, "PLAYER_BLOCKED"),
        ("the round is closed", unblock, "ROUND_CLOSED"),
        ("a limit leaves too little", reopen_round, "LIMIT_EXCEEDED"),
        ("the money is not there", lift_limits, "INSUFFICIENT_FUNDS"),
        ("nothing is wrong", fund, "OK"),
    ],
    "win": [
        ("a known id of another event", set_id("known"), "CONFLICT"),
        ("a tombstone names it", set_id("late"), "ROLLED_BACK"),
        ("nobody knows the player", set_id("new"), "PLAYER_NOT_FOUND"),
        ("the player has no such wallet", open_player, "WRONG_CURRENCY"),
        ("the round is closed", right_currency, "ROUND_CLOSED"),
        ("the bet was rolled back", reopen_round, "ROLLED_BACK"),
        ("the bet was won upon", not_rolled_back, "ALREADY_SETTLED"),
        ("nothing is wrong (a block, a session, the provider's state do not matter)", not_settled, "OK"),
    ],
    "rollback": [
        ("a known id of another event", set_id("known"), "CONFLICT"),
        ("a tombstone names it", set_id("late"), "ROLLED_BACK"),
        ("nobody knows the player", set_id("new"), "PLAYER_NOT_FOUND"),
        ("nobody knows the bet", open_player, "BET_NOT_FOUND"),
        ("the bet was refused", refuse_bet, "OK"),
        ("the bet was rolled back", know_bet, "ALREADY_ROLLED_BACK"),
        ("the bet was won upon", not_rolled_back, "ALREADY_SETTLED"),
        ("its round is closed", not_settled, "ALREADY_SETTLED"),
        ("it names another amount", reopen_round, "NOT_ROLLBACKABLE"),
        ("nothing is wrong (currency, session, block do not matter)", right_amount, "OK"),
    ],
    "refund": [
        ("a known id of another event", set_id("known"), "CONFLICT"),
        ("a tombstone names it", set_id("late"), "ROLLED_BACK"),
        ("nobody knows the player", set_id("new"), "PLAYER_NOT_FOUND"),
        ("the player has no such wallet", open_player, "WRONG_CURRENCY"),
        ("the bet was rolled back", right_currency, "ALREADY_ROLLED_BACK"),
        ("the bet was refused", refused_and_not_rolled_back, "BET_NOT_FOUND"),
        ("the bet was won upon", know_bet, "ALREADY_SETTLED"),
        ("its round is closed", not_settled, "ALREADY_SETTLED"),
        ("it is more than the bet", reopen_round, "REFUND_EXCEEDS_BET"),
        ("nothing is wrong (a block, a session, the provider's state do not matter)", right_amount, "OK"),
    ],
    "bet_win": [
        ("a known id of another event", set_id("known"), "CONFLICT"),
        ("a tombstone names it", set_id("late"), "ROLLED_BACK"),
        ("it is late", set_id("new"), "EXPIRED"),
        ("nobody knows the player", in_time, "PLAYER_NOT_FOUND"),
        ("the provider is suspended", open_player, "GAME_BLOCKED"),
        ("the player has no such wallet", activate_provider, "WRONG_CURRENCY"),
        ("the session is unknown", right_currency, "SESSION_EXPIRED"),
        ("the player is blocked", open_session, "PLAYER_BLOCKED"),
        ("the round is closed", unblock, "ROUND_CLOSED"),
        ("a limit leaves too little", reopen_round, "LIMIT_EXCEEDED"),
        ("the money is not there", lift_limits, "INSUFFICIENT_FUNDS"),
        ("nothing is wrong", fund, "OK"),
    ],
    "batch": [
        ("a known id of another event", set_id("known"), "CONFLICT"),
        ("a tombstone names it", set_id("late"), "ROLLED_BACK"),
        ("it is late", set_id("new"), "EXPIRED"),
        ("nobody knows the player", in_time, "PLAYER_NOT_FOUND"),
        ("the provider is suspended", open_player, "GAME_BLOCKED"),
        ("the player has no such wallet", activate_provider, "WRONG_CURRENCY"),
        ("the session is unknown", batch_in_euros, "SESSION_EXPIRED"),
        ("the player is blocked", open_session, "PLAYER_BLOCKED"),
        ("the round is closed", unblock, "ROUND_CLOSED"),
        ("an action was rolled back before it came", reopen_round, "ROLLED_BACK"),
        ("a limit leaves too little", name_action("fresh"), "LIMIT_EXCEEDED"),
        ("the money is not there", lift_limits, "INSUFFICIENT_FUNDS"),
        ("nothing is wrong", fund, "OK"),
    ],
    "reverse_win": [
        ("a known id of another event", set_id("known"), "CONFLICT"),
        ("a tombstone names it", set_id("late"), "ROLLED_BACK"),
        ("nobody knows the player", set_id("new"), "PLAYER_NOT_FOUND"),
        ("nobody knows the win", name_nothing(open_player), "BET_NOT_FOUND"),
        ("the win was refused", refuse_win, "BET_NOT_FOUND"),
        ("its bet was rolled back", know_win, "ALREADY_ROLLED_BACK"),
        ("the provider takes no win back", not_rolled_back, "NOT_ROLLBACKABLE"),
        ("nothing is wrong (a block, a session, the provider's state do not matter)", reversals_allowed, "OK"),
    ],
    "adjust": [
        ("a known id of another event", set_id("known"), "CONFLICT"),
        ("a tombstone names it", set_id("late"), "ROLLED_BACK"),
        ("nobody knows the player", set_id("new"), "PLAYER_NOT_FOUND"),
        ("the player has no such wallet", open_player, "WRONG_CURRENCY"),
        ("the bet was refused", name_refused_bet, "BET_NOT_FOUND"),
        ("the bet was rolled back", know_bet, "ALREADY_ROLLED_BACK"),
        ("the money is not there", take_too_much, "INSUFFICIENT_FUNDS"),
        ("nothing is wrong", fund, "OK"),
    ],
    "deposit": [
        ("a known id of another event", set_id("known"), "CONFLICT"),
        ("a tombstone names it", set_id("late"), "ROLLED_BACK"),
        ("nobody knows the player", set_id("new"), "PLAYER_NOT_FOUND"),
        ("the player has no such wallet", open_player, "WRONG_CURRENCY"),
        ("the player is blocked", right_currency, "PLAYER_BLOCKED"),
        ("a limit leaves too little", unblock, "LIMIT_EXCEEDED"),
        ("nothing is wrong", lift_limits, "OK"),
    ],
    "grant_bonus": [
        ("a known id of another event", set_id("known"), "CONFLICT"),
        ("a tombstone names it", set_id("late"), "ROLLED_BACK"),
        ("nobody knows the player", set_id("new"), "PLAYER_NOT_FOUND"),
        ("the player has no such wallet", open_player, "WRONG_CURRENCY"),
        ("the player is blocked", right_currency, "PLAYER_BLOCKED"),
        ("nothing is wrong", unblock, "OK"),
    ],
    "expire_bonus": [
        ("a known id of another event", set_id("known"), "CONFLICT"),
        ("a tombstone names it", set_id("late"), "ROLLED_BACK"),
        ("nobody knows the player", set_id("new"), "PLAYER_NOT_FOUND"),
        ("the player has no such wallet", open_player, "WRONG_CURRENCY"),
        ("nothing is wrong (of a blocked player too; what is not there is not taken)", right_currency, "OK"),
    ],
    "release_bonus": [
        ("a known id of another event", set_id("known"), "CONFLICT"),
        ("a tombstone names it", set_id("late"), "ROLLED_BACK"),
        ("nobody knows the player", set_id("new"), "PLAYER_NOT_FOUND"),
        ("the player has no such wallet", open_player, "WRONG_CURRENCY"),
        ("nobody knows the bonus", right_currency, "INSUFFICIENT_FUNDS"),
        ("it is not wagered", have_the_bonus, "INSUFFICIENT_FUNDS"),
        ("the money is not there", wager_it, "INSUFFICIENT_FUNDS"),
        ("nothing is wrong (a blocked player gets what he has earned)", fund_bonus, "OK"),
    ],
    "withdraw": [
        ("a known id of another event", set_id("known"), "CONFLICT"),
        ("a tombstone names it", set_id("late"), "ROLLED_BACK"),
        ("it is late", set_id("new"), "EXPIRED"),
        ("nobody knows the player", in_time, "PLAYER_NOT_FOUND"),
        ("the player has no such wallet", open_player, "WRONG_CURRENCY"),
        ("the money is not there", right_currency, "INSUFFICIENT_FUNDS"),
        ("nothing is wrong (a blocked player may withdraw)", fund, "OK"),
    ],
    "open_session": [
        ("a known id of another event", set_id("known"), "CONFLICT"),
        ("a tombstone names it", set_id("late"), "ROLLED_BACK"),
        ("nobody knows the player", set_id("new"), "PLAYER_NOT_FOUND"),
        ("the player is blocked", open_player, "PLAYER_BLOCKED"),
        ("nothing is wrong", unblock, "OK"),
    ],
    "close_round": [
        ("a known id of another event", set_id("known"), "CONFLICT"),
        ("a tombstone names it", set_id("late"), "ROLLED_BACK"),
        ("nobody knows the player", set_id("new"), "PLAYER_NOT_FOUND"),
        ("nothing is wrong", open_player, "OK"),
    ],
    "transfer_in": [
        ("a known id of another event", set_id("known"), "CONFLICT"),
        ("a tombstone names it", set_id("late"), "ROLLED_BACK"),
        ("it is late", set_id("new"), "EXPIRED"),
        ("nobody knows the player", in_time, "PLAYER_NOT_FOUND"),
        ("the provider is suspended", open_player, "GAME_BLOCKED"),
        ("the provider has no game wallets", activate_provider, "GAME_BLOCKED"),
        ("the player has no such wallet", give_game_wallets, "WRONG_CURRENCY"),
        ("the player is blocked", right_currency, "PLAYER_BLOCKED"),
        ("the money is not there", unblock, "INSUFFICIENT_FUNDS"),
        ("nothing is wrong", fund, "OK"),
    ],
    "transfer_out": [
        ("a known id of another event", set_id("known"), "CONFLICT"),
        ("a tombstone names it", set_id("late"), "ROLLED_BACK"),
        ("nobody knows the player", set_id("new"), "PLAYER_NOT_FOUND"),
        ("the provider has no game wallets", open_player, "GAME_BLOCKED"),
        ("the player has no such wallet", give_game_wallets, "WRONG_CURRENCY"),
        ("the provider tells another balance", right_currency, "DISCREPANCY"),
        ("the money is not there", report_nothing, "INSUFFICIENT_FUNDS"),
        ("nothing is wrong (neither block nor suspension matter)", fund_game_wallet, "OK"),
    ],
    "self_exclude": [
        ("a known id of another event", set_id("known"), "CONFLICT"),
        ("a tombstone names it", set_id("late"), "ROLLED_BACK"),
        ("nobody knows the player", set_id("new"), "PLAYER_NOT_FOUND"),
        ("nothing is wrong (a blocked player may exclude himself)", open_player, "OK"),
    ],
    "set_limit": [
        ("a known id of another event", set_id("known"), "CONFLICT"),
        ("a tombstone names it", set_id("late"), "ROLLED_BACK"),
        ("nobody knows the player", set_id("new"), "PLAYER_NOT_FOUND"),
        ("the player has no such wallet", open_player, "WRONG_CURRENCY"),
        ("nothing is wrong (a blocked player may set limits)", right_currency, "OK"),
    ],
    "open_player": [
        ("a known id of another event", set_id("known"), "CONFLICT"),
        ("a tombstone names it", set_id("late"), "ROLLED_BACK"),
        ("nothing is wrong", set_id("new"), "OK"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("type_", TABLES)
def test_the_first_thing_that_is_wrong_answers(type_: str) -> None:
    world = all_wrong(type_)
    for what, fix, code in TABLES[type_]:
        fix(world)
        assert world.decide().code.value == code, what


def test_the_table_is_in_the_order_of_the_law() -> None:
    numbers = [row.number for row in PRECEDENCE]
    assert numbers == sorted(numbers)


def test_every_decided_type_has_guards_and_each_begins_with_the_known_id() -> None:
    assert set(GUARDS) == DECIDED_TYPES
    assert all(guards[0] is PRECEDENCE[0].guard for guards in GUARDS.values())


@pytest.mark.parametrize("type_", TABLES)
def test_deciding_changes_nothing(type_: str) -> None:
    world = all_wrong(type_)
    for _, fix, _ in TABLES[type_]:
        fix(world)
        before = repr(world.books)
        world.decide()
        assert repr(world.books) == before


def test_the_table_in_the_docs_is_the_table_in_the_code() -> None:
    text = (Path(__file__).parents[3] / "docs" / "law.md").read_text()
    written = re.findall(r"^\| (\d+) \| `(\w+)` \|", text, re.MULTILINE)
    assert written == [(str(row.number), row.guard.__name__) for row in PRECEDENCE]
