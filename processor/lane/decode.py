"""Step 3, decode: bytes become a command of the law, or a dead letter with the first reason that holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

import orjson

from processor.domain.commands import Command
from processor.lane.work import Arrival
from processor.ports import EventRecord, Sender
from schemas.decoding import check_permission, decode
from schemas.plain import plain_event
from schemas.reasons import Reason, Refused

#: The type's own fields that two events under one id are compared by, in the contract's order (the fingerprint).
OWN_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "bet": ("jackpot_contribution", "bonus_id", "campaign_id"),
    "win": ("bonus_id", "campaign_id"),
    "bet_win": ("bet_amount", "win_amount"),
    "refund": ("reason",),
    "reverse_win": ("reason",),
    "adjust": ("reason",),
    "open_session": ("session_id", "expires_at", "channel"),
    "close_session": ("session_id",),
    "deposit": ("external_reference",),
    "withdraw": ("external_reference",),
    "grant_bonus": ("bonus_id", "wagering_requirement"),
    "expire_bonus": ("bonus_id", "wagering_requirement"),
    "release_bonus": ("bonus_id", "wagering_requirement"),
    "open_player": ("country", "time_zone", "jurisdiction"),
    "transfer_out": ("reported_balance",),
    "block_player": ("reason",),
    "unblock_player": ("reason",),
    "self_exclude": ("until", "reason"),
    "cool_off": ("until", "reason"),
    "set_limit": ("limit", "period", "minutes"),
    "confirm_limit": ("limit", "period"),
}
_MONEY: Final = frozenset(
    {"jackpot_contribution", "bet_amount", "win_amount", "wagering_requirement", "reported_balance"}
)


class Door:
    """Reads records with the currencies and types that this installation knows now."""

    def __init__(self, currencies: Mapping[str, int], known_types: Set[str]) -> None:
        self._currencies = currencies
        self._known_types = known_types

    def open(self, arrivals: Sequence[Arrival]) -> None:
        """Give each arrival that has no reason yet its command, or its reason."""
        for arrival in arrivals:
            if arrival.reason is not None:
                continue
            try:
                arrival.command = self.command(arrival.record, arrival.sender)
            except Refused as refused:
                arrival.reason, arrival.detail = refused.reason, refused.detail
                arrival.claimed_provider, arrival.claimed_player_id = refused.provider, refused.player_id
            except Exception as surprise:  # noqa: BLE001 - no input may stop a lane: what the door cannot name is poison
                arrival.reason = Reason.POISON
                arrival.detail = f"The event could not be decoded: {type(surprise).__name__}."

    def command(self, record: Any, sender: Sender | None = None) -> Command:
        """The command of a record, which ``sender`` signed (None: nobody had to). Raises `schemas.reasons.Refused`."""
        content_type, traceparent = _headers(record) if record.headers else (None, None)
        if content_type is None:
            fields = plain_event(record.key, record.value, self._currencies)
            if fields is not None:
                if sender is not None:
                    check_permission(
                        sender.objection, fields["provider"], fields["type"], fields["player_id"]
                    )
                return _plain_command(fields, record, traceparent)
        event = decode(
            record.key,
            record.value,
            currencies=self._currencies,
            known_types=self._known_types,
            content_type=content_type,
            objection=None if sender is None else sender.objection,
        )
        return _command(event.__dict__, record, traceparent)


def _headers(record: EventRecord) -> tuple[bytes | None, bytes | None]:
    content_type = traceparent = None
    for name, content in record.headers:
        if name == "content-type":
            content_type = content
        elif name == "traceparent":
            traceparent = content
    return content_type, traceparent


def _plain_command(fields: dict[str, Any], record: EventRecord, traceparent: bytes | None) -> Command:
    """The command of what `schemas.plain` let in: a bet or a win without fields of its own."""
    get = fields.get
    type_ = fields["type"]
    return Command(
        type_,
        fields["provider"],
        fields["transaction_id"],
        fields["player_id"],
        record.partition,
        record.offset,
        broker_time(record.timestamp),
        fields["currency"],
        fields["amount_minor"],
        fields["amount"],
        fields["game_id"],
        fields["round_id"],
        get("session_id"),
        get("reference"),
        "stake" if type_ == "bet" else "game",
        get("round_closed", False),
        None,
        (),
        None,
        traceparent,
        True,
    )


def _command(fields: Mapping[str, Any], record: EventRecord, traceparent: bytes | None) -> Command:
    get = fields.get
    event_type = fields["type"]
    metadata = fields["metadata"]
    return Command(
        event_type,
        fields["provider"],
        fields["transaction_id"],
        fields["player_id"],
        record.partition,
        record.offset,
        broker_time(record.timestamp),
        get("currency"),
        get("amount_minor", get("bet_amount_minor")),
        get("amount"),
        get("game_id"),
        get("round_id"),
        get("session_id"),
        get("reference"),
        get("kind"),
        get("round_closed", False),
        fields["deadline"],
        _own(event_type, fields),
        None if metadata is None else orjson.dumps(metadata),
        traceparent,
        win_minor=get("win_amount_minor", 0),
        actions=_actions(fields, record) if event_type == "batch" else (),
    )


def _actions(fields: Mapping[str, Any], record: EventRecord) -> tuple[Command, ...]:
    """A batch's actions, each with what it inherits."""
    at = broker_time(record.timestamp)
    return tuple(
        [
            Command(
                action.type,
                fields["provider"],
                action.transaction_id,
                fields["player_id"],
                record.partition,
                record.offset,
                at,
                fields["currency"],
                action.__dict__["amount_minor"],
                action.amount,
                fields["game_id"],
                action.round_id or fields["round_id"],
                fields["session_id"],
                action.reference,
                action.kind,
            )
            for action in fields["actions"]
        ]
    )


def _digest_of(actions: Sequence[Any], round_id: str) -> str:
    """What a batch's actions are compared by: the fingerprints of all, in their order, as one digest."""
    fingerprints = [
        [
            action.type,
            action.transaction_id,
            _text("jackpot_contribution", action.amount),
            action.round_id or round_id,
            action.reference,
            action.kind,
        ]
        for action in actions
    ]
    return sha256(orjson.dumps(fingerprints)).hexdigest()


def _own(event_type: str, fields: Mapping[str, Any]) -> tuple[tuple[str, str | None], ...]:
    """The type's own fields that were sent; one that was not sent is not there."""
    if event_type == "batch":
        return (("actions", _digest_of(fields["actions"], fields["round_id"])),)
    names = OWN_FIELDS.get(event_type, ())
    return tuple([(name, _text(name, fields[name])) for name in names if fields.get(name) is not None])


def _text(name: str, value: Any) -> str:
    if name in _MONEY and "." in value:
        return str(value).rstrip("0").rstrip(".")  # two spellings of one amount are the same amount
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value)


@lru_cache(maxsize=4096)
def broker_time(timestamp: int) -> datetime:
    """The record's LogAppendTime (Unix milliseconds) as an aware time."""
    return datetime.fromtimestamp(timestamp / 1000, UTC)
