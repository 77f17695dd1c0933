"""Who gets which lane: whole lanes (``partition % lanes``), balanced, and kept by whoever has them already.

A lane that stays keeps its producer, its epoch and its memory; so the leader learns from every member which lanes it
held (user data of the join) and takes as few away as balance needs. The protocol's name carries the layout: a member
of another layout is refused by the broker, instead of two cuts of the same topic running side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

_VERSION = 0


class Held(NamedTuple):
    """What a member says it holds: its lanes, and the round of assignment that gave them."""

    round: int
    lanes: tuple[int, ...]


NOTHING = Held(0, ())


def distribute(
    previous: Mapping[str, Sequence[int]], members: Sequence[str], lanes: int
) -> dict[str, list[int]]:
    """Every lane to exactly one member: shares differ by one at most, and the fewest possible lanes move.

    ``previous`` is what each member held; a lane claimed twice stays with the first in ``members``' order.
    """
    held = _undisputed(previous, members, lanes)
    share, larger_shares = divmod(lanes, len(members))
    by_holding = sorted(members, key=lambda member: (-len(held[member]), members.index(member)))
    quota = {member: share + (rank < larger_shares) for rank, member in enumerate(by_holding)}
    kept = {member: held[member][: quota[member]] for member in members}
    free = sorted(set(range(lanes)) - {lane for theirs in kept.values() for lane in theirs})
    for member in by_holding:
        wanted = quota[member] - len(kept[member])
        kept[member], free = sorted(kept[member] + free[:wanted]), free[wanted:]
    return kept


def _undisputed(
    previous: Mapping[str, Sequence[int]], members: Sequence[str], lanes: int
) -> dict[str, list[int]]:
    taken: set[int] = set()
    held: dict[str, list[int]] = {}
    for member in members:
        theirs = {lane for lane in previous.get(member, ()) if 0 <= lane < lanes} - taken
        taken |= theirs
        held[member] = sorted(theirs)
    return held


def partitions_of(lane: int, lanes: int, partitions: int) -> list[int]:
    """The partitions of one lane."""
    return list(range(lane, partitions, lanes))


def lane_assignor(lanes: int, partitions: int) -> type[AbstractPartitionAssignor]:
    """An assignor class for one consumer of this layout. aiokafka calls classes, so each reader needs its own."""

    class LaneAssignor(AbstractPartitionAssignor):  # type: ignore[misc]  # aiokafka comes without types
        """Keeps lanes whole, balanced and sticky."""

        name = f"croupier-lanes-{lanes}-of-{partitions}"
        held = NOTHING

        @classmethod
        def metadata(cls, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
            return ConsumerProtocolMemberMetadata(_VERSION, list(topics), write_held(cls.held))

        @classmethod
        def assign(
            cls, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
        ) -> dict[str, ConsumerProtocolMemberAssignment]:
            claims = {member: read_held(metadata.user_data) for member, metadata in members.items()}
            topic = next(iter(members.values())).subscription[0]
            known = cluster.partitions_for_topic(topic) or set()
            newest_first = sorted(members, key=lambda member: (-claims[member].round, member))
            round_number = 1 + max(claim.round for claim in claims.values())
            shares = distribute(
                {member: claim.lanes for member, claim in claims.items()}, newest_first, lanes
            )
            return {
                member: _assignment(topic, Held(round_number, tuple(theirs)), known)
                for member, theirs in shares.items()
            }

        @classmethod
        def on_assignment(cls, assignment: ConsumerProtocolMemberAssignment) -> None:
            cls.held = read_held(assignment.user_data)

    def _assignment(topic: str, held: Held, known: set[int]) -> ConsumerProtocolMemberAssignment:
        theirs = [
            one for lane in held.lanes for one in partitions_of(lane, lanes, partitions) if one in known
        ]
        given = [(topic, sorted(theirs))] if theirs else []
        return ConsumerProtocolMemberAssignment(_VERSION, given, write_held(held))

    return LaneAssignor


def write_held(held: Held) -> bytes:
    """User data of the group protocol, as JSON."""
    return orjson.dumps({"round": held.round, "lanes": held.lanes})


def read_held(user_data: bytes | None) -> Held:
    """User data of the group protocol; what is not ours says nothing."""
    try:
        said: Any = orjson.loads(user_data or b"{}")
        return Held(int(said["round"]), tuple(int(lane) for lane in said["lanes"]))
    except (ValueError, TypeError, KeyError):
        return NOTHING
