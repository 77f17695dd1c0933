"""The oracle: what must be true of books and topics after any trouble, seen from the topics and a second, naive wallet.

What counts as sent is what the events topic holds, in its order; each of these events must have exactly one committed
answer of the right kind, each player's results count up without gap in order, the balances are the naive wallet's.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter

import orjson

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
    """Look at everything; the workers have drained. Of each answer only a few words are kept: there may be millions."""
    settings = scene.settings
    known = {
        Place(one.partition, one.offset): play.sent[one.key, one.value]
        async for one in read_to_end(settings, settings.events_topic)
    }
    answers, orders = _Answers(known), _Orders()
    async for record in read_to_end(settings, settings.results_topic):
        reply = read_result(record)
        answers.hear(reply)
        orders.hear(record, reply)
    results = answers.heard
    async for record in read_to_end(settings, settings.dead_letters_topic):
        answers.hear(read_letter(record))
    verdict = Verdict(len(known), results, answers.heard - results, list(scene.faults))
    verdict.faults += answers.faults()
    verdict.faults += _some(orders.faults)
    verdict.faults += await _compared_with_the_naive_wallet(scene, known, answers.kinds)
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


class _Answers:
    """Exactly one answer for each event, a result or the right dead letter; none for what is no event."""

    def __init__(self, known: Mapping[Place, TrafficEvent]) -> None:
        self.heard = 0
        self.kinds: Counter[str] = Counter()
        self._known = known
        self._first: dict[Place, str] = {}
        self._more: dict[Place, list[str]] = defaultdict(list)
        self._wrong: list[str] = []

    def hear(self, reply: Reply) -> None:
        """One more answer."""
        self.heard += 1
        kind = _kind(reply)
        self.kinds[kind] += 1
        if reply.place in self._first:
            self._more[reply.place].append(reply.in_words())
            return
        self._first[reply.place] = kind
        event = self._known.get(reply.place)
        if event is None:
            self._wrong.append(f"{reply.place} has an answer and no event: {reply.in_words()}")
        elif reply.reason != event.letter:
            self._wrong.append(
                f"{event.what} at {reply.place} must end as {event.letter}, got {reply.in_words()}"
            )

    def faults(self) -> list[str]:
        """Once all are heard."""
        missing = [
            f"{event.what} at {place} has no answer"
            for place, event in self._known.items()
            if place not in self._first
        ]
        more = [
            f"{place} has {1 + len(words)} answers: {self._first[place]}, then {words}"
            for place, words in self._more.items()
        ]
        return [*_some(missing), *_some(more), *_some(self._wrong)]


class _Orders:
    """Each player's results are in one partition, and count up from 1 without gap, in order."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._last = Counter[str]()
        self._home: dict[str, int] = {}

    def hear(self, record: TopicRecord, result: Reply) -> None:
        """The next result of its partition."""
        body = result.body or {}
        player, sequence = str(body["player_id"]), int(body["sequence"])
        last, self._last[player] = self._last[player], sequence
        if sequence != last + 1 or self._home.setdefault(player, record.partition) != record.partition:
            self.faults.append(f"{player}: {sequence} after {last} at {record.partition}@{record.offset}")


async def _compared_with_the_naive_wallet(
    scene: Scene, known: Mapping[Place, TrafficEvent], seen: Mapping[str, int]
) -> list[str]:
    expected = Expectation()
    for _, event in sorted(known.items(), key=itemgetter(0)):
        expected.hear(event if event.letter else replace(event, fields=orjson.loads(event.value or b"")))
    expected.finish()
    wanted = {**expected.codes, **expected.letters, "repeats": expected.replayed}
    faults = [
        f"{seen.get(kind, 0)} × {kind}, the naive wallet has {wanted.get(kind, 0)}"
        for kind in sorted(wanted.keys() | seen.keys())
        if seen.get(kind, 0) != wanted.get(kind, 0)
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
