"""What a parent tells its workers, and how it ends."""

from __future__ import annotations

import pytest

from processor.ops.supervisor import child_environment, describe_end, exit_code
from processor.settings import Settings


def test_each_worker_is_a_member_of_its_own_with_probes_of_its_own() -> None:
    settings = Settings(processes=3, group_instance_id="node-a", http_port=9000)
    told = [child_environment(settings, number) for number in range(3)]
    assert [one["CROUPIER_GROUP_INSTANCE_ID"] for one in told] == ["node-a-0", "node-a-1", "node-a-2"]
    assert [one["CROUPIER_HTTP_PORT"] for one in told] == ["9000", "9001", "9002"]
    assert {one["CROUPIER_PROCESSES"] for one in told} == {"1"}


def test_lanes_are_told_only_where_they_were_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CROUPIER_LANES", raising=False)
    assert "CROUPIER_LANES" not in child_environment(Settings(), 0)
    assert child_environment(Settings(lanes=3), 0)["CROUPIER_LANES"] == "3"


@pytest.mark.parametrize(
    ("codes", "died", "code"),
    [
        ([0, 0], False, 0),
        ([0, 0], True, 1),
        ([-9, 0], True, 1),
        ([4, 4], True, 4),
        ([-9, 3], True, 3),
        ([0, -9], False, 1),
    ],
)
def test_the_exit_code_is_the_workers_own_or_1(codes: list[int | None], died: bool, code: int) -> None:
    assert exit_code(codes, died) == code


def test_an_end_is_told_in_words() -> None:
    assert describe_end(-9) == "signal 9"
    assert describe_end(4) == "exit code 4"
