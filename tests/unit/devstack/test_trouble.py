"""Trouble on order: struck at the place and time ordered; refused where it is not understood or not welcome."""

from __future__ import annotations

import os
import signal

import pytest

from processor.devstack.trouble import VARIABLE, hook_from
from processor.errors import WrongUsage
from processor.lane.steps import Step


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The signals that were sent, and to whom; none arrives."""
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    return sent


def test_nothing_is_ordered_where_nothing_is_said() -> None:
    assert hook_from({}) is None
    assert hook_from({VARIABLE: ""}) is None


async def test_it_strikes_at_the_first_batch_from_a_number_on_and_only_once(
    signals: list[tuple[int, int]],
) -> None:
    hook = hook_from({VARIABLE: "kill:8:before:12"})
    assert hook is not None
    for step, when, seq in [(8, "before", 11), (8, "after", 12), (7, "before", 12)]:
        await hook(step, when, seq)
    assert signals == []
    await hook(8, "before", 13)
    await hook(8, "before", 14)
    assert signals == [(os.getpid(), signal.SIGKILL)]


async def test_it_strikes_when_it_has_come_there_so_many_times(signals: list[tuple[int, int]]) -> None:
    hook = hook_from({VARIABLE: "stop:10:after:+3"})
    assert hook is not None
    for seq in (5, 5):
        await hook(Step.RECEIPT, "after", seq)
    assert signals == []
    await hook(Step.RECEIPT, "after", 6)
    assert signals == [(os.getpid(), signal.SIGSTOP)]


@pytest.mark.parametrize(
    "order",
    [
        "kill",
        "kill:8",
        "kill:8:before",
        "kill:12:before:1",
        "kill:0:before:1",
        "maim:8:before:1",
        "kill:8:at:1",
        "kill:8:before:x",
        "kill:8:before:+0",
    ],
)
def test_an_order_that_is_not_understood_is_refused(order: str) -> None:
    with pytest.raises(WrongUsage, match=VARIABLE):
        hook_from({VARIABLE: order})


def test_no_order_is_taken_in_production() -> None:
    with pytest.raises(WrongUsage, match="production"):
        hook_from({VARIABLE: "kill:8:before:1", "CROUPIER_ENVIRONMENT": "production"})
