"""Records that no wallet can believe, each with the dead letter it must become; and what Postgres refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import orjson

from processor.devstack.traffic.event import Player, Table, TrafficEvent

#: Fits numeric(38,0) once in the 18 decimals of ETH, and not twice: 6e37, and 1.2e38.
WHALE_AMOUNT: Final = "60000000000000000000"
WHALE_POISON_EVENTS: Final = 3


def _good(table: Table, player: Player) -> dict[str, Any]:
    """A bet with nothing wrong, as the ground that one thing is made wrong on."""
    return {
        "type": "bet",
        "provider": "acme",
        "transaction_id": table.new_id("x"),
        "player_id": player.player_id,
        "occurred_at": table.occurred_at(),
        "currency": player.currency,
        "amount": "1",
        "game_id": "book-of-tests",
        "round_id": table.new_id("r"),
        "session_id": player.session_id,
    }


def _letter(
    player: Player, value: bytes | None, what: str, reason: str, key: bytes | None = None
) -> TrafficEvent:
    return TrafficEvent(key or player.player_id.encode(), value, what, None, reason)


def _not_json(table: Table, player: Player) -> TrafficEvent:
    value = orjson.dumps(_good(table, player))
    return _letter(player, value[: len(value) // 2], "torn JSON", "UNDECODABLE")


def _not_text(table: Table, player: Player) -> TrafficEvent:
    return _letter(player, b"\xff\xfe" + table.random.randbytes(40), "bytes that are no text", "UNDECODABLE")


def _no_value(_table: Table, player: Player) -> TrafficEvent:
    return _letter(player, None, "no value", "UNDECODABLE")


def _field_missing(table: Table, player: Player) -> TrafficEvent:
    event = _good(table, player)
    del event[table.random.choice(("transaction_id", "round_id", "occurred_at", "game_id"))]
    return _letter(player, orjson.dumps(event), "a field missing", "UNDECODABLE")


def _duplicate_keys(table: Table, player: Player) -> TrafficEvent:
    value = orjson.dumps(_good(table, player))
    return _letter(player, value[:-1] + b',"amount":"9"}', "the amount named twice", "UNDECODABLE")


def _changed(what: str, reason: str, field: str, wrong: object) -> Callable[[Table, Player], TrafficEvent]:
    def make(table: Table, player: Player) -> TrafficEvent:
        return _letter(player, orjson.dumps({**_good(table, player), field: wrong}), what, reason)

    return make


def _forged_deposit(table: Table, player: Player) -> TrafficEvent:
    event = {**_good(table, player), "type": "deposit"}
    return _letter(player, orjson.dumps(event), "a provider's deposit", "NOT_PERMITTED")


def _wrong_key(table: Table, player: Player) -> TrafficEvent:
    value = orjson.dumps(_good(table, player))
    return _letter(player, value, "another player's key", "KEY_MISMATCH", b"not-" + player.player_id.encode())


def _too_large(table: Table, player: Player) -> TrafficEvent:
    event = {**_good(table, player), "notes": "x" * 70_000}
    return _letter(player, orjson.dumps(event), "more than 64 KiB", "TOO_LARGE")


_COMMON: Final[tuple[Callable[[Table, Player], TrafficEvent], ...]] = (
    _not_json,
    _not_text,
    _no_value,
    _field_missing,
    _duplicate_keys,
    _forged_deposit,
    _wrong_key,
    _changed("too many decimals", "INVALID_AMOUNT", "amount", "1.0000000000000000001"),
    _changed("an amount as a number", "INVALID_AMOUNT", "amount", 1.5),
    _changed("a negative amount", "INVALID_AMOUNT", "amount", "-1"),
    _changed("a currency nobody knows", "UNKNOWN_CURRENCY", "currency", "QQQ"),
    _changed("a type nobody knows", "UNKNOWN_TYPE", "type", "teleport"),
    _changed("a version nobody speaks", "UNKNOWN_VERSION", "version", 9),
)


def malformed(table: Table, player: Player) -> Iterator[TrafficEvent]:
    make = _too_large if table.random.random() < 0.01 else table.random.choice(_COMMON)
    yield make(table, player)


def oversized(table: Table, player: Player) -> Iterator[TrafficEvent]:
    yield _too_large(table, player)


def whale(table: Table, player: Player) -> Iterator[TrafficEvent]:
    """Deposits that are fine alone and overflow the ledger's numbers together: only the first is taken."""
    fields = {"currency": player.currency, "amount": WHALE_AMOUNT}
    yield table.event(player, "deposit", "cashier", "a whale's deposit", **fields)
    for _ in range(WHALE_POISON_EVENTS):
        event = table.event(player, "deposit", "cashier", "a deposit that overflows", **fields)
        yield TrafficEvent(event.key, event.value, event.what, event.fields, "POISON")
