"""Steps 10 and 11, receipt and clear: Kafka's committed offset says which batch it holds; later the journal forgets it.

The receipt is the metadata ``layout/seq`` beside the committed offset of the lane's first partition, which is part of
every transaction of the lane, also when that partition did not move. It is read only after a new producer has started:
before, a commit that is still being completed may not be visible (measured).
"""

from __future__ import annotations

from collections.abc import Mapping

from processor.ports import CommittedOffset


def offsets_with_receipt(
    layout: int, seq: int, next_offsets: Mapping[int, int]
) -> dict[int, CommittedOffset]:
    """The offsets to commit for a batch, the receipt beside the first partition's."""
    first = min(next_offsets)
    return {
        partition: CommittedOffset(offset, f"{layout}/{seq}" if partition == first else "")
        for partition, offset in next_offsets.items()
    }


def receipt_seq(layout: int, committed: Mapping[int, CommittedOffset | None]) -> int | None:
    """The batch number that the group's offsets vouch for; None where there is none of this layout."""
    first = committed[min(committed)]
    if first is None:
        return None
    written_layout, _, seq = first.metadata.partition("/")
    if not (written_layout.isdigit() and seq.isdigit()) or int(written_layout) != layout:
        return None
    return int(seq)
