"""The audience: one answer for each event, whichever is heard of first, and nothing counted twice."""

from __future__ import annotations

from typing import Any

from processor.devstack.audience import Audience, percentile
from processor.devstack.demo_proof import answer_faults, balance_faults, count_faults
from processor.devstack.replies import Place, Reply
from processor.devstack.traffic.event import TrafficEvent
from processor.devstack.traffic.expectation import Expectation

BET = TrafficEvent(b"p", b"{}", "bet", {})
TORN = TrafficEvent(b"p", b"{", "torn JSON", None, "UNDECODABLE")
HERE, THERE = Place(0, 1), Place(0, 2)


def result(place: Place, **changes: Any) -> Reply:
    return Reply(place, 30.0, body={"code": "OK", "status": "accepted", "replayed": False, **changes})


def test_an_answer_is_matched_whether_it_or_the_brokers_word_comes_first() -> None:
    audience = Audience()
    audience.ask(HERE, 10.0, BET)
    audience.hear(result(HERE))
    audience.hear(result(THERE))
    audience.ask(THERE, 10.0, BET)
    assert (audience.answered, audience.outstanding, audience.accepted) == (2, 0, 2)
    assert [timing.latency_ms for timing in audience.timings] == [20.0, 20.0]
    assert answer_faults(audience) == []


def test_accepted_rejected_and_repeated_are_kept_apart() -> None:
    audience = Audience()
    answers = (
        result(Place(0, 0)),
        result(Place(0, 1), status="rejected", code="CONFLICT"),
        result(Place(0, 2), replayed=True),
    )
    for reply in answers:
        audience.ask(reply.place, 0.0, BET)
        audience.hear(reply)
    assert (audience.accepted, audience.rejected, audience.replayed) == (1, 1, 1)
    assert audience.codes == {"OK": 1, "CONFLICT": 1}


def test_a_second_answer_for_one_event_is_a_fault_also_when_both_came_early() -> None:
    for early in (True, False):
        audience = Audience()
        if not early:
            audience.ask(HERE, 0.0, BET)
        audience.hear(result(HERE))
        audience.hear(result(HERE))
        if early:
            audience.ask(HERE, 0.0, BET)
        assert [fault for fault in answer_faults(audience) if "more than one answer" in fault]


def test_an_event_without_an_answer_is_a_fault() -> None:
    audience = Audience()
    audience.ask(HERE, 0.0, BET)
    assert answer_faults(audience) == [f"no answer for bet at {HERE}"]


def test_a_dead_letter_where_a_result_must_be_is_a_fault_and_the_other_way_round() -> None:
    audience = Audience()
    audience.ask(HERE, 0.0, BET)
    audience.hear(Reply(HERE, 0.0, reason="POISON", detail="why"))
    audience.ask(THERE, 0.0, TORN)
    audience.hear(result(THERE))
    assert len(answer_faults(audience)) == 2


def test_counts_that_differ_from_the_expectation_are_faults() -> None:
    audience, expectation = Audience(), Expectation()
    audience.codes["OK"] = 2
    expectation.codes["OK"] = 1
    expectation.letters["POISON"] = 1
    assert count_faults(expectation, audience) == [
        "2 × OK, the expectation says 1",
        "0 × POISON, the expectation says 1",
    ]


def test_balances_that_differ_are_faults_and_a_missing_account_is_empty() -> None:
    assert balance_faults({("p", "EUR", "cash"): 5, ("q", "EUR", "cash"): 0}, {("p", "EUR", "cash"): 5}) == []
    assert (
        len(balance_faults({("p", "EUR", "cash"): 5}, {("p", "EUR", "cash"): 4, ("p", "EUR", "bonus"): 1}))
        == 2
    )


def test_percentiles_are_values_that_occurred() -> None:
    assert percentile([], 0.5) is None
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([3.0, 1.0, 2.0], 0.99) == 3.0
