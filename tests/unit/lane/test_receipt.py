"""The receipt: which batch the committed offsets vouch for."""

from __future__ import annotations

from processor.lane.receipt import offsets_with_receipt, receipt_seq
from processor.ports import CommittedOffset


def test_the_receipt_stands_beside_the_first_partition() -> None:
    offsets = offsets_with_receipt(3, 17, {5: 100, 1: 20})
    assert offsets == {1: CommittedOffset(20, "3/17"), 5: CommittedOffset(100, "")}
    assert receipt_seq(3, offsets) == 17


def test_a_receipt_of_another_layout_counts_as_none() -> None:
    assert receipt_seq(4, offsets_with_receipt(3, 17, {1: 20})) is None


def test_no_offset_and_foreign_metadata_count_as_none() -> None:
    assert receipt_seq(3, {1: None, 5: CommittedOffset(7, "3/9")}) is None
    for metadata in ("", "3", "3/", "/3", "x/1", "3/1/2", "3/-1"):
        assert receipt_seq(3, {1: CommittedOffset(7, metadata)}) is None
