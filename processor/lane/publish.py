"""Step 9, publish: one Kafka transaction holds a batch's records and its offsets, and commits them together (step 10).

Every record's acknowledgement is awaited before the offsets, because aiokafka commits a transaction in which a send
failed (measured). A producer that ever saw a request fail is tainted, also when its commit then succeeded, and is not
used for another transaction: EndTxn may have been retried silently, and its echo could commit half of the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from processor.errors import PublishFailed
from processor.lane.receipt import offsets_with_receipt
from processor.lane.steps import Step
from processor.ports import OutRecord, Publisher, StepHook


async def publish(
    publisher: Publisher,
    *,
    layout: int,
    seq: int,
    records: Sequence[OutRecord],
    next_offsets: Mapping[int, int],
    timeout_seconds: float,
    hook: StepHook,
) -> None:
    """Publish one batch and commit its receipt, within ``timeout_seconds``.

    Raises `errors.PublishFailed` for whatever went wrong: there are no classes of error here, every failure takes the
    one recovery path. When it returns, the batch is on Kafka, once.
    """
    try:
        async with asyncio.timeout(timeout_seconds):
            await hook(Step.PUBLISH, "before", seq)
            if publisher.tainted:
                raise PublishFailed(f"batch {seq} needs a new producer: a request of this one failed before")
            await publisher.begin()
            if records:
                await publisher.send(records)
            await publisher.send_offsets(offsets_with_receipt(layout, seq, next_offsets))
            await hook(Step.PUBLISH, "after", seq)
            await hook(Step.RECEIPT, "before", seq)
            await publisher.commit()
            await hook(Step.RECEIPT, "after", seq)
    except PublishFailed:
        raise
    except TimeoutError as late:
        raise PublishFailed(f"batch {seq} was not published within {timeout_seconds} s") from late
    except Exception as problem:
        raise PublishFailed(
            f"batch {seq} was not published: {type(problem).__name__}: {problem}"
        ) from problem
