"""Batches: all actions or none, known actions, burnt ids, waiting, and what is told of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from processor.domain.answers import Answer
from processor.domain.commands import Command
from processor.domain.profiles import Profile
from processor.domain.state import Account
from tests.unit.domain.play import Play
from tests.unit.domain.test_operations import posted

ACME = Profile("acme")


def bet(transaction_id: str, amount: str, **fields: Any) -> dict[str, Any]:
    return {"type_": "bet", "transaction_id": transaction_id, "amount": amount, **fields}


def win(transaction_id: str, reference: str | None, amount: str, **fields: Any) -> dict[str, Any]:
    return {
        "type_": "win",
        "transaction_id": transaction_id,
        "reference": reference,
        "amount": amount,
        **fields,
    }


def batch(play: Play, transaction_id: str, *actions: dict[str, Any], **fields: Any) -> Command:
    inside = tuple([play.event(**action) for action in actions])
    named = ",".join(f"{one.type} {one.transaction_id} {one.amount_text}" for one in inside)
    command = play.event("batch", transaction_id, actions=inside, own=(("actions", named),), **fields)
    for one in inside:
        one.offset, one.broker_time = command.offset, command.broker_time
    return command


def send(play: Play, transaction_id: str, *actions: dict[str, Any], **fields: Any) -> Answer:
    [answer] = play.batch(batch(play, transaction_id, *actions, **fields))
    return answer


def told(answer: Answer) -> list[tuple[Any, ...]]:
    """(id, code, replayed, whether it has an id of the wallet's, amount) of each action."""
    assert answer.details is not None
    actions = answer.details["actions"]
    assert isinstance(actions, list)
    return [
        (
            one["transaction_id"],
            one["code"],
            one["replayed"],
            one["wallet_transaction_id"] is not None,
            one["amount"],
        )
        for one in actions
    ]


def test_all_actions_take_place_each_under_its_own_id() -> None:
    play = Play(cash="10.00")
    answer = send(play, "x1", bet("b1", "2.00"), win("w1", "b1", "5.00"), bet("b2", "3.00", round_id="r2"))
    assert (answer.code.value, answer.moved_minor, answer.split) == ("OK", 0, {})
    assert told(answer) == [
        ("b1", "OK", False, True, "-2.00"),
        ("w1", "OK", False, True, "5.00"),
        ("b2", "OK", False, True, "-3.00"),
    ]
    assert posted(play, 1) == [
        ("cash", "house:gaming", 200),
        ("cash", "house:gaming", 300),
        ("house:gaming", "cash", 500),
    ]
    assert play.cash_of() == 1000
    assert play.send("bet", "b1", amount="2.00").replayed
    assert play.send("win", "w1", reference="b1", amount="5.00").replayed
    assert play.send("rollback", "c1", reference="b1").code == "ALREADY_SETTLED"
    assert play.send("rollback", "c2", reference="b2").code == "OK"
    assert play.send("rollback", "c3", reference="x1").code == "NOT_ROLLBACKABLE"


def test_outcomes_of_a_batch_count_what_moved_once() -> None:
    play = Play(cash="10.00")
    answer = send(play, "x1", bet("b1", "2.00"), bet("b2", "3.00"))
    assert (answer.moved_minor, answer.split) == (-500, {"cash": -500})
    moved = {key[1]: outcome.moved_minor for key, outcome in play.ledger.outcomes.items() if key[0] == "acme"}
    assert moved == {"x1": 0, "b1": -200, "b2": -300}
    [again] = play.batch(batch(play, "x1", bet("b1", "2.00"), bet("b2", "3.00")))
    assert again.replayed
    assert again.details == answer.details
    assert answer.details is not None
    assert (answer.details["amount"], answer.details["split"]) == ("-5.00", {"cash": "-5.00"})


def test_a_win_of_the_batch_cannot_fund_its_stakes_which_are_tested_together() -> None:
    play = Play(cash="3.00")
    answer = send(play, "x1", bet("b1", "2.00"), win("w1", "b1", "50.00"), bet("b2", "2.00"))
    assert (answer.code.value, answer.moved_minor, play.cash_of()) == ("INSUFFICIENT_FUNDS", 0, 300)
    assert told(answer) == [
        ("b1", "INSUFFICIENT_FUNDS", False, True, "0.00"),
        ("w1", "INSUFFICIENT_FUNDS", False, False, "0.00"),
        ("b2", "INSUFFICIENT_FUNDS", False, True, "0.00"),
    ]
    assert posted(play, 1) == []
    refused = play.send("bet", "b1", amount="2.00")
    assert (refused.code.value, refused.replayed) == ("INSUFFICIENT_FUNDS", True)
    assert play.send("win", "w1", kind="promo", amount="1.00").code == "OK"


def test_a_known_accepted_action_answers_and_does_not_count_again() -> None:
    play = Play(cash="10.00")
    play.send("bet", "b1", amount="1.00")
    answer = send(play, "x1", bet("b1", "1.00"), win("w1", "b1", "4.00"))
    assert (answer.code.value, play.cash_of(), answer.moved_minor) == ("OK", 1300, 400)
    assert told(answer) == [("b1", "OK", True, True, "-1.00"), ("w1", "OK", False, True, "4.00")]


def test_a_known_refused_or_tombstoned_action_refuses_the_batch() -> None:
    play = Play(cash="1.00")
    play.send("bet", "b1", amount="5.00")
    first = send(play, "x1", bet("b2", "0.50"), bet("b1", "5.00"))
    assert first.code == "INSUFFICIENT_FUNDS"
    assert told(first) == [
        ("b2", "INSUFFICIENT_FUNDS", False, True, "0.00"),
        ("b1", "INSUFFICIENT_FUNDS", True, True, "0.00"),
    ]
    play.send("rollback", "c1", reference="b3")
    assert send(play, "x2", bet("b4", "0.50"), bet("b3", "0.50")).code == "ROLLED_BACK"
    assert play.send("bet", "b4", amount="0.50").code == "ROLLED_BACK"
    assert play.cash_of() == 100


def test_the_first_refused_action_gives_the_code() -> None:
    play = Play()
    play.send("bet", "b0")
    play.send("win", "w0", reference="b0")
    play.send("rollback", "c1", reference="b3")
    play.send("rollback", "c2", reference="b4")
    settled, tombstone = win("w1", "b0", "1.00"), bet("b3", "1.00")
    assert send(play, "x1", settled, tombstone).code == "ALREADY_SETTLED"
    assert send(play, "x2", bet("b4", "1.00"), win("w2", "b0", "1.00")).code == "ROLLED_BACK"


def test_another_event_under_an_actions_id_is_a_conflict_that_names_the_action() -> None:
    play = Play()
    play.send("bet", "b1", amount="1.00")
    answer = send(play, "x1", bet("b2", "1.00"), bet("b1", "2.00"))
    assert (answer.code.value, answer.conflict) == ("CONFLICT", "actions[1].amount")
    again = send(play, "x1", bet("b2", "1.00"), bet("b1", "2.00"))
    assert again.replayed
    assert again.details is not None
    assert again.details["conflict"] == "actions[1].amount"
    alone = play.send(
        "bet", "b2", amount="1.00"
    )  # burnt with the batch's code, and tells what the batch told
    assert (alone.code, alone.replayed, alone.details) == (
        "CONFLICT",
        True,
        {"conflict": "actions[1].amount"},
    )
    later = send(play, "x2", bet("b3", "1.00"), bet("b2", "1.00"))
    assert (later.code.value, later.conflict) == ("CONFLICT", "actions[1]")
    assert play.cash_of() == 9900


def test_an_action_cannot_have_its_batchs_id_nor_another_actions() -> None:
    play = Play()
    assert send(play, "x1", bet("x1", "1.00")).conflict == "actions[0].type"
    assert send(play, "x2", bet("b1", "1.00"), bet("b1", "2.00")).conflict == "actions[1].amount"
    same = send(play, "x3", bet("b2", "1.00"), bet("b2", "1.00"))
    assert same.code == "OK"
    assert [one[:3] for one in told(same)] == [("b2", "OK", False), ("b2", "OK", True)]
    assert play.cash_of() == 9900


def test_a_win_may_stand_before_its_bet() -> None:
    play = Play()
    assert send(play, "x1", win("w1", "b1", "5.00"), bet("b1", "2.00")).code == "OK"
    assert play.cash_of() == 10300


def test_a_batch_whose_win_lacks_its_bet_waits_whole_and_burns_nothing_in_the_end() -> None:
    play = Play()
    first = batch(play, "x1", bet("b1", "2.00"), win("w1", "b0", "5.00"))
    assert play.batch(first) == []
    assert play.kept() == [("x1", "missing_bet")]
    assert play.codes(play.event("bet", "b0")) == [("b0", "OK"), ("x1", "OK")]
    assert play.batch(batch(play, "x2", bet("b2", "2.00"), win("w2", "never", "5.00"))) == []
    play.ledger.pass_time(61)
    [answer] = play.batch()
    assert (answer.code.value, answer.burnt, answer.retryable) == ("BET_NOT_FOUND", False, True)
    assert [one[:4] for one in told(answer)] == [
        ("b2", "BET_NOT_FOUND", False, False),
        ("w2", "BET_NOT_FOUND", False, False),
    ]
    assert play.send("bet", "b2", amount="2.00").code == "OK"


def test_a_win_that_waits_is_released_by_a_batch_with_its_bet() -> None:
    play = Play()
    assert play.batch(play.event("win", "w1", reference="b1", amount="5.00")) == []
    assert play.codes(batch(play, "x1", bet("b1", "2.00"))) == [("x1", "OK"), ("w1", "OK")]


def test_a_rollback_of_an_action_of_a_waiting_batch_refuses_the_batch() -> None:
    play = Play()
    assert play.batch(batch(play, "x1", bet("b1", "2.00"), win("w1", "b0", "5.00"))) == []
    assert play.codes(play.event("rollback", "c1", reference="b1")) == [
        ("c1", "BET_NOT_FOUND"),
        ("x1", "ROLLED_BACK"),
    ]
    assert play.cash_of() == 10000


def test_two_game_wins_on_one_bet_are_too_many_where_the_provider_pays_one() -> None:
    assert (
        send(Play(), "x1", bet("b1", "1.00"), win("w1", "b1", "1.00"), win("w2", "b1", "1.00")).code
        == "ALREADY_SETTLED"
    )
    play = Play(replace(ACME, wins_per_bet="many"))
    assert send(play, "x1", bet("b1", "1.00"), win("w1", "b1", "1.00"), win("w2", "b1", "1.00")).code == "OK"


def test_by_round_the_win_of_a_batch_finds_its_bets_and_closes_the_round() -> None:
    play = Play(replace(ACME, settlement="per_round"))
    assert send(play, "x1", bet("b1", "1.00"), win("w1", None, "3.00")).code == "OK"
    assert play.send("bet", "b2").code == "ROUND_CLOSED"


def test_a_batch_closes_its_round_also_one_in_which_nothing_new_happens() -> None:
    play = Play()
    play.send("bet", "b1", round_id="r1")
    assert send(play, "x1", bet("b2", "1.00", round_id="r1"), round_closed=True).code == "OK"
    assert play.send("bet", "b3").code == "ROUND_CLOSED"
    assert play.send("bet", "b4", round_id="r1").code == "OK"


def test_stakes_draw_on_the_pools_one_after_another_and_wins_go_where_their_bet_came_from() -> None:
    play = Play(cash="1.00")
    accounts = play.ledger.players["p"].accounts
    accounts[("EUR", "bonus")] = Account("EUR", "bonus", 500, 1)
    accounts[("EUR", "debt")] = Account("EUR", "debt", -150, 1)
    answer = send(
        play, "x1", bet("b1", "1.00"), bet("b2", "2.00"), win("w1", "b1", "2.00"), win("w2", "b2", "4.00")
    )
    assert answer.split == {"cash": -50, "bonus": 200, "debt": 150}
    outcomes = play.ledger.outcomes
    assert outcomes[("acme", "b2")].split == {"bonus": -200}
    assert outcomes[("acme", "w1")].split == {"debt": 150, "cash": 50}
    assert outcomes[("acme", "w2")].split == {"bonus": 400}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"session_id": "nobody's"}, "SESSION_EXPIRED"),
        ({"currency": "USD"}, "WRONG_CURRENCY"),
        ({"provider": "none"}, "GAME_BLOCKED"),
    ],
)
def test_what_is_wrong_with_the_whole_burns_the_bets_and_no_win(fields: dict[str, str], code: str) -> None:
    play = Play()
    inside = {name: value for name, value in fields.items() if name != "session_id"}
    answer = send(play, "x1", bet("b1", "1.00", **inside), win("w1", "b1", "1.00", **inside), **fields)
    assert answer.code.value == code
    assert [(one[0], one[1], one[3]) for one in told(answer)] == [("b1", code, True), ("w1", code, False)]
    assert play.send("bet", "b1", **inside).replayed
