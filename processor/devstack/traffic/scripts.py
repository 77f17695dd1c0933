"""Pieces of play: each is a few events of one player, in the order in which they are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from processor.devstack.traffic.event import LOWEST_DEPOSIT, Player, Table, TrafficEvent, chips_text
from processor.devstack.traffic.seat import Seat, id_of

Script = Callable[[Table, Player], Iterator[TrafficEvent]]

OPENING_CHIPS: Final = 400
SESSION_PROVIDER: Final = "operator"


def _open_session(table: Table, player: Player) -> TrafficEvent:
    player.sessions += 1
    player.session_id = f"{player.player_id}-s{player.sessions}"
    fields = {"session_id": player.session_id, "currency": player.currency}
    return table.event(player, "open_session", SESSION_PROVIDER, "open session", **fields)


def _cashier(table: Table, player: Player, type_: str, chips: int, what: str) -> TrafficEvent:
    amount = chips_text(chips, player.currency)
    return table.event(player, type_, "cashier", what, currency=player.currency, amount=amount)


def join(table: Table, player: Player) -> Iterator[TrafficEvent]:
    yield table.event(player, "open_player", "operator", "open player", currency=player.currency)
    yield _cashier(table, player, "deposit", OPENING_CHIPS, "deposit")
    yield _open_session(table, player)


def play_round(table: Table, player: Player) -> Iterator[TrafficEvent]:
    """A bet; mostly a win, which may be 0; sometimes several where the provider plays so; the last closes."""
    seat = Seat(table, player)
    bet = seat.bet()
    yield bet
    wins = table.random.choice((0, 1, 1, 1, 2, 3) if seat.rules.many_wins else (0, 1, 1))
    for number in range(wins):
        yield seat.win(id_of(bet), round_closed=number == wins - 1)


def play_long_round(table: Table, player: Player) -> Iterator[TrafficEvent]:
    """Several bets of one round, a win on the last, the round closed by the provider."""
    seat = Seat(table, player)
    bet = seat.bet()
    yield bet
    for _ in range(table.random.randint(1, 3)):
        bet = seat.bet()
        yield bet
    yield seat.win(id_of(bet))
    fields = {"game_id": seat.game_id, "round_id": seat.round_id}
    yield table.event(player, "close_round", seat.provider, "close round", **fields)


def bet_into_closed_round(table: Table, player: Player) -> Iterator[TrafficEvent]:
    seat = Seat(table, player)
    bet = seat.bet()
    yield bet
    yield seat.win(id_of(bet), round_closed=True)
    yield seat.bet("bet into a closed round")


def bet_too_much(table: Table, player: Player) -> Iterator[TrafficEvent]:
    """A stake nobody has; its win finds no bet, its rollback nothing to give back."""
    seat = Seat(table, player)
    bet = seat.bet("bet beyond funds", amount=seat.amount(10**7, 10**8))
    yield bet
    if table.random.random() < 0.3:
        yield seat.win(id_of(bet), "win on a refused bet")
    if table.random.random() < 0.3:
        yield seat.rollback(id_of(bet), "rollback of a refused bet")


def repeat(table: Table, player: Player) -> Iterator[TrafficEvent]:
    """The same bytes again, once or a few times."""
    if player.sent:
        event = table.random.choice(player.sent)
        for _ in range(table.random.choice((1, 1, 1, 2, 3))):
            yield TrafficEvent(event.key, event.value, "duplicate", event.fields)


def contradict(table: Table, player: Player) -> Iterator[TrafficEvent]:
    """Another amount under an id that is known."""
    seat = Seat(table, player)
    bet = seat.bet()
    yield bet
    yield seat.bet("conflict", transaction_id=id_of(bet), amount=seat.amount(21, 40))


def cancel(table: Table, player: Player) -> Iterator[TrafficEvent]:
    """A bet and its rollback; sometimes a second rollback, sometimes a win that comes too late."""
    seat = Seat(table, player)
    bet = seat.bet()
    yield bet
    yield seat.rollback(id_of(bet))
    if table.random.random() < 0.3:
        yield seat.rollback(id_of(bet), "second rollback")
    if table.random.random() < 0.3:
        yield seat.win(id_of(bet), "win after the rollback")


def cancel_too_late(table: Table, player: Player) -> Iterator[TrafficEvent]:
    seat = Seat(table, player)
    bet = seat.bet()
    yield bet
    yield seat.win(id_of(bet))
    yield seat.rollback(id_of(bet), "rollback after the win")


def overtaking_rollback(table: Table, player: Player) -> Iterator[TrafficEvent]:
    """The rollback comes first; the bet that follows must not take a stake."""
    seat = Seat(table, player)
    bet = seat.bet("bet after its rollback")
    yield seat.rollback(id_of(bet), "rollback before its bet")
    yield bet


def overtaking_win(table: Table, player: Player) -> Iterator[TrafficEvent]:
    """The win comes first and waits; what the player does meanwhile at this provider queues behind it."""
    seat = Seat(table, player)
    bet = seat.bet("bet after its win")
    yield seat.win(id_of(bet), "win before its bet")
    if table.random.random() < 0.5:
        meanwhile = Seat(table, player)
        meanwhile.provider = seat.provider
        yield meanwhile.bet("bet behind a waiting win")
    yield bet


def orphan_win(table: Table, player: Player) -> Iterator[TrafficEvent]:
    """A win whose bet never comes, and a bet queued behind it. The player leaves after it."""
    seat = Seat(table, player)
    yield seat.win(table.new_id("b"), "win without a bet")
    yield seat.bet("bet behind a waiting win")


def change_session(table: Table, player: Player) -> Iterator[TrafficEvent]:
    """A newer session replaces the older; a bet in the older one is refused."""
    older = player.session_id
    yield _open_session(table, player)
    if table.random.random() < 0.5:
        yield Seat(table, player).bet("bet in a replaced session", session_id=older)


def bet_after_deadline(table: Table, player: Player) -> Iterator[TrafficEvent]:
    yield Seat(table, player).bet("bet after its deadline", deadline="2026-01-01T00:00:00Z")


def bet_in_other_currency(table: Table, player: Player) -> Iterator[TrafficEvent]:
    other = "USD" if player.currency == "EUR" else "EUR"
    yield Seat(table, player).bet("bet in another currency", currency=other, amount="1.00")


def pay_promotion(table: Table, player: Player) -> Iterator[TrafficEvent]:
    seat = Seat(table, player)
    fields = {"currency": player.currency, "kind": "promo", "campaign_id": "spring"}
    yield table.event(player, "win", seat.provider, "promotional win", amount=seat.amount(1, 5), **fields)


def use_cashier(table: Table, player: Player) -> Iterator[TrafficEvent]:
    """A deposit, or a withdrawal that may be refused."""
    if table.random.random() < 0.5:
        yield _cashier(table, player, "deposit", table.random.randint(LOWEST_DEPOSIT, 200), "deposit")
    else:
        yield _cashier(table, player, "withdraw", table.random.randint(10, 600), "withdrawal")


def bet_of_a_stranger(table: Table, player: Player) -> Iterator[TrafficEvent]:
    stranger = Player(f"{player.player_id}-ghost", player.currency, f"{player.player_id}-ghost-s")
    yield Seat(table, stranger).bet("bet of an unknown player")
