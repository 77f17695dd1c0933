"""What certify sends twice: chosen by seed, in the wanted share, and answered as the event itself was."""

from __future__ import annotations

import pytest

from processor.devstack.certify.matching import copy_differences
from processor.devstack.certify.plan import Copier, Copy
from processor.devstack.replies import Place, Reply


def chosen(share: float, seed: int = 1, case_id: str = "A1", events: int = 2000) -> list[Copy]:
    copier = Copier(share, seed, case_id)
    return [copier.choose() for _ in range(events)]


def result(**body: object) -> Reply:
    return Reply(Place(0, 0), 0.0, body={"code": "OK", "retryable": False, **body})


LETTER = Reply(Place(0, 0), 0.0, reason="INVALID_AMOUNT")


def test_no_event_is_sent_twice_unless_asked_and_all_are_where_all_are_wanted() -> None:
    assert set(chosen(0.0)) == {Copy.NONE}
    assert Copy.NONE not in chosen(1.0)


def test_the_wanted_share_is_sent_twice_some_at_once_and_some_later() -> None:
    copies = [copy for copy in chosen(0.2) if copy is not Copy.NONE]
    assert 320 < len(copies) < 480
    assert set(copies) == {Copy.AT_ONCE, Copy.LATER}


def test_the_same_seed_and_case_choose_the_same_events_and_others_do_not() -> None:
    assert chosen(0.5) == chosen(0.5)
    assert chosen(0.5) != chosen(0.5, seed=2)
    assert chosen(0.5) != chosen(0.5, case_id="A2")


@pytest.mark.parametrize(
    ("original", "copies", "is_right"),
    [
        (result(), [result(replayed=True)], True),
        (result(), [], False),
        (result(), [result(), result()], False),
        (result(), [result(code="INSUFFICIENT_FUNDS")], False),
        (result(), [LETTER], False),
        (LETTER, [LETTER], True),
        (LETTER, [result()], False),
        (result(code="BET_NOT_FOUND", retryable=True), [result()], True),
    ],
)
def test_a_copy_is_answered_once_and_as_its_event_was(
    original: Reply, copies: list[Reply], is_right: bool
) -> None:
    assert (copy_differences(original, copies) == []) is is_right
