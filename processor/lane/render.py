"""Rendering: an answer becomes the bytes of a result, a refusal the record of a dead letter; once, and for good."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from datetime import datetime
from typing import Any, Final

import orjson

from processor.domain.answers import Answer, Balance
from processor.domain.commands import Command
from processor.domain.conversion import wallet_currency
from processor.domain.money import formatter_for
from processor.lane.journal import Header, Rendered
from processor.ports import DeadLetter, SenderKey, UnparsableRecord
from schemas.codes import CODES
from schemas.results import Conversion
from schemas.signing import KEY_ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER

#: What an accepted event of a type is called in the result's sentence for a person.
ACCEPTED: Final[Mapping[str, str]] = {
    "bet": "Bet accepted.",
    "win": "Win paid.",
    "rollback": "Bet rolled back.",
    "refund": "Bet refunded.",
    "bet_win": "Bet accepted and win paid.",
    "batch": "Batch accepted.",
    "reverse_win": "Win taken back.",
    "adjust": "Adjustment booked.",
    "deposit": "Deposit booked.",
    "withdraw": "Withdrawal booked.",
    "grant_bonus": "Bonus granted.",
    "expire_bonus": "Bonus taken back.",
    "release_bonus": "Bonus turned into cash.",
    "open_player": "Player opened.",
    "open_session": "Session opened.",
    "close_session": "Session closed.",
    "close_round": "Round closed.",
    "transfer_in": "Transferred to the game wallet.",
    "transfer_out": "Transferred to cash.",
    "block_player": "Player blocked.",
    "unblock_player": "Player unblocked.",
    "self_exclude": "Player excluded.",
    "cool_off": "Player cooling off.",
    "set_limit": "Limit set.",
    "confirm_limit": "Limit confirmed.",
}
RESULT_TYPE: Final = b"wallet.result.v1"
_DETAIL_BYTES: Final = 512
#: What is stored of a conversion beside it is nobody's business but the books'.
_TOLD_OF_A_CONVERSION: Final = frozenset(
    field.alias or name for name, field in Conversion.model_fields.items()
)

Format = Callable[[int], str]


class Renderer:
    """Renders one batch: the currencies of its reference data, its time, its place (layout, lane, seq)."""

    def __init__(
        self,
        *,
        currencies: Mapping[str, int],
        topic: str,
        group: str,
        layout: int,
        lane: int,
        seq: int,
        at: datetime,
        signing_key: SenderKey | None = None,
    ) -> None:
        self._formats: dict[str, Format] = {}
        self._currencies = currencies
        self._topic = topic
        self._group = group
        self._layout = layout
        self._place = f"{layout}/{lane}/{seq}".encode()
        self._id_start = f"{layout}-"
        self._signing_key = signing_key
        self._signed_at = b"%d" % round(at.timestamp() * 1000)
        self.tell_time(at)

    def tell_time(self, at: datetime) -> None:
        """When the results say that they were applied."""
        self.at = at
        self._at_text = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
        self._end = f'}},"applied_at":"{self._at_text}"}}'

    def as_of(self, decided_at: datetime) -> Renderer:
        """The same place, at the time of an older decision."""
        older = copy(self)
        older.tell_time(decided_at)
        return older

    def shared_headers(self, seal: bytes) -> list[Header]:
        """The headers that all results of the batch have (CloudEvents 1.0, binary mode; the batch's place and seal)."""
        headers: list[Header] = [
            ("ce_specversion", b"1.0"),
            ("ce_type", RESULT_TYPE),
            ("ce_source", f"/croupier/{self._group}".encode()),
            ("ce_time", self._at_text.encode()),
            ("content-type", b"application/json"),
            ("wallet-batch", self._place),
            ("wallet-seal", seal.hex().encode()),
        ]
        key = self._signing_key
        if key is not None:
            headers += [(KEY_ID_HEADER, key.key_id.encode()), (TIMESTAMP_HEADER, self._signed_at)]
        return headers

    def result(self, answer: Answer) -> Rendered:
        """One result, to the partition its event came from."""
        command = answer.command
        key = command.player_id.encode()
        own: list[Header] = [
            ("ce_id", f"{self._id_start}{command.partition}-{command.offset}".encode()),
            ("ce_subject", key),
        ]
        if command.traceparent is not None:
            own.append(("traceparent", command.traceparent))
        if (
            command.plain
            and answer.details is None
            and answer.conflict is None
            and answer.balance is not None
        ):
            value = self._plain_text(answer, answer.balance).encode()
        else:
            value = orjson.dumps(self._body(answer))
        if self._signing_key is not None:
            own.append((SIGNATURE_HEADER, self._signing_key.sign(value, self._signed_at)))
        return Rendered("results", command.partition, key, value, own, True)

    def _plain_text(self, answer: Answer, balance: Balance) -> str:
        """The same text as that of `_body`, put together by hand: nothing in it needs an escape."""
        command, code = answer.command, answer.code
        facts, accepted = CODES[code], code == "OK"
        session, reference = command.session_id, command.reference
        money_format = self._format(answer.moved_currency or command.currency or balance.currency)
        moved = answer.moved_minor
        amount = money_format(moved)
        split = ",".join(
            [
                f'"{pool}":"{amount if minor == moved else money_format(minor)}"'
                for pool, minor in answer.split.items()
            ]
        )
        id_ = answer.wallet_transaction_id
        return (
            f'{{"type":"{command.type}","provider":"{command.provider}","transaction_id":"{command.transaction_id}"'
            f',"player_id":"{command.player_id}"'
            + (f',"session_id":"{session}"' if session is not None else "")
            + f',"round_id":"{command.round_id}","game_id":"{command.game_id}"'
            + (f',"reference":"{reference}"' if reference is not None else "")
            + f',"kind":"{command.kind}","status":"{"accepted" if accepted else "rejected"}","code":"{facts.value}"'
            f',"http_status":{facts.http_status},"retryable":{"true" if answer.retryable else "false"}'
            f',"replayed":{"true" if answer.replayed else "false"}'
            + (f',"wallet_transaction_id":"{id_}"' if id_ is not None else ',"wallet_transaction_id":null')
            + f',"sequence":{answer.sequence},"amount":"{amount}"'
            f',"currency":"{answer.moved_currency or command.currency or balance.currency}","split":{{{split}}}'
            f',"balance":{self._plain_balance(balance)}'
            f',"message":"{ACCEPTED[command.type] if accepted else facts.sentence}"'
            f',"source":{{"topic":"{self._topic}","partition":{command.partition},"offset":{command.offset}{self._end}'
        )

    def _plain_balance(self, balance: Balance) -> str:
        money_format = self._format(balance.currency)
        cash, bonus, game, debt = (
            balance.cash_minor, balance.bonus_minor, balance.game_minor, balance.debt_minor,
        )  # fmt: skip
        cash_text = money_format(cash)
        if not (bonus or game or debt):
            nothing = money_format(0)
            return (
                f'{{"cash":"{cash_text}","bonus":"{nothing}","game_wallet":"{nothing}","debt":"{nothing}"'
                f',"total":"{cash_text}"}}'
            )
        return (
            f'{{"cash":"{cash_text}","bonus":"{money_format(bonus)}","game_wallet":"{money_format(game)}"'
            f',"debt":"{money_format(debt)}","total":"{money_format(cash + bonus + game)}"}}'
        )

    def _body(self, answer: Answer) -> dict[str, Any]:
        command, code = answer.command, answer.code
        facts = CODES[code]
        body: dict[str, Any] = {"type": command.type, "provider": command.provider}
        body["transaction_id"] = command.transaction_id
        body["player_id"] = command.player_id
        if command.session_id is not None:
            body["session_id"] = command.session_id
        if command.round_id is not None:
            body["round_id"] = command.round_id
        if command.game_id is not None:
            body["game_id"] = command.game_id
        if command.reference is not None:
            body["reference"] = command.reference
        if command.kind is not None:
            body["kind"] = command.kind
        accepted = code == "OK"
        body["status"] = "accepted" if accepted else "rejected"
        body["code"] = code
        body["http_status"] = facts.http_status
        body["retryable"] = answer.retryable
        body["replayed"] = answer.replayed
        body["wallet_transaction_id"] = answer.wallet_transaction_id
        body["sequence"] = answer.sequence
        self._put_money(body, answer)
        why = body.pop("message", facts.sentence)
        body["message"] = ACCEPTED[command.type] if accepted else why
        body["source"] = {"topic": self._topic, "partition": command.partition, "offset": command.offset}
        body["applied_at"] = self._at_text
        if command.metadata is not None:
            body["metadata"] = orjson.Fragment(command.metadata)
        return body

    def _put_money(self, body: dict[str, Any], answer: Answer) -> None:
        balance = answer.balance
        currency = answer.moved_currency or answer.command.currency or (balance.currency if balance else None)
        if currency is None:
            body["amount"] = body["currency"] = None
            body["split"] = {}
        else:
            body["amount"] = self._format(currency)(answer.moved_minor)
            body["currency"] = currency
            pools = self._format(wallet_currency(answer.details, currency) or currency)
            body["split"] = {pool: pools(minor) for pool, minor in answer.split.items()}
        body["balance"] = None if balance is None else self._balance(balance)
        if answer.conflict is not None:
            body["conflict"] = answer.conflict
        if answer.details:
            body.update(answer.details)
            if "fx" in body:
                body["fx"] = {
                    name: text for name, text in body["fx"].items() if name in _TOLD_OF_A_CONVERSION
                }

    def _balance(self, balance: Balance) -> dict[str, str]:
        shape = self._format(balance.currency)
        cash, bonus, game = balance.cash_minor, balance.bonus_minor, balance.game_minor
        cash_text, nothing = shape(cash), shape(0)
        others = bonus + game
        return {
            "cash": cash_text,
            "bonus": shape(bonus) if bonus else nothing,
            "game_wallet": shape(game) if game else nothing,
            "debt": shape(balance.debt_minor) if balance.debt_minor else nothing,
            "total": shape(cash + others) if others else cash_text,
        }

    def _format(self, currency: str) -> Format:
        found = self._formats.get(currency)
        if found is None:
            found = self._formats[currency] = formatter_for(self._currencies[currency])
        return found

    def dead_letter(self, letter: DeadLetter, record: Any) -> Rendered:
        """The original, byte for byte, with why and whence in headers (contract.md, "Dead letters")."""
        detail = letter.detail.encode()[:_DETAIL_BYTES].decode(errors="ignore").encode()
        headers: list[Header] = list(letter.headers)
        if isinstance(record, UnparsableRecord):
            headers.append(("wallet-dlq-original-headers", base64.b64encode(record.raw_headers)))
        position = (self._topic.encode(), b"%d" % letter.partition, b"%d" % letter.offset)
        headers += [
            ("wallet-batch", self._place),
            ("wallet-dlq-reason", letter.reason.encode()),
            ("wallet-dlq-detail", detail),
            ("wallet-dlq-id", letter.letter_id.encode()),
            ("wallet-dlq-attempts", b"%d" % letter.attempts),
            ("wallet-dlq-at", self._at_text.encode()),
            *zip(("wallet-dlq-topic", "wallet-dlq-partition", "wallet-dlq-offset"), position, strict=True),
            ("wallet-dlq-group", self._group.encode()),
            *zip(
                ("__connect.errors.topic", "__connect.errors.partition", "__connect.errors.offset"),
                position,
                strict=True,
            ),
            ("__connect.errors.exception.class.name", f"croupier.{letter.reason}".encode()),
            ("__connect.errors.exception.message", detail),
        ]
        return Rendered("dead-letters", letter.partition, letter.key, letter.value, headers, False)

    def letter_id(self, command_or_record: Command | Any) -> str:
        """A dead letter's name: the place of its event, which no other letter of this layout has."""
        return f"{self._layout}-{command_or_record.partition}-{command_or_record.offset}"


def without_our_headers(headers: Sequence[tuple[str, bytes | None]]) -> list[Header]:
    """The original's headers, without those that an earlier dead letter put there (a replayed original)."""
    return [
        (name, content)
        for name, content in headers
        if not name.startswith(("wallet-dlq-", "__connect.errors."))
    ]
