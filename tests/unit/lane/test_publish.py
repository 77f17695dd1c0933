"""Steps 9 and 10: results, then their offsets with the receipt, then the commit; any failure is the same failure."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from processor.errors import PublishFailed
from processor.lane.publish import publish
from processor.lane.steps import Step
from processor.ports import CommittedOffset, OutRecord
from tests.unit.lane.world import StepLog

RECORD = OutRecord("results", 0, b"p-1", b"a result", [])


class Noting:
    """A publisher that notes what is asked of it, and may fail or hang at one of its calls."""

    tainted = False

    def __init__(self, *, fails_at: str = "", with_: BaseException | None = None) -> None:
        self.calls: list[str] = []
        self.offsets: dict[int, CommittedOffset] = {}
        self._fails_at = fails_at
        self._with = with_

    async def start(self) -> None: ...

    async def sweep(
        self, places: Sequence[tuple[str, int]], offsets: Sequence[int], *, commit: bool
    ) -> None: ...

    async def begin(self) -> None:
        await self._note("begin")

    async def send(self, records: Sequence[OutRecord]) -> None:
        await self._note(f"send {len(records)}")

    async def send_offsets(self, offsets: Mapping[int, CommittedOffset]) -> None:
        self.offsets = dict(offsets)
        await self._note("send_offsets")

    async def commit(self) -> None:
        await self._note("commit")

    async def abandon(self) -> None: ...

    async def _note(self, call: str) -> None:
        self.calls.append(call)
        if call.split()[0] == self._fails_at:
            if self._with is not None:
                raise self._with
            await asyncio.Event().wait()


async def publish_one(publisher: Noting, *records: OutRecord, steps: StepLog | None = None) -> None:
    await publish(
        publisher,
        layout=3,
        seq=8,
        records=records,
        next_offsets={1: 20, 3: 7},
        timeout_seconds=0.05,
        hook=steps or StepLog(),
    )


async def test_results_come_before_their_offsets_and_both_before_the_commit() -> None:
    publisher, steps = Noting(), StepLog()
    await publish_one(publisher, RECORD, RECORD, steps=steps)
    assert publisher.calls == ["begin", "send 2", "send_offsets", "commit"]
    assert publisher.offsets == {1: CommittedOffset(20, "3/8"), 3: CommittedOffset(7, "")}
    assert [(step, when) for step, when, _ in steps.taken] == [
        (Step.PUBLISH, "before"),
        (Step.PUBLISH, "after"),
        (Step.RECEIPT, "before"),
        (Step.RECEIPT, "after"),
    ]


async def test_a_batch_that_publishes_nothing_still_has_its_receipt() -> None:
    publisher = Noting()
    await publish_one(publisher)
    assert publisher.calls == ["begin", "send_offsets", "commit"]


@pytest.mark.parametrize("step", ["begin", "send", "send_offsets", "commit"])
@pytest.mark.parametrize("problem", [PublishFailed("refused"), OSError("cut"), ZeroDivisionError("ours")])
async def test_whatever_goes_wrong_nothing_more_is_asked_of_the_producer(
    step: str, problem: Exception
) -> None:
    publisher = Noting(fails_at=step, with_=problem)
    with pytest.raises(PublishFailed):
        await publish_one(publisher, RECORD)
    assert publisher.calls[-1].split()[0] == step


@pytest.mark.parametrize("step", ["begin", "send", "send_offsets", "commit"])
async def test_a_broker_that_is_silent_is_a_failure_too(step: str) -> None:
    with pytest.raises(PublishFailed, match="not published within"):
        await publish_one(Noting(fails_at=step), RECORD)


async def test_a_producer_that_saw_a_request_fail_begins_nothing_more() -> None:
    publisher = Noting()
    publisher.tainted = True
    with pytest.raises(PublishFailed, match="batch 8 needs a new producer"):
        await publish_one(publisher, RECORD)
    assert publisher.calls == []
