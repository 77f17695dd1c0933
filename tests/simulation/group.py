"""The consumer group of the simulated world: eager rebalances, sessions that end, members that are not told in time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from processor.kafka.assignor import distribute, partitions_of
from tests.simulation.network import Network

SESSION_SECONDS = 9.0
HEARTBEAT_SECONDS = 3.0
REBALANCE_SECONDS = 20.0


class UnknownMember(Exception):
    """The group does not know this member (any more): it must join anew."""


@dataclass
class Member:
    """One member as the coordinator knows it."""

    seen_at: float
    joining: asyncio.Future[list[int]] | None = None
    in_listener: bool = False


@dataclass
class Group:
    """The coordinator of the group."""

    network: Network
    lanes: int
    partitions: int
    members: dict[str, Member] = field(default_factory=dict)
    held: dict[str, list[int]] = field(default_factory=dict)
    preparing: bool = False
    round: int = 0
    #: Members that were thrown out although they lived, because their listener kept them from sending heartbeats.
    thrown_out_at_work: list[str] = field(default_factory=list)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def join(self, name: str) -> asyncio.Future[list[int]]:
        """JoinGroup and SyncGroup in one: answered, with partitions, when all have joined."""
        member = self.members.get(name)
        if member is None:
            member = self.members[name] = Member(self._now())
            self.network.later(SESSION_SECONDS, self._check, name, member)
        member.seen_at = self._now()
        if member.joining is None or member.joining.done():
            member.joining = asyncio.get_running_loop().create_future()
        self._prepare()
        joining = member.joining
        self._finish_if_complete()
        return joining

    def heartbeat(self, name: str) -> bool:
        """Whether a rebalance wants this member to join anew. Raises `UnknownMember`."""
        member = self.members.get(name)
        if member is None:
            raise UnknownMember(name)
        member.seen_at = self._now()
        return self.preparing

    def leave(self, name: str) -> None:
        """LeaveGroup, or thrown out."""
        member = self.members.pop(name, None)
        if member is not None:
            if member.joining is not None and not member.joining.done():
                member.joining.cancel()
            self._prepare()
            self._finish_if_complete()

    def excuse(self, name: str) -> None:
        """Its process is frozen or dead: whatever it is late with is not its listener's fault."""
        if name in self.members:
            self.members[name].in_listener = False

    def _prepare(self) -> None:
        if not self.preparing:
            self.preparing = True
            self.round += 1
            self.network.later(REBALANCE_SECONDS, self._give_up_waiting, self.round)

    def _finish_if_complete(self) -> None:
        if not self.preparing or any(
            one.joining is None or one.joining.done() for one in self.members.values()
        ):
            return
        self.preparing = False
        if not self.members:
            self.held = {}
            return
        self.held = dict(distribute(self.held, sorted(self.members), self.lanes))
        for name, member in self.members.items():
            given = [
                part for lane in self.held[name] for part in partitions_of(lane, self.lanes, self.partitions)
            ]
            member.seen_at = self._now()
            if member.joining is not None:
                member.joining.set_result(sorted(given))

    def _give_up_waiting(self, round_: int) -> None:
        """Whoever has not joined in time is left out."""
        if self.preparing and round_ == self.round:
            for name in [
                name for name, one in self.members.items() if one.joining is None or one.joining.done()
            ]:
                self.leave(name)

    def _check(self, name: str, member: Member) -> None:
        """The session's watch; a member that waits in a join is alive."""
        if self.members.get(name) is not member:
            return
        waits_in_join = member.joining is not None and not member.joining.done()
        left = member.seen_at + SESSION_SECONDS - self._now()
        if waits_in_join or left > 0:
            self.network.later(left if left > 0 else SESSION_SECONDS, self._check, name, member)
            return
        if member.in_listener:
            self.thrown_out_at_work.append(name)
        self.leave(name)
