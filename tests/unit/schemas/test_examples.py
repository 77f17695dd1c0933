"""Every event type has an example that the door lets in, with its amounts as whole minor units."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from schemas.events import (
    ALL_TYPES,
    EVENT_MODELS,
    Batch,
    Bet,
    OpenSession,
    Rollback,
    SetLimit,
    TransferOut,
    Win,
)
from schemas.examples import EVENT_EXAMPLES, RESULT_EXAMPLES
from schemas.results import Result
from tests.unit.schemas.door import LEFT_OUT, example, read


def test_every_type_has_an_example() -> None:
    assert set(EVENT_EXAMPLES) == ALL_TYPES
    assert len(ALL_TYPES) == 25


@pytest.mark.parametrize("event_type", sorted(ALL_TYPES))
def test_the_example_of_each_type_comes_in_as_its_model(event_type: str) -> None:
    event = read(EVENT_EXAMPLES[event_type])
    assert type(event) is EVENT_MODELS[event_type]
    sent = EVENT_EXAMPLES[event_type]
    got = json.loads(event.model_dump_json(exclude_unset=True))
    times = {"occurred_at", "expires_at", "until"}
    assert {name: got[name] for name in sent if name not in times} == {
        name: value for name, value in sent.items() if name not in times
    }


def test_amounts_are_whole_minor_units() -> None:
    bet = read(example("bet", amount="2.5", jackpot_contribution="0.01"))
    assert isinstance(bet, Bet)
    assert (bet.amount, bet.amount_minor, bet.jackpot_contribution_minor) == ("2.5", 250, 1)


def test_an_adjustment_may_be_negative() -> None:
    assert read(example("adjust", amount="-3.20")).__dict__["amount_minor"] == -320


def test_each_action_of_a_batch_has_its_amount() -> None:
    batch = read(EVENT_EXAMPLES["batch"])
    assert isinstance(batch, Batch)
    assert [action.amount_minor for action in batch.actions] == [100, 50, 400]


def test_eighteen_decimals_are_exact() -> None:
    bet = read(example("bet", currency="ETH", amount="12345678901234567890.123456789012345678"))
    assert isinstance(bet, Bet)
    assert bet.amount_minor == 12345678901234567890123456789012345678


def test_a_rollback_without_a_currency_keeps_its_amount_as_text() -> None:
    rollback = read(example("rollback", amount="2.500"))
    assert isinstance(rollback, Rollback)
    assert (rollback.amount, rollback.amount_minor) == ("2.500", None)


def test_a_transfer_out_of_all_has_no_minor_units() -> None:
    transfer = read(EVENT_EXAMPLES["transfer_out"])
    assert isinstance(transfer, TransferOut)
    assert (transfer.amount, transfer.amount_minor, transfer.reported_balance_minor) == ("all", None, 1735)


def test_minor_units_are_unknown_away_from_the_door() -> None:
    bet = Bet.model_validate(EVENT_EXAMPLES["bet"])
    with pytest.raises(AttributeError, match="amount_minor"):
        _ = bet.amount_minor


def test_defaults_are_filled_in() -> None:
    bet = read(EVENT_EXAMPLES["bet"])
    win = read(example("win", round_closed=LEFT_OUT))
    session = read(example("open_session", channel=LEFT_OUT, expires_at=LEFT_OUT))
    assert isinstance(bet, Bet)
    assert isinstance(win, Win)
    assert isinstance(session, OpenSession)
    assert (bet.kind, bet.version, bet.metadata, bet.deadline) == ("stake", 1, None, None)
    assert (win.kind, win.round_closed) == ("game", False)
    assert (session.channel, session.expires_at) == ("web", None)


def test_null_in_an_optional_field_is_the_same_as_leaving_it_out() -> None:
    nulls = read(example("win", kind=None, round_closed=None, session_id=None, metadata=None, reference=None))
    assert nulls == read(example("win", round_closed=LEFT_OUT, reference=LEFT_OUT))
    actions = [{"type": "bet", "transaction_id": "b", "amount": "1", "kind": None, "round_id": None}]
    batch = read(example("batch", actions=actions))
    assert isinstance(batch, Batch)
    assert batch.actions[0].kind == "stake"


def test_a_null_amount_removes_a_limit() -> None:
    removal = read(example("set_limit", amount=None))
    assert isinstance(removal, SetLimit)
    assert removal.amount is None
    assert removal.amount_minor is None


def test_unknown_fields_are_tolerated_and_dropped() -> None:
    event = read(example("bet", amount_minor=1, colour={"deep": [1, 2, {"x": None}]}))
    assert event == read(EVENT_EXAMPLES["bet"])
    assert event.get("colour") is None
    assert event.get("amount_minor") == 250


@pytest.mark.parametrize("name", sorted(RESULT_EXAMPLES))
def test_the_example_results_are_results(name: str) -> None:
    Result.model_validate_json(json.dumps(RESULT_EXAMPLES[name]))


@pytest.mark.parametrize(
    "change",
    [
        {"status": "rejected"},
        {"code": "CONFLICT"},
        {"code": "NO_SUCH_CODE"},
        {"http_status": 402},
        {"retryable": True},
        {"conflict": "amount"},
        {"surprise": 1},
        {"amount": -2.5},
        {"balance": {"cash": "1.00"}},
        {"applied_at": "2026-11-22T10:00:00"},
        {"sequence": 0},
    ],
    ids=str,
)
def test_a_result_that_contradicts_itself_or_the_contract_is_none(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Result.model_validate_json(json.dumps({**RESULT_EXAMPLES["an accepted bet"], **change}))


@pytest.mark.parametrize(
    "field", ["wallet_transaction_id", "amount", "currency", "balance", "source", "message"]
)
def test_a_field_that_is_always_there_cannot_be_left_out(field: str) -> None:
    result = {name: value for name, value in RESULT_EXAMPLES["an accepted bet"].items() if name != field}
    with pytest.raises(ValidationError):
        Result.model_validate_json(json.dumps(result))
