"""Names of a certification: unique where others could meet them, verbatim where the case is about them."""

from __future__ import annotations

import json
from typing import Any

from processor.devstack.certify.cases import Case, Step
from processor.devstack.certify.cast import Cast


def cast(**given: dict[str, Any]) -> Cast:
    return Cast(Case("A1", "", "", "f.yaml", {}, given or {"p": {}}, []), "crun", 7)


def body(step: Step, **given: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(cast(**given).message(step).value))


def step(type_: str, transaction_id: str, **fields: Any) -> Step:
    return Step(type_, transaction_id, fields, {})


def test_a_bet_gets_every_field_that_was_left_out() -> None:
    sent = body(step("bet", "b1", amount="1.00"), p={"currency": "JPY"})
    del sent["occurred_at"]
    assert sent == {
        "type": "bet", "provider": "crun-7", "transaction_id": "b1", "player_id": "crun-7-p", "currency": "JPY",
        "game_id": "g", "round_id": "r", "session_id": "crun-7-s", "amount": "1.00",
    }  # fmt: skip


def test_a_rollback_gets_no_more_than_its_reference() -> None:
    sent = body(step("rollback", "c1", reference="b1"))
    assert set(sent) == {"type", "provider", "transaction_id", "player_id", "occurred_at", "reference"}
    assert sent["reference"] == "b1"


def test_the_cashiers_ids_are_prefixed_because_all_cases_share_the_cashier() -> None:
    sent = body(step("deposit", "d1", provider="cashier", amount="1.00"))
    assert (sent["provider"], sent["transaction_id"]) == ("cashier", "crun-7-d1")


def test_other_is_a_second_provider_of_the_same_case() -> None:
    assert body(step("bet", "b1", provider="other"))["provider"] == "crun-7-other"


def test_another_player_keys_his_own_events() -> None:
    message = cast(p={}, q={}).message(step("bet", "b1", player_id="q"))
    assert message.key == b"crun-7-q"


def test_a_key_that_names_a_player_of_the_case_is_that_players_key() -> None:
    stolen = Step("bet", "b1", {}, {}, None, {}, "q")
    assert cast(p={}, q={}).message(stolen).key == b"crun-7-q"
    strange = Step("bet", "b1", {}, {}, None, {}, "zz")
    assert cast().message(strange).key == b"zz"


def test_raw_bytes_are_sent_as_they_are() -> None:
    message = cast().message(Step(None, "", {}, {}, "{torn", {"a": "b"}))
    assert (message.value, message.headers, message.key) == (b"{torn", [("a", b"b")], b"crun-7-p")


def test_opening_makes_the_player_what_the_case_is_given() -> None:
    opened = cast(p={"cash": "5.00", "bonus": "1.00", "blocked": True, "country": "DE"}).opening()
    assert [(one.type, one.fields.get("amount")) for one in opened] == [
        ("open_player", None), ("deposit", "5.00"), ("grant_bonus", "1.00"), ("open_session", None),
        ("block_player", None),
    ]  # fmt: skip


def test_a_player_without_a_session_opens_none() -> None:
    assert [one.type for one in cast(p={"session": "none"}).opening()] == ["open_player"]
