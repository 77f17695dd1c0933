"""What the naive wallet can read off its list of decided events; nothing is kept but that list and the tombstones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from tests.histories.events import EXPONENTS

Event = dict[str, Any]

WINNINGS = ("gaming", "jackpot", "tournament")
#: The types' own fields, in the contract's order.
OWN = {
    "bet": ("jackpot_contribution", "bonus_id"), "win": (), "bet_win": ("bet_amount", "win_amount"),
    "refund": ("reason",), "reverse_win": ("reason",), "adjust": ("reason",),
    "open_session": ("session_id", "channel"), "close_session": ("session_id",),
    "grant_bonus": ("bonus_id", "wagering_requirement"), "expire_bonus": ("bonus_id", "wagering_requirement"),
    "release_bonus": ("bonus_id", "wagering_requirement"), "open_player": ("time_zone",),
    "transfer_out": ("reported_balance",), "set_limit": ("limit", "period"), "confirm_limit": ("limit", "period"),
    "batch": ("actions",),
}  # fmt: skip


@dataclass(eq=False)
class Fact:
    """One decided event. ``moves`` is what it changed of the player's pools, by (currency, pool)."""

    event: Event
    code: str
    wallet: str = ""
    rate: Fraction | None = None
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    stake: dict[str, int] = field(default_factory=dict)
    stake_event: int = 0
    paid: dict[str, int] = field(default_factory=dict)
    win_event: int = 0
    account: str = ""
    back: dict[str, int] = field(default_factory=dict)
    undone: dict[str, int] = field(default_factory=dict)
    refund_event: int = 0
    settled: int = 0
    bet: Fact | None = None
    win: Fact | None = None
    conflict: str | None = None


@dataclass
class Refusal:
    """The code of a refusal, whether it burns the id, and whether the event waits before it is refused so."""

    code: str
    burns: bool = True
    waits: bool = False


@dataclass
class Bonus:
    """How far a bonus is."""

    required: int
    since: int
    wagered: int = 0


