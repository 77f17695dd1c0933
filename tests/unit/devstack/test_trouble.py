"""Trouble on order: struck at the place and time ordered; refused where it is not understood or not welcome."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from processor.devstack.trouble import VARIABLE, trouble_from
from processor.errors import WrongUsage
from processor.lane.steps import Step


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The signals that were sent, and to whom; none arrives."""
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))
    return sent


def test_nothing_is_ordered_where_nothing_is_said() -> None:
    assert trouble_from({}) is None
    assert trouble_from({VARIABLE: ""}) is None


async def test_it_strikes_at_the_first_batch_from_a_number_on_and_only_once(
    signals: list[tuple[int, int]],
) -> None:
    trouble = trouble_from({VARIABLE: "kill:8:before:12"})
    assert trouble is not None
    hook = trouble.hook
    for step, when, seq in [(8, "before", 11), (8, "after", 12), (7, "before", 12)]:
        await hook(step, when, seq)
    assert signals == []
    await hook(8, "before", 13)
    await hook(8, "before", 14)
    assert signals == [(os.getpid(), signal.SIGKILL)]


async def test_it_strikes_when_it_has_come_there_so_many_times(signals: list[tuple[int, int]]) -> None:
    trouble = trouble_from({VARIABLE: "stop:10:after:+3"})
    assert trouble is not None
    hook = trouble.hook
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
        "kill+5:8:before:1",
        "clock:8:before:1",
        "clock+:8:before:1",
    ],
)
def test_an_order_that_is_not_understood_is_refused(order: str) -> None:
    with pytest.raises(WrongUsage, match=VARIABLE):
        trouble_from({VARIABLE: order})


def test_no_order_is_taken_in_production() -> None:
    with pytest.raises(WrongUsage, match="production"):
        trouble_from({VARIABLE: "kill:8:before:1", "CROUPIER_ENVIRONMENT": "production"})


@pytest.mark.parametrize(("order", "hours"), [("clock+3600", 1), ("clock-7200", -2)])
async def test_a_clock_is_stepped_where_it_was_ordered_and_not_before(order: str, hours: int) -> None:
    trouble = trouble_from({VARIABLE: f"{order}:6:before:+1"})
    assert trouble is not None
    began = datetime.now(UTC)
    assert trouble.clock.now() - began < timedelta(minutes=30)
    await trouble.hook(Step.DECIDE, "before", 1)
    off_by = trouble.clock.now() - datetime.now(UTC)
    assert abs(off_by - timedelta(hours=hours)) < timedelta(minutes=30)
    assert trouble.clock.monotonic_seconds() <= trouble.clock.monotonic_seconds()


async def test_orders_in_a_file_are_taken_up_while_the_worker_runs_and_each_once(
    signals: list[tuple[int, int]], tmp_path: Path
) -> None:
    file = tmp_path / "orders"
    trouble = trouble_from({VARIABLE: f"@{file}"})
    assert trouble is not None
    await trouble.hook(Step.COMMIT, "before", 1)
    file.write_text("stop:8:before:+1\nkill:8:af")
    await trouble.hook(Step.COMMIT, "before", 2)
    await trouble.hook(Step.COMMIT, "after", 2)
    assert signals == [(os.getpid(), signal.SIGSTOP)], "half a line is no order yet"
    file.write_text("stop:8:before:+1\nkill:8:after:+1\n")
    await trouble.hook(Step.COMMIT, "before", 3)
    await trouble.hook(Step.COMMIT, "after", 3)
    assert signals == [(os.getpid(), signal.SIGSTOP), (os.getpid(), signal.SIGKILL)]
