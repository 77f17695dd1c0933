"""What counts as an answer about committed offsets."""

from __future__ import annotations

from typing import Any

import pytest

from processor.errors import OffsetsUnknown
from processor.kafka.questions import read_offsets_answer
from processor.ports import CommittedOffset


def answer(
    *partitions: tuple[int, int, str | None, int], error: int = 0, topic: str = "events"
) -> dict[str, Any]:
    names = ("partition", "offset", "metadata", "error_code")
    described = [dict(zip(names, one, strict=True)) for one in partitions]
    return {"error_code": error, "topics": [{"topic": topic, "partitions": described}]}


def test_an_offset_comes_with_its_metadata_and_minus_one_means_none() -> None:
    said = answer((0, 7, "1/0/3", 0), (1, -1, "", 0), (2, 0, None, 0))
    assert read_offsets_answer(said, "events", [0, 1, 2]) == {
        0: CommittedOffset(7, "1/0/3"),
        1: None,
        2: CommittedOffset(0, ""),
    }


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"error_code": 0, "topics": []}, r"partitions \[0, 1\]"),
        (answer((0, 7, "", 0)), r"partitions \[1\]"),
        (answer((0, 7, "", 0), (1, 7, "", 0), topic="another"), r"partitions \[0, 1\]"),
        (answer((0, 7, "", 0), (1, 7, "", 0), error=16), "NotCoordinator"),
        ({"error_code": 14, "topics": []}, "CoordinatorLoadInProgress|GroupLoadInProgress"),
        (answer((0, 7, "", 0), (1, -1, "", 88)), "UNSTABLE_OFFSET_COMMIT"),
        (answer((0, 7, "", 0), (1, -1, "", 3)), "UnknownTopicOrPartition"),
    ],
)
def test_less_than_an_answer_for_every_partition_is_no_answer(said: dict[str, Any], words: str) -> None:
    with pytest.raises(OffsetsUnknown, match=words):
        read_offsets_answer(said, "events", [0, 1])
