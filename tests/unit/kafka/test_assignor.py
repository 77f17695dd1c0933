"""Lanes dealt out: whole, balanced, sticky; and what members tell each other about it."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import pytest
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from hypothesis import given
from hypothesis import strategies as st

from processor.kafka.assignor import (
    NOTHING,
    Held,
    distribute,
    lane_assignor,
    partitions_of,
    read_held,
    write_held,
)

MEMBERS = st.lists(st.text("abcdef", min_size=1, max_size=3), min_size=1, max_size=6, unique=True)


@pytest.mark.parametrize(
    ("previous", "members", "lanes", "expected"),
    [
        ({}, ["a"], 4, {"a": [0, 1, 2, 3]}),
        ({}, ["a", "b"], 4, {"a": [0, 1], "b": [2, 3]}),
        ({"a": [0, 1, 2, 3]}, ["a", "b"], 4, {"a": [0, 1], "b": [2, 3]}),
        ({"b": [0, 1, 2, 3]}, ["a", "b"], 4, {"a": [2, 3], "b": [0, 1]}),
        ({"a": [1, 3], "gone": [0, 2]}, ["a", "b"], 4, {"a": [1, 3], "b": [0, 2]}),
        ({"a": [0, 1], "b": [2, 3]}, ["a", "b", "c"], 4, {"a": [0, 1], "b": [2], "c": [3]}),
        ({"a": [0, 1], "b": [1, 2]}, ["a", "b"], 3, {"a": [0, 1], "b": [2]}),
        ({"a": [0, 9, -1]}, ["a", "b"], 2, {"a": [0], "b": [1]}),
        ({}, ["a", "b", "c"], 2, {"a": [0], "b": [1], "c": []}),
    ],
)
def test_lanes_are_dealt_like_this(
    previous: dict[str, Sequence[int]], members: list[str], lanes: int, expected: dict[str, list[int]]
) -> None:
    assert distribute(previous, members, lanes) == expected


@given(MEMBERS, st.integers(1, 24), st.data())
def test_every_lane_has_one_owner_and_shares_differ_by_one_at_most(
    members: list[str], lanes: int, data: st.DataObject
) -> None:
    claims = st.lists(st.integers(-1, lanes + 1), max_size=lanes)
    previous = {member: data.draw(claims) for member in members}
    shares = distribute(previous, members, lanes)
    assert sorted(lane for theirs in shares.values() for lane in theirs) == list(range(lanes))
    sizes = [len(theirs) for theirs in shares.values()]
    assert max(sizes) - min(sizes) <= 1


@given(MEMBERS, st.integers(1, 24))
def test_nothing_moves_when_nobody_comes_or_goes(members: list[str], lanes: int) -> None:
    shares = distribute({}, members, lanes)
    assert distribute(shares, members, lanes) == shares
    assert distribute(shares, list(reversed(members)), lanes) == shares


@given(MEMBERS, st.integers(1, 24))
def test_who_joins_takes_no_more_than_his_share(members: list[str], lanes: int) -> None:
    before = distribute({}, members, lanes)
    after = distribute(before, [*members, "newcomer"], lanes)
    moved = {lane for member in members for lane in set(before[member]) - set(after[member])}
    assert moved == set(after["newcomer"])


@given(MEMBERS, st.integers(1, 24))
def test_who_leaves_moves_only_his_own_lanes(members: list[str], lanes: int) -> None:
    before = distribute({}, [*members, "leaver"], lanes)
    after = distribute(before, members, lanes)
    for member in members:
        assert set(before[member]) <= set(after[member])


@given(st.integers(0, 2**31), st.lists(st.integers(0, 255), max_size=20))
def test_what_a_member_holds_survives_the_wire(round_number: int, lanes: list[int]) -> None:
    held = Held(round_number, tuple(lanes))
    assert read_held(write_held(held)) == held


@pytest.mark.parametrize(
    "said", [None, b"", b"{}", b"[]", b"\xff", b'{"round":1,"lanes":7}', b'{"round":"x"}']
)
def test_user_data_of_others_says_nothing(said: bytes | None) -> None:
    assert read_held(said) == NOTHING


def test_a_lane_is_a_fixed_set_of_partitions() -> None:
    assert [partitions_of(lane, 3, 8) for lane in range(3)] == [[0, 3, 6], [1, 4, 7], [2, 5]]


def test_partitions_beyond_the_layout_are_never_assigned() -> None:
    assignor = lane_assignor(2, 4)
    cluster = SimpleNamespace(partitions_for_topic=lambda _: set(range(8)))
    shares = assignor.assign(cluster, {"a": assignor.metadata(["events"])})
    assert shares["a"].assignment == [("events", [0, 1, 2, 3])]


def test_a_newer_claim_beats_an_older_one() -> None:
    assignor = lane_assignor(2, 4)
    cluster = SimpleNamespace(partitions_for_topic=lambda _: set(range(4)))

    def member(held: Held) -> object:
        return SimpleNamespace(subscription=["events"], user_data=write_held(held))

    shares = assignor.assign(cluster, {"a": member(Held(3, (0,))), "b": member(Held(4, (0,)))})
    assert shares["b"].assignment == [("events", [0, 2])]
    assert read_held(shares["a"].user_data) == Held(5, (1,))


def test_readers_do_not_share_what_they_remember_nor_layouts_a_protocol() -> None:
    one, other = lane_assignor(2, 4), lane_assignor(2, 4)
    one.on_assignment(ConsumerProtocolMemberAssignment(0, [], write_held(Held(1, (0, 1)))))
    assert read_held(one.metadata(["events"]).user_data) == Held(1, (0, 1))
    assert read_held(other.metadata(["events"]).user_data) == NOTHING
    assert lane_assignor(4, 4).name != one.name != lane_assignor(2, 8).name
