"""The oracle: what must be true of books and topics after any trouble, seen from the topics and a second, naive wallet.

What counts as sent is what the events topic holds, in its order; each of these events must have exactly one committed
answer of the right kind, each player's results count up without gap in order, the balances are the naive wallet's.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from processor.devstack.demo_proof import balance_faults
from processor.devstack.replies import Place, Reply, read_letter, read_result
from processor.devstack.traffic.event import TrafficEvent
from processor.devstack.traffic.expectation import Expectation
from processor.kafka.tailing import TopicRecord, read_to_end
from processor.ops.audit import run_audit
from tests.chaos.play import Play
from tests.chaos.scene import Scene

_SHOWN = 5


@dataclass
class Verdict:
    """What was looked at, and what is wrong, in words."""

    events: int = 0
    results: int = 0
    letters: int = 0
    faults: list[str] = field(default_factory=list)


async def examine(scene: Scene, play: Play) -> Verdict:
    """Look at everything; the workers have drained."""
    settings = scene.settings
    events = await _records(scene, settings.events_topic)
    results = await _records(scene, settings.results_topic)
    letters = await _records(scene, settings.dead_letters_topic)
    verdict = Verdict(len(events), len(results), len(letters), list(scene.faults))
    known = {Place(one.partition, one.offset): play.sent[one.key, one.value] for one in events}
    replies = [*map(read_result, results), *map(read_letter, letters)]
    verdict.faults += _answers(known, replies)
    verdict.faults += _orders(results)
    verdict.faults += await _compared_with_the_naive_wallet(scene, known, replies)
    verdict.faults += await _audited(scene)
    for lane in await scene.books.lanes():
        verdict.faults += lane.faults()
        receipt = await scene.receipt(lane.lane)
        if not (isinstance(receipt, int) and lane.published_seq <= receipt <= lane.applied_seq):
            verdict.faults.append(f"{lane} has the receipt {receipt}")
    verdict.faults += [
        f"{left} {currency} were made of nothing"
        for currency, left in (await scene.books.left_over()).items()
    ]
    return verdict


async def _records(scene: Scene, topic: str) -> list[TopicRecord]:
    return [record async for record in read_to_end(scene.settings, topic)]


def _answers(known: Mapping[Place, TrafficEvent], replies: list[Reply]) -> list[str]:
    """Exactly one answer for each event, a result or the right dead letter; none for what is no event."""
    by_place: dict[Place, list[Reply]] = defaultdict(list)
    for reply in replies:
        by_place[reply.place].append(reply)
    faults = [f"{place} has an answer and no event" for place in by_place.keys() - known.keys()]
    for place, event in known.items():
        found = by_place[place]
        if len(found) != 1:
            faults.append(
                f"{event.what} at {place} has {len(found)} answers: {[one.in_words() for one in found]}"
            )
        elif found[0].reason != event.letter:
            faults.append(f"{event.what} at {place} must end as {event.letter}, got {found[0].in_words()}")
    return _some(faults)


def _orders(results: list[TopicRecord]) -> list[str]:
    """Each player's results are in one partition, and count up from 1 without gap, in order."""
    faults, last, home = [], Counter[str](), dict[str, int]()
    for record in results:
        body = read_result(record).body or {}
        player, sequence = str(body["player_id"]), int(body["sequence"])
        if sequence != last[player] + 1 or home.setdefault(player, record.partition) != record.partition:
            faults.append(f"{player}: {sequence} after {last[player]} at {record.partition}@{record.offset}")
        last[player] = sequence
    return _some(faults)


async def _compared_with_the_naive_wallet(
    scene: Scene, known: Mapping[Place, TrafficEvent], replies: list[Reply]
) -> list[str]:
    expected = Expectation()
    for _, event in sorted(known.items()):
        expected.hear(event)
    expected.finish()
    wanted = {**expected.codes, **expected.letters, "repeats": expected.replayed}
    seen = Counter(_kind(reply) for reply in replies)
    faults = [
        f"{seen[kind]} × {kind}, the naive wallet has {wanted.get(kind, 0)}"
        for kind in sorted(wanted.keys() | seen.keys())
        if seen[kind] != wanted.get(kind, 0)
    ]
    return faults + balance_faults(expected.balances(), await scene.books.balances())


def _kind(reply: Reply) -> str:
    if reply.body is None:
        return str(reply.reason)
    return "repeats" if reply.body["replayed"] else str(reply.body["code"])


async def _audited(scene: Scene) -> list[str]:
    """What `croupier audit --full --results` finds."""
    audited = await run_audit(scene.settings, full=True, with_results=True)
    return [f"audit, {proof.name}: {proof.fault}" for proof in audited.proofs if proof.fault is not None]


def _some(faults: list[str]) -> list[str]:
    return (
        faults
        if len(faults) <= _SHOWN
        else [*faults[:_SHOWN], f"and {len(faults) - _SHOWN} more of this kind"]
    )