@dataclass
class Past:
    """``flags`` are those of providers ``acme`` (seamless) and ``live`` (with game wallets)."""

    flags: dict[str, dict[str, Any]]
    rates: dict[str, Fraction]
    facts: list[Fact] = field(default_factory=list)
    tombstones: set[tuple[str, str, str]] = field(default_factory=set)

    def rules(self, event: Event) -> dict[str, Any]:
        strict = {"fx": False, "id_scope": "provider", "id_includes_type": False, "status": "active"}
        return self.flags.get(event["provider"], {**strict, "require_session": False})

    def has_game_wallet(self, event: Event) -> bool:
        return bool(event["provider"] == "live")

    def pools(self, event: Event) -> tuple[str, ...]:
        return ("game:live",) if self.has_game_wallet(event) else ("cash", "bonus")

    def paying_pool(self, event: Event, parts: dict[str, int] | None) -> str:
        if self.has_game_wallet(event):
            return "game:live"
        if not parts:
            return "cash"
        most = max(parts.values())
        return "cash" if parts.get("cash") == most else next(pool for pool in parts if parts[pool] == most)

    # ------------------------------------------------------------------------------------------------ ids

    def same_id(self, one: Event, other: Event) -> bool:
        if (one["provider"], one["transaction_id"]) != (other["provider"], other["transaction_id"]):
            return False
        rules = self.rules(one)
        if rules["id_scope"] == "player" and one["player_id"] != other["player_id"]:
            return False
        kinds = ["bet" if event["type"] == "bet_win" else event["type"] for event in (one, other)]
        return not rules["id_includes_type"] or kinds[0] == kinds[1]

    def known(self, event: Event) -> Fact | None:
        return next((one for one in self.facts if self.same_id(one.event, event)), None)

    def difference(self, one: Event, other: Event) -> str | None:
        names = ["type", "player_id", "currency", "amount", "game_id", "round_id", "reference", "kind"]
        if one["type"] in ("rollback", "refund", "reverse_win"):
            names = [name for name in names if name not in ("currency", "game_id", "round_id")]
        if one["type"] == "bet_win":
            names.remove("amount")
        own = OWN.get(other["type"], ())
        for name in (*names, *[name for name in own if other.get(name)], *own):
            if not same(_compared(one.get(name)), _compared(other.get(name))):
                return name
        return None

    def is_tombstone(self, event: Event) -> bool:
        name = (event["provider"], event["player_id"], event["transaction_id"])
        return name in self.tombstones

    def is_marked(self, event: Event) -> bool:
        """Whether the id that an event refers to was rolled back, before it came or after."""
        return (event["provider"], event["player_id"], event["reference"]) in self.tombstones or any(
            fact.bet is not None and fact.bet.event["transaction_id"] == event["reference"]
            for fact in self.of(event)
            if fact.event["type"] == "rollback" and fact.code == "OK"
        )

    def bet_of(self, event: Event) -> Fact | None:
        """What an event refers to: with types in its ids only bets are looked for, of which an id has one."""
        if event.get("reference") is None:
            return None
        mine = [one for one in self.of(event) if one.event["transaction_id"] == event["reference"]]
        if not self.rules(event)["id_includes_type"]:
            return mine[0] if mine else None
        bets = [one for type_ in ("bet", "bet_win") for one in mine if one.event["type"] == type_]
        return bets[0] if bets else None

    def win_of(self, event: Event) -> Fact | None:
        mine = [one for one in self.of(event) if one.event["transaction_id"] == event["reference"]]
        if self.rules(event)["id_includes_type"]:
            mine = [one for one in mine if one.event["type"] == "win"]
        return mine[0] if mine else None

    def of(self, event: Event) -> Iterator[Fact]:
        """All of the same player and provider."""
        for one in self.facts:
            if (one.event["player_id"], one.event["provider"]) == (event["player_id"], event["provider"]):
                yield one

    # ---------------------------------------------------------------------------------------------- money

    def wallets(self, player_id: str) -> list[str]:
        opened = [one.event["currency"] for one in self._accepted(player_id, "open_player")]
        return list(dict.fromkeys(opened))

    def balance(self, player_id: str, currency: str, pool: str) -> int:
        return sum(one.moves[(currency, pool)] for one in self.facts if one.event["player_id"] == player_id)

    def usage(self, player_id: str) -> Counter[str]:
        """Of euros: what limits are measured by."""
        used: Counter[str] = Counter()
        for one in self.facts:
            if one.event["player_id"] != player_id or one.wallet != "EUR" or one.code != "OK":
                continue
            used["wagered"] += sum(one.stake.values()) - sum(one.back.values())
            used["staked"] += sum(part for pool, part in one.stake.items() if pool != "bonus")
            used["staked"] -= sum(part for pool, part in one.back.items() if pool != "bonus")
            if one.account in WINNINGS:
                used["won"] += sum(part for pool, part in one.paid.items() if pool != "bonus")
            if one.event["type"] == "deposit":
                used["deposited"] += sum(one.paid.values())
            if one.event["type"] in ("rollback", "reverse_win"):
                used["won"] -= self._unwon(one)
            used["won"] += max(0, one.settled)
            used["staked"] += max(0, -one.settled)
        return used

    def _unwon(self, one: Fact) -> int:
        counted = one.account in WINNINGS if one.win is not None else True
        return sum(part for pool, part in one.undone.items() if pool != "bonus") if counted else 0

    def bonuses(self, player_id: str) -> dict[tuple[str, str], Bonus]:
        """Played again from the beginning: granted, wagered, given back, ended."""
        had: dict[tuple[str, str], Bonus] = {}
        for place, one in enumerate(self.facts):
            event = one.event
            if event["player_id"] != player_id or one.code != "OK":
                continue
            key = (event.get("bonus_id", ""), one.wallet)
            if event["type"] == "grant_bonus":
                required = minor(event.get("wagering_requirement") or "0", event["currency"])
                if key in had:
                    had[key].required += required
                else:
                    had[key] = Bonus(required, place)
            ends = event["type"] == "release_bonus" and not self._bonus_left(player_id, one.wallet, place)
            if event["type"] == "expire_bonus" or ends:
                had.pop(key, None)
            if one.stake and event.get("kind", "stake") == "stake":
                self._forward(had, one)
            if one.back and one.bet is not None and one.bet.event.get("kind", "stake") == "stake":
                self._backward(had, one)
        return had

    def _bonus_left(self, player_id: str, wallet: str, up_to: int) -> int:
        mine = [one for one in self.facts[: up_to + 1] if one.event["player_id"] == player_id]
        return sum(one.moves[(wallet, "bonus")] for one in mine)

    def _forward(self, had: dict[tuple[str, str], Bonus], one: Fact) -> None:
        amount = sum(one.stake.values())
        own = [bonus for (_, currency), bonus in had.items() if currency == one.wallet]
        unmet = [bonus for bonus in own if bonus.wagered < bonus.required]
        named = had.get((one.event.get("bonus_id", ""), one.wallet)) if one.event["type"] == "bet" else None
        chosen = named or (unmet[0] if unmet else own[-1] if own else None)
        if chosen is not None:
            chosen.wagered += amount

    def _backward(self, had: dict[tuple[str, str], Bonus], one: Fact) -> None:
        assert one.bet is not None
        left, since = sum(one.back.values()), self.facts.index(one.bet)
        own = {key: bonus for key, bonus in had.items() if key[1] == one.wallet and bonus.since < since}
        named = own.get((one.bet.event.get("bonus_id", ""), one.wallet))
        for bonus in [named] if named is not None else reversed(list(own.values())):
            off = min(left, bonus.wagered)
            bonus.wagered -= off
            left -= off

    def limits(self, player_id: str) -> dict[tuple[str, str], int]:
        """A raise would have to wait longer than a history lasts."""
        found: dict[tuple[str, str], int] = {}
        for one in self._accepted(player_id, "set_limit"):
            key, value = (one.event["limit"], one.event["period"]), minor(one.event["amount"], "EUR")
            found[key] = min(value, found.get(key, value))
        return found

    def _accepted(self, player_id: str, type_: str) -> Iterator[Fact]:
        for one in self.facts:
            if one.event["player_id"] == player_id and one.event["type"] == type_ and one.code == "OK":
                yield one

    # --------------------------------------------------------------------------------------------- states

    def is_blocked(self, player_id: str) -> bool:
        blocked = False
        for one in self.facts:
            if one.event["player_id"] == player_id and one.code == "OK":
                blocked = {"block_player": True, "unblock_player": False}.get(one.event["type"], blocked)
        return blocked

    def in_session(self, event: Event) -> bool:
        channels: dict[str, str] = {}
        for one in self.facts:
            if one.event["player_id"] != event["player_id"] or one.code != "OK":
                continue
            session_id = one.event.get("session_id", "")
            if one.event["type"] in ("open_session", "close_session"):
                channels = {channel: held for channel, held in channels.items() if held != session_id}
            if one.event["type"] == "open_session":
                channels[one.event.get("channel", "web")] = session_id
        return event.get("session_id") in channels.values()

    def is_closed(self, event: Event, round_id: str) -> bool:
        """In the order of decision: a win that is taken back opens the round again that it closed."""
        rules, closed = self.rules(event), False
        by_win = rules["settlement"] == "per_round" and rules["wins_per_bet"] == "one"
        for one in self.of(event):
            if one.code != "OK":
                continue
            type_, kind = one.event["type"], one.event.get("kind")
            if type_ == "reverse_win" and one.win is not None and one.win.event.get("round_id") == round_id:
                closed = closed and not (by_win and one.win.event["kind"] == "game")
            if one.event.get("round_id") != round_id:
                continue
            game_win = type_ == "bet_win" or (type_ == "win" and kind == "game")
            closed = closed or type_ == "close_round" or bool(one.event.get("round_closed"))
            closed = closed or (by_win and game_win)
        return closed

    def is_rolled_back(self, bet: Fact) -> bool:
        return any(
            one.bet is bet and one.event["type"] == "rollback" for one in self.facts if one.code == "OK"
        )

    def is_reversed(self, win: Fact) -> bool:
        return any(one.win is win for one in self.facts if one.code == "OK")

    def is_reversed_id(self, event: Event) -> bool:
        return any(
            one.win is not None and one.win.event["transaction_id"] == event["reference"]
            for one in self.of(event)
            if one.code == "OK"
        )

    def wins_of(self, bet: Fact) -> list[Fact]:
        """Those that still stand; a bet_win is its own."""
        wins = [
            one for one in self.facts
            if one.event["type"] == "win" and one.bet is bet and one.code == "OK" and not self.is_reversed(one)
        ]  # fmt: skip
        return [bet, *wins] if bet.event["type"] == "bet_win" else wins

    def is_settled(self, bet: Fact) -> bool:
        return bool(self.wins_of(bet)) or self.is_closed(bet.event, bet.event["round_id"])

    def refunded(self, bet: Fact) -> int:
        return sum(one.refund_event for one in self.facts if one.bet is bet and one.code == "OK")

    def win_refused(self, event: Event) -> Refusal | None:
        """Why a win is not paid."""
        rules, is_game = self.rules(event), event["kind"] == "game"
        bet = self.bet_of(event)
        if event.get("reference") is not None and self.is_marked(event):
            return Refusal("ROLLED_BACK")
        if bet is None or bet.event["type"] not in ("bet", "bet_win"):
            if not is_game or rules["win_without_bet"]:
                return None
            if event.get("reference") is None and rules["settlement"] == "per_round":
                played = [
                    one for one in self.of(event)
                    if one.event["type"] in ("bet", "bet_win") and one.code == "OK"
                    and one.event["round_id"] == event["round_id"]
                ]  # fmt: skip
                if played:
                    return Refusal("ROLLED_BACK") if all(map(self.is_rolled_back, played)) else None
                return Refusal("BET_NOT_FOUND", burns=False, waits=True)
            return Refusal(
                "BET_NOT_FOUND", burns=False, waits=bet is None and event.get("reference") is not None
            )
        if bet.code != "OK":
            return Refusal("BET_NOT_FOUND")
        if bet.event["currency"] != event["currency"]:
            return Refusal("WRONG_CURRENCY")
        if is_game and bet.event["round_id"] != event["round_id"]:
            return Refusal("BET_NOT_FOUND", burns=False)
        if bet.event["type"] == "bet" and bet.stake_event and self.refunded(bet) >= bet.stake_event:
            return Refusal("ALREADY_SETTLED")
        games = [one for one in self.wins_of(bet) if one.event.get("kind", "game") == "game"]
        return Refusal("ALREADY_SETTLED") if is_game and games and rules["wins_per_bet"] == "one" else None


def takes_stakes(past: Past, batch: Event) -> bool:
    return any(action["type"] == "bet" and past.known(action) is None for action in batch["actions"])


def minor(amount: str, currency: str) -> Any:
    """Minor units; None where the currency has fewer decimals."""
    exact = Fraction(amount) * 10 ** EXPONENTS[currency]
    return int(exact) if exact.denominator == 1 else None


def _compared(value: Any) -> Any:
    """A batch's actions without their session: no event is another one for that of its session."""
    if not isinstance(value, list):
        return value
    return [{name: told for name, told in action.items() if name != "session_id"} for action in value]


def same(one: Any, other: Any) -> bool:
    """By value, where both are numbers."""
    try:
        return Fraction(one) == Fraction(other)
    except (TypeError, ValueError):
        return bool(one == other)
