"""One example of every event and some results: shown in the exported schemas and documents, checked by tests."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

Example = dict[str, Any]

_OCCURRED_AT: Final = "2026-11-22T10:00:00Z"


def _event(event_type: str, provider: str, transaction_id: str, **fields: Any) -> Example:
    common = {"type": event_type, "provider": provider, "transaction_id": transaction_id, "player_id": "p-7"}
    return {**common, **fields, "occurred_at": _OCCURRED_AT}


def _play(event_type: str, transaction_id: str, **fields: Any) -> Example:
    return _event(event_type, "acme", transaction_id, **fields)


def _in_round(event_type: str, transaction_id: str, **fields: Any) -> Example:
    return _play(event_type, transaction_id, game_id="book-of-tests", round_id="r-55", **fields)


def _cashier(event_type: str, transaction_id: str, **fields: Any) -> Example:
    return _event(event_type, "cashier", transaction_id, currency="EUR", **fields)


def _operator(event_type: str, transaction_id: str, **fields: Any) -> Example:
    return _event(event_type, "operator", transaction_id, **fields)


def _events() -> list[Example]:
    actions = [
        {"type": "bet", "transaction_id": "b-1002", "amount": "1.00"},
        {"type": "bet", "transaction_id": "b-1003", "amount": "0.50", "kind": "tip"},
        {"type": "win", "transaction_id": "w-1002", "amount": "4.00", "reference": "b-1002"},
    ]
    return [
        _in_round("bet", "b-1001", session_id="s-1", currency="EUR", amount="2.50"),
        _in_round("win", "w-1001", reference="b-1001", currency="EUR", amount="10.00", round_closed=True),
        _in_round("bet_win", "bw-1", currency="EUR", bet_amount="1.00", win_amount="0.40", session_id="s-1"),
        _in_round("batch", "batch-1", currency="EUR", actions=actions, session_id="s-1"),
        _play("rollback", "c-1001", reference="b-1001"),
        _play("refund", "f-1001", reference="b-1001", amount="1.00", currency="EUR", reason="game aborted"),
        _play("reverse_win", "v-1001", reference="w-1001", reason="wrong result"),
        _play("adjust", "a-1001", currency="EUR", amount="-3.20", reason="settled again", reference="b-1001"),
        _in_round("close_round", "z-1001"),
        _play(
            "open_session", "o-1", session_id="s-1", currency="EUR", expires_at="2026-11-22T16:00:00+01:00",
            channel="mobile",
        ),
        _play("close_session", "o-2", session_id="s-1"),
        _event("transfer_in", "acme-live", "t-1", currency="EUR", amount="20.00"),
        _event("transfer_out", "acme-live", "t-2", currency="EUR", amount="all", reported_balance="17.35"),
        _cashier("deposit", "d-1", amount="100.00", external_reference="psp-884211"),
        _cashier("withdraw", "d-2", amount="40.00"),
        _cashier("grant_bonus", "g-1", amount="10.00", bonus_id="welcome", wagering_requirement="300.00"),
        _cashier("expire_bonus", "g-2", amount="10.00", bonus_id="welcome"),
        _cashier("release_bonus", "g-3", amount="10.00", bonus_id="welcome"),
        _operator("open_player", "p-7-eur", currency="EUR", country="DE", time_zone="Europe/Berlin"),
        _operator("block_player", "k-1", reason="documents are missing"),
        _operator("unblock_player", "k-2"),
        _operator("self_exclude", "x-1", until="2027-11-22T00:00:00+01:00"),
        _operator("cool_off", "x-2", until="2026-11-29T00:00:00+01:00"),
        _operator("set_limit", "l-1", limit="loss", period="day", currency="EUR", amount="50.00"),
        _operator("confirm_limit", "l-2", limit="loss", period="day", currency="EUR"),
    ]  # fmt: skip


#: An example of each event type, by type.
EVENT_EXAMPLES: Final[Mapping[str, Example]] = MappingProxyType({event["type"]: event for event in _events()})

_RESULT_OF_BET: Final[Example] = {
    "type": "bet",
    "provider": "acme",
    "transaction_id": "b-1001",
    "player_id": "p-7",
    "session_id": "s-1",
    "round_id": "r-55",
    "game_id": "book-of-tests",
    "kind": "stake",
    "status": "accepted",
    "code": "OK",
    "http_status": 200,
    "retryable": False,
    "replayed": False,
    "wallet_transaction_id": "0199a3c4-7e21-7cc3-98d2-0b6f6f1f0a51",
    "sequence": 12,
    "amount": "-2.50",
    "currency": "EUR",
    "split": {"cash": "-2.50"},
    "balance": {"cash": "97.50", "bonus": "0.00", "game_wallet": "0.00", "debt": "0.00", "total": "97.50"},
    "message": "Bet accepted.",
    "source": {"topic": "wallet.events", "partition": 3, "offset": 18},
    "applied_at": "2026-11-22T10:00:00.012345Z",
}


def _refused(code: str, http_status: int, message: str, **more: Any) -> Example:
    refused = {"status": "rejected", "code": code, "http_status": http_status, "amount": "0.00", "split": {}}
    return {**_RESULT_OF_BET, **refused, "message": message, **more}


#: Results by what they show.
RESULT_EXAMPLES: Final[Mapping[str, Example]] = MappingProxyType(
    {
        "an accepted bet": _RESULT_OF_BET,
        "a bet above a limit": _refused(
            "LIMIT_EXCEEDED",
            403,
            "A limit of the player's does not allow it.",
            limit={
                "limit": "loss",
                "period": "day",
                "amount": "50.00",
                "left": "1.20",
                "resets_at": "2026-11-22T23:00:00Z",
            },
        ),
        "an id used for something else": _refused(
            "CONFLICT",
            409,
            "The transaction id was used before for something else.",
            conflict="amount",
            wallet_transaction_id=None,
        ),
    }
)
