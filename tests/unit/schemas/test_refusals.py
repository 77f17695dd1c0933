"""The reasons of the door: each one, their order, and the field that a refusal names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.decoding import decode
from schemas.events import ALL_TYPES, CASHIER_TYPES, EVENT_MODELS, OPERATOR_TYPES
from schemas.examples import EVENT_EXAMPLES
from schemas.plans import PLANS
from schemas.reasons import Reason, Refused
from tests.unit.schemas.door import CURRENCIES, LEFT_OUT, example, read, reason, refusal

# Each row puts right exactly one thing of the row above it, so the order of the reasons is the order of the rows.
_WORST: dict[str, Any] = {
    **EVENT_EXAMPLES["deposit"],
    "version": 2,
    "type": "no_such_type",
    "external_reference": 5,
    "provider": "acme",
    "currency": "QQQ",
    "amount": 1.5,
    "x": "x" * 65_536,
}
_STEPS: list[tuple[Reason, dict[str, Any]]] = [
    (Reason.TOO_LARGE, {}),
    (Reason.UNKNOWN_VERSION, {"x": "small"}),
    (Reason.UNKNOWN_TYPE, {"version": 1}),
    (Reason.UNDECODABLE, {"type": "deposit"}),
    (Reason.KEY_MISMATCH, {"external_reference": "psp-1"}),
    (Reason.NOT_PERMITTED, {"player_id": "the key"}),
    (Reason.UNKNOWN_CURRENCY, {"provider": "cashier"}),
    (Reason.INVALID_AMOUNT, {"currency": "EUR"}),
]


def test_reasons_are_looked_for_in_the_order_of_the_contract() -> None:
    event = dict(_WORST)
    for expected, repair in _STEPS:
        event.update(repair)
        assert reason(event, b"the key") is expected
    event["amount"] = "1.50"
    assert read(event, b"the key").provider == "cashier"


def test_bytes_that_are_no_json_come_before_everything_in_them() -> None:
    assert reason(json.dumps(_WORST | {"x": 1})[:-1].encode()) is Reason.UNDECODABLE
    assert reason(b'{"version":2,"version":3}') is Reason.UNDECODABLE


def test_a_record_without_a_value_is_undecodable() -> None:
    with pytest.raises(Refused) as caught:
        decode(b"p-7", None, currencies=CURRENCIES)
    assert caught.value.reason is Reason.UNDECODABLE


@pytest.mark.parametrize(
    "value", [b"", b"[]", b'"bet"', b"null", b"1", b"{}", b"\xff", b"\xef\xbb\xbf{}", b"{} {}"]
)
def test_what_is_not_an_event_object_is_undecodable(value: bytes) -> None:
    assert reason(value) is Reason.UNDECODABLE


@pytest.mark.parametrize("version", [2, 0, -1, "1", 1.0, True, None, [1], {}])
def test_every_version_but_the_integer_1_is_unknown(version: object) -> None:
    assert reason(example("bet", version=version)) is Reason.UNKNOWN_VERSION


@pytest.mark.parametrize("event_type", ["", "BET", "bet ", "stake", "__class__"])
def test_a_type_that_is_not_in_the_contract_is_unknown(event_type: str) -> None:
    assert reason(example("bet", type=event_type)) is Reason.UNKNOWN_TYPE


@pytest.mark.parametrize("event_type", [LEFT_OUT, None, 1, [], {}, True])
def test_a_type_that_is_no_string_is_a_wrong_field(event_type: object) -> None:
    refused = refusal(example("bet", type=event_type))
    assert (refused.reason, '"type"' in refused.detail) == (Reason.UNDECODABLE, True)


def test_a_type_that_is_not_served_here_is_unknown() -> None:
    with pytest.raises(Refused) as caught:
        decode(
            b"p-7", json.dumps(EVENT_EXAMPLES["batch"]).encode(), currencies=CURRENCIES, known_types={"bet"}
        )
    assert caught.value.reason is Reason.UNKNOWN_TYPE


def _required() -> list[tuple[str, str]]:
    return [
        (event_type, name)
        for event_type, plan in PLANS.items()
        for name in plan.fields
        if name not in plan.optional and name != "type"
    ]


@pytest.mark.parametrize(("event_type", "field"), _required())
def test_a_missing_required_field_is_named(event_type: str, field: str) -> None:
    refused = refusal(example(event_type, **{field: LEFT_OUT}))
    assert (refused.reason, refused.detail) == (
        Reason.UNDECODABLE,
        f'Field "{field}" is required and missing.',
    )


def test_the_required_fields_are_those_of_the_contract() -> None:
    own = {
        event_type: {name for other, name in _required() if other == event_type}
        - {"provider", "transaction_id", "player_id", "occurred_at"}
        for event_type in ALL_TYPES
    }
    money = {"currency", "amount"}
    assert own == {
        "bet": money | {"game_id", "round_id"},
        "win": money,
        "bet_win": {"currency", "bet_amount", "win_amount", "game_id", "round_id"},
        "batch": {"currency", "game_id", "round_id", "actions"},
        "rollback": {"reference"},
        "refund": {"reference", "amount"},
        "reverse_win": {"reference"},
        "adjust": money | {"reason"},
        "close_round": {"game_id", "round_id"},
        "open_session": {"session_id", "currency"},
        "close_session": {"session_id"},
        "transfer_in": money,
        "transfer_out": money,
        "deposit": money,
        "withdraw": money,
        "grant_bonus": money | {"bonus_id"},
        "expire_bonus": money | {"bonus_id"},
        "release_bonus": money | {"bonus_id"},
        "open_player": {"currency"},
        "block_player": set(),
        "unblock_player": set(),
        "self_exclude": set(),
        "cool_off": set(),
        "set_limit": {"limit"},
        "confirm_limit": {"limit"},
    }


@pytest.mark.parametrize("event_type", sorted(ALL_TYPES))
def test_the_first_wrong_field_is_named_in_the_order_of_the_contract(event_type: str) -> None:
    """All fields wrong at once, then put right one after another from the first on."""
    plan = PLANS[event_type]
    money = {name for name, _ in plan.amounts} | {"currency"}
    names = [name for name in plan.fields if name not in money | {"type", "version"}]
    wrong: dict[str, Any] = dict.fromkeys(names, 3.5)
    for name in names:
        assert refusal(example(event_type, **wrong)).detail.startswith(f'Field "{name}" ')
        right = EVENT_EXAMPLES[event_type].get(name, LEFT_OUT)
        wrong[name] = right
    assert type(read(example(event_type, **wrong))) is EVENT_MODELS[event_type]


@pytest.mark.parametrize("field", ["game_id", "round_id"])
@pytest.mark.parametrize("kind", [LEFT_OUT, None, "game"])
@pytest.mark.parametrize("missing", [LEFT_OUT, None])
def test_a_win_of_kind_game_names_its_game_and_round(field: str, kind: object, missing: object) -> None:
    refused = refusal(example("win", kind=kind, session_id=7, **{field: missing}))
    assert refused.detail == f'Field "{field}" is required for a win of kind game.'


@pytest.mark.parametrize("kind", ["jackpot", "bonus", "promo", "free_round", "tournament"])
def test_a_win_of_another_kind_needs_no_game(kind: str) -> None:
    assert read(example("win", kind=kind, game_id=LEFT_OUT, round_id=LEFT_OUT)).get("kind") == kind


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"limit": "wager", "period": LEFT_OUT}, "period"),
        ({"limit": "single_bet"}, "period"),
        ({"limit": "session_time", "period": LEFT_OUT}, "amount"),
        ({"minutes": 60}, "minutes"),
        ({"limit": "session_time", "period": LEFT_OUT, "amount": LEFT_OUT, "minutes": 0}, "minutes"),
        ({"limit": "hourly"}, "limit"),
        ({"period": "year"}, "period"),
    ],
    ids=str,
)
def test_a_limit_has_what_its_kind_needs_and_nothing_else(changes: dict[str, Any], field: str) -> None:
    refused = refusal(example("set_limit", **changes))
    assert (refused.reason, refused.detail.split()[1]) == (Reason.UNDECODABLE, f'"{field}"')


@pytest.mark.parametrize(
    ("action", "path"),
    [
        (3, "actions[1]"),
        ({"transaction_id": "a", "amount": "1"}, "actions[1]"),
        ({"type": "rollback", "transaction_id": "a", "amount": "1"}, "actions[1]"),
        ({"type": "bet", "amount": "1"}, "actions[1].transaction_id"),
        ({"type": "bet", "transaction_id": "a"}, "actions[1].amount"),
        ({"type": "bet", "transaction_id": "a", "amount": "1", "kind": "jackpot"}, "actions[1].kind"),
    ],
    ids=str,
)
def test_a_wrong_action_is_named_by_its_place(action: object, path: str) -> None:
    first = EVENT_EXAMPLES["batch"]["actions"][0]
    refused = refusal(example("batch", actions=[first, action]))
    assert (refused.reason, refused.detail.split()[1]) == (Reason.UNDECODABLE, f'"{path}"')


@pytest.mark.parametrize("amount", [1, "1.001", "-1", "all", None])
def test_a_wrong_amount_of_an_action_is_an_invalid_amount(amount: object) -> None:
    first = EVENT_EXAMPLES["batch"]["actions"][0]
    refused = refusal(example("batch", actions=[first, {**first, "transaction_id": "x", "amount": amount}]))
    assert (refused.reason, refused.detail.split()[1]) == (Reason.INVALID_AMOUNT, '"actions[1].amount"')


@pytest.mark.parametrize("count", [0, 51])
def test_a_batch_has_one_to_fifty_actions(count: int) -> None:
    actions = [{"type": "bet", "transaction_id": f"b-{index}", "amount": "1"} for index in range(count)]
    assert refusal(example("batch", actions=actions)).detail.startswith('Field "actions" has too')


@pytest.mark.parametrize("key", [None, b"", b"p-8", b"P-7", b"p-7 ", b"\xff"])
def test_the_key_must_be_the_player(key: bytes | None) -> None:
    assert reason(EVENT_EXAMPLES["bet"], key) is Reason.KEY_MISMATCH


@pytest.mark.parametrize("event_type", sorted(ALL_TYPES))
@pytest.mark.parametrize("provider", ["cashier", "operator", "acme"])
def test_the_types_of_the_cashier_and_the_operator_are_theirs_alone(event_type: str, provider: str) -> None:
    event = example(event_type, provider=provider)
    if event_type in CASHIER_TYPES:
        permitted = provider == "cashier"
    elif event_type in OPERATOR_TYPES:
        permitted = provider == "operator"
    else:
        permitted = (event_type, provider) != ("open_session", "cashier")
    if permitted:
        assert read(event).provider == provider
    else:
        assert reason(event) is Reason.NOT_PERMITTED


@pytest.mark.parametrize("currency", ["QQQ", "eur", "", "EURO", "XAU", 978, None, ["EUR"], True])
def test_a_currency_that_is_not_known_has_its_own_reason(currency: object) -> None:
    assert reason(example("bet", currency=currency, amount=1)) is Reason.UNKNOWN_CURRENCY
    assert reason(example("open_player", currency=currency)) is Reason.UNKNOWN_CURRENCY


def test_an_optional_currency_must_be_known_too() -> None:
    assert reason(example("rollback", currency="QQQ")) is Reason.UNKNOWN_CURRENCY
    assert reason(example("rollback", currency=5)) is Reason.UNKNOWN_CURRENCY


_NOT_AMOUNTS: list[object] = [
    1, 1.5, 0, True, None, [], {}, "", " 1", "1 ", "1\n", "+1", "-1", "-0", ".5", "1.", "01", "00", "1e3", "1,5", "0x1",
    "NaN", "Infinity", "٣", "１", "1_000", "1.5.1", "all", "ALL", "123456789012345678901", "1.001", "1.000",
]  # fmt: skip


@pytest.mark.parametrize("amount", _NOT_AMOUNTS, ids=repr)
def test_anything_but_a_decimal_string_is_an_invalid_amount(amount: object) -> None:
    assert reason(example("bet", amount=amount)) is Reason.INVALID_AMOUNT


@pytest.mark.parametrize(
    ("event_type", "field"),
    [(event_type, name) for event_type, plan in PLANS.items() for name, _ in plan.amounts],
)
def test_every_field_of_money_is_checked(event_type: str, field: str) -> None:
    changes: dict[str, Any] = {"currency": "EUR", field: "1.001"}
    refused = refusal(example(event_type, **changes))
    assert (refused.reason, refused.detail.split()[1]) == (Reason.INVALID_AMOUNT, f'"{field}"')
    assert reason(example(event_type, **{**changes, field: 1})) is Reason.INVALID_AMOUNT


@pytest.mark.parametrize("amount", ["0", "0.00", "1", "1.5", "99999999999999999999.99"])
def test_a_decimal_string_is_an_amount(amount: str) -> None:
    assert read(example("bet", amount=amount)).get("amount") == amount


def test_yen_have_no_decimals() -> None:
    assert reason(example("bet", currency="JPY", amount="1.0")) is Reason.INVALID_AMOUNT
    assert read(example("bet", currency="JPY", amount="300")).get("amount_minor") == 300


def test_a_refusal_tells_whose_event_it_claims_to_be() -> None:
    refused = refusal(example("bet", amount=1))
    assert (refused.provider, refused.player_id, refused.event_type) == ("acme", "p-7", "bet")
    hostile = refusal(example("bet", provider="ACME\x1b[2J", player_id="p\n7"))
    assert (hostile.provider, hostile.player_id, hostile.event_type) == (None, None, "bet")


def test_a_refusal_repeats_no_value_of_the_event() -> None:
    secret = "s3cr3t"
    for event_type in sorted(ALL_TYPES):
        for name in PLANS[event_type].fields:
            for value in (secret + "\n", [secret], {secret: secret}):
                refused = refusal(example(event_type, **{name: value})) if name != "metadata" else None
                assert refused is None or secret not in refused.detail
    assert secret not in refusal(b'{"s3cr3t":1,"s3cr3t":2}').detail
