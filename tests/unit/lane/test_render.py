"""Rendering: every answer is a result of the contract, every refusal a dead letter with its original bytes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.domain.answers import Answer, Balance
from processor.domain.commands import Command
from processor.domain.decision import Code
from processor.domain.precedence import DECIDED_TYPES
from processor.lane.dead_letters import REPLAY_COUNT, REPLAY_OF, door_letter
from processor.lane.decode import OWN_FIELDS
from processor.lane.render import ACCEPTED, Renderer
from processor.lane.work import Arrival
from processor.ports import StoredRecord, UnparsableRecord
from schemas.codes import CODES
from schemas.dead_letters import read_headers
from schemas.events import EVENT_MODELS
from schemas.results import Result

NOW = datetime(2026, 11, 22, 10, 0, 0, 12345, tzinfo=UTC)
CURRENCIES = {"EUR": 2, "JPY": 0, "ETH": 18}
ID = "01a205a6-49c1-7000-ac55-d6ed4100f00e"


def renderer() -> Renderer:
    return Renderer(
        currencies=CURRENCIES, topic="wallet.events", group="croupier", layout=1, lane=2, seq=3, at=NOW
    )


def command(**more: Any) -> Command:
    fields: dict[str, Any] = {
        "type": "bet",
        "provider": "acme",
        "transaction_id": 'b "1" \\',
        "player_id": "p-7",
        "partition": 3,
        "offset": 18,
        "broker_time": NOW,
        "currency": "EUR",
        "amount_minor": 250,
        "amount_text": "2.5",
        "game_id": "g",
        "round_id": "r",
        "kind": "stake",
    }
    return Command(**{**fields, **more})


def body_of(answer: Answer) -> dict[str, Any]:
    rendered = renderer().result(answer)
    Result.model_validate_json(rendered.value or b"")
    body: dict[str, Any] = orjson.loads(rendered.value or b"")
    return body


def test_an_accepted_bet_tells_what_moved_and_what_is_left() -> None:
    body = body_of(
        Answer(
            command(metadata=b'{"table":4}'),
            Code.OK,
            7,
            Balance("EUR", 9750, 100, 0, 0),
            ID,
            moved_minor=-250,
            moved_currency="EUR",
            split={"cash": -200, "bonus": -50},
        )
    )
    assert (body["amount"], body["split"]) == ("-2.50", {"cash": "-2.00", "bonus": "-0.50"})
    assert body["balance"] == {
        "cash": "97.50",
        "bonus": "1.00",
        "game_wallet": "0.00",
        "debt": "0.00",
        "total": "98.50",
    }
    assert body["source"] == {"topic": "wallet.events", "partition": 3, "offset": 18}
    assert (body["metadata"], body["applied_at"]) == ({"table": 4}, "2026-11-22T10:00:00.012345Z")


@pytest.mark.parametrize("code", [code for code in Code if code is not Code.OK])
def test_every_rejection_is_a_result_of_the_contract(code: Code) -> None:
    conflict = "amount" if code is Code.CONFLICT else None
    body = body_of(
        Answer(
            command(),
            code,
            1,
            None if code is Code.PLAYER_NOT_FOUND else Balance("JPY", 5, 0, 0, 0),
            None if conflict else ID,
            conflict=conflict,
        )
    )
    assert (body["status"], body["code"], body["amount"]) == ("rejected", code.value, "0.00")
    assert body["http_status"] == CODES[code].http_status


@pytest.mark.parametrize("served", sorted(DECIDED_TYPES))
def test_every_type_the_law_decides_has_its_sentence(served: str) -> None:
    assert served in ACCEPTED


@pytest.mark.parametrize("served", sorted(DECIDED_TYPES))
def test_the_own_fields_that_are_compared_are_fields_of_the_type(served: str) -> None:
    assert set(OWN_FIELDS.get(served, ())) <= set(EVENT_MODELS[served].model_fields)


def test_a_result_goes_to_its_events_partition_under_its_player() -> None:
    rendered = renderer().result(
        Answer(command(traceparent=b"00-1-2-01"), Code.OK, 1, Balance("EUR", 1, 0, 0, 0), ID)
    )
    assert (rendered.topic, rendered.partition, rendered.key) == ("results", 3, b"p-7")
    assert dict(rendered.own_headers) == {
        "ce_id": b"1-3-18",
        "ce_subject": b"p-7",
        "traceparent": b"00-1-2-01",
    }


def test_the_batch_and_its_seal_are_told_by_every_result() -> None:
    shared = dict(renderer().shared_headers(b"\x01" * 32))
    assert shared["wallet-batch"] == b"1/2/3"
    assert shared["wallet-seal"] == b"01" * 32
    assert shared["ce_type"] == b"wallet.result.v1"


def test_a_dead_letter_keeps_key_value_and_headers_byte_for_byte() -> None:
    record = StoredRecord(3, 18, 1_790_000_000_000, b"\xff", b"\x00not json", [("x", b"\xfe"), ("y", None)])
    letter = door_letter(Arrival(record, None, "UNDECODABLE", "It is no JSON. " * 100), renderer())
    rendered = renderer().dead_letter(letter, record)
    assert (rendered.topic, rendered.partition, rendered.key, rendered.value) == (
        "dead-letters",
        3,
        b"\xff",
        b"\x00not json",
    )
    assert rendered.own_headers[:2] == [("x", b"\xfe"), ("y", None)]
    told = read_headers(rendered.own_headers)
    assert told.reason == "UNDECODABLE"
    assert len(dict(rendered.own_headers)["wallet-dlq-detail"] or b"") <= 512


def test_the_headers_of_an_earlier_letter_do_not_pile_up_when_it_is_replayed() -> None:
    record = StoredRecord(
        3,
        18,
        1_790_000_000_000,
        b"k",
        b"v",
        [("wallet-dlq-reason", b"OLD"), (REPLAY_OF, b"1-3-2"), (REPLAY_COUNT, b"2"), ("x", b"1")],
    )
    letter = door_letter(Arrival(record, None, "UNDECODABLE", "no"), renderer())
    assert (letter.replay_of, letter.replay_count) == ("1-3-2", 2)
    rendered = renderer().dead_letter(letter, record)
    assert [content for name, content in rendered.own_headers if name == "wallet-dlq-reason"] == [
        b"UNDECODABLE"
    ]


def test_a_header_that_cannot_be_sent_as_it_was_goes_base64() -> None:
    record = UnparsableRecord(3, 18, 1_790_000_000_000, "a header key is not UTF-8", b"\xff\xfe", b"k", b"v")
    letter = door_letter(Arrival(record, None, "UNDECODABLE", "no"), renderer())
    rendered = renderer().dead_letter(letter, record)
    assert dict(rendered.own_headers)["wallet-dlq-original-headers"] == b"//4="


POOLS = st.sampled_from(["cash", "bonus", "debt", "game:acme"])
AMOUNTS = st.integers(-(10**25), 10**25)


@given(
    type_=st.sampled_from(["bet", "win"]),
    code=st.sampled_from(list(Code)),
    currency=st.sampled_from(sorted(CURRENCIES)),
    balances=st.tuples(AMOUNTS, *[st.just(0) | AMOUNTS] * 3),
    id_=st.none() | st.just(ID),
    flags=st.tuples(st.booleans(), st.booleans()),
    moved=st.just(0) | AMOUNTS,
    moved_currency=st.none() | st.sampled_from(sorted(CURRENCIES)),
    split=st.dictionaries(POOLS, AMOUNTS, max_size=3),
    session_id=st.none() | st.just("s-1"),
    reference=st.none() | st.just("b/1"),
    traceparent=st.none() | st.just(b"00-1"),
)
def test_a_result_put_together_by_hand_is_the_same_text(
    type_: str,
    code: Code,
    currency: str,
    balances: tuple[int, ...],
    id_: str | None,
    flags: tuple[bool, bool],
    moved: int,
    moved_currency: str | None,
    split: dict[str, int],
    session_id: str | None,
    reference: str | None,
    traceparent: bytes | None,
) -> None:
    asked = command(
        type=type_,
        transaction_id="t'1",
        session_id=session_id,
        reference=reference,
        kind="game" if type_ == "win" else "stake",
        traceparent=traceparent,
        plain=True,
    )
    answer = Answer(
        asked, code, 7, Balance(currency, *balances), id_, flags[0], flags[1], moved, moved_currency, split
    )
    by_hand = renderer().result(answer)
    asked.plain = False
    assert by_hand == renderer().result(answer)


def test_no_constant_text_of_a_result_needs_an_escape() -> None:
    for text in [*ACCEPTED.values(), *(code.sentence for code in CODES.values())]:
        assert orjson.dumps(text) == f'"{text}"'.encode()
