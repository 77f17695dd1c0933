"""A sitting: one pass over one batch, event by event, with the queues of what had to be kept back.

Everything here happens in memory, over books whose players are locked; what comes of it is in ``said`` (in the
order of decision) and in the books (entries, outcomes, parked rows), for the ledger to write in one piece.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from processor.domain.actions import store_actions
from processor.domain.answering import answer, repeat
from processor.domain.answers import Answer, Refusal
from processor.domain.books import apply
from processor.domain.case import Case, make_case
from processor.domain.commands import Command
from processor.domain.decide import decide_case
from processor.domain.decision import Decision
from processor.domain.effects import TombstoneSet
from processor.domain.keys import answers_wait
from processor.domain.parking import POISON, QUEUED, Bounds, Original, Parking
from processor.domain.profiles import Reference
from processor.domain.queues import Queue, command_of
from processor.domain.state import Books, Parked, Player


class PoisonError(Exception):
    """The law raised on this command; the books of this sitting are to be thrown away."""

    def __init__(self, command: Command) -> None:
        super().__init__(
            f"deciding {command.type} {command.transaction_id!r} of {command.player_id!r} raised"
        )
        self.command = command


def full_delay() -> float:
    """No jitter: every wait at its longest."""
    return 1.0


class Sitting:
    """One pass over a batch: `take` each event in order, then `release` the queues that are due.

    ``watermarks`` are the broker times up to which each partition has been read, this batch included.
    ``poisonous`` are positions (partition, offset) known to make the law raise, with the error: they are not
    decided again in this sitting, but parked, counted, and at last refused.
    """

    __slots__ = (
        "_decided_at",
        "_identifiers",
        "_parking",
        "_poisonous",
        "_queues",
        "_reference",
        "books",
        "said",
    )

    def __init__(
        self,
        books: Books,
        reference: Reference,
        *,
        decided_at: datetime,
        identifiers: Iterator[str],
        watermarks: Mapping[int, datetime],
        bounds: Bounds,
        jitter: Callable[[], float] = full_delay,
        poisonous: Mapping[tuple[int, int], str] | None = None,
    ) -> None:
        self.books = books
        self.said: list[Answer | Refusal] = []
        self._reference = reference
        self._decided_at = decided_at
        self._identifiers = identifiers
        self._parking = Parking(reference, bounds, watermarks, jitter)
        self._poisonous = poisonous or {}
        self._queues: dict[tuple[str, str], Queue] = {}

    # ------------------------------------------------------------------------------------------ a batch's events

    def take(self, command: Command, original: Original | None = None) -> None:
        """Decide one event, or keep it back behind what its player and provider already wait for."""
        player = self.books.players[command.player_id]
        if player.partition is not None and player.partition != command.partition:
            self._refuse_partition(command, player.partition)
        elif self._poisonous and (command.partition, command.offset) in self._poisonous:
            self.park_poison(command, self._poisonous[(command.partition, command.offset)], original)
        elif player.queues and (queue := self._queue(player, command.provider)).rows:
            self._take_behind(command, original, queue)
        else:
            self._decide_or_wait(command, original, player)

    def _decide_or_wait(self, command: Command, original: Original | None, player: Player) -> None:
        """Decide an event now; where it waits for a bet, it becomes the head of its queue."""
        case = make_case(command, self.books, self._reference, self._decided_at)
        decision = _decide(case)
        if decision.awaits is None:
            self._answer(case, decision)
            return
        row = self._parking.new_row(command, original, QUEUED)
        self._queue(player, command.provider).put_first(row, self.books)
        self._parking.wait_for(row, decision.awaits)

    def _take_behind(self, command: Command, original: Original | None, queue: Queue) -> None:
        """A queue stands: only what its head waits for, and rollbacks, do not line up."""
        awaits = queue.rows[0].awaits
        profile = self._reference.providers.get(command.provider)
        if command.type == "rollback":
            self._roll_back(command, queue)
        elif awaits is not None and answers_wait(command, awaits, profile):
            self._decide_or_wait(command, original, queue.player)
            self._drain(queue)
        else:
            queue.append(self._parking.new_row(command, original, QUEUED), self.books)
            self._keep_in_bounds(queue)

    def _roll_back(self, command: Command, queue: Queue) -> None:
        """A rollback never queues; the queued event that it names is taken out and answers `ROLLED_BACK`."""
        case = self._case(command)
        decision = _decide(case)
        named = queue.named(command.reference or "")
        tombstones = [effect for effect in decision.effects if isinstance(effect, TombstoneSet)]
        if named is not None and tombstones:
            tombstones[0].apply(queue.player, case.moment)
            self._finish(queue, named)
            case = self._case(command)
            decision = _decide(case)
        self._answer(case, decision)
        self._drain(queue)

    # --------------------------------------------------------------------------------------------- kept events

    def release(self, player_id: str, provider: str) -> None:
        """Try the head of a queue that is due; followers are applied in the same pass once it is done."""
        queue = self._queue(self.books.players[player_id], provider)
        if queue.rows and self._parking.is_due(queue.rows[0]):
            self._try_head(queue, at_end=True)

    def park_poison(self, command: Command, error: str, original: Original | None = None) -> None:
        """Keep back an event on which the law raises: it is tried again a few times, then refused."""
        queue = self._queue(self.books.players[command.player_id], command.provider)
        row = self._parking.new_row(command, original, POISON)
        queue.put_first(row, self.books)
        self._fail(queue, row, error)

    def fail_head(self, player_id: str, provider: str, error: str) -> None:
        """Count one more failed attempt of a head on which the law raises; the last one refuses it."""
        queue = self._queue(self.books.players[player_id], provider)
        if queue.rows:
            self._fail(queue, queue.rows[0], error)

    def discard(self, number: int, player_id: str) -> str:
        """An operator's `parked discard`: the final outcome now. Says what came of it."""
        found = self._find(number, player_id)
        if found is None:
            return "not found"
        queue, row = found
        was_head = queue.rows[0] is row
        self._finish(queue, row)
        if was_head:
            self._drain(queue)
        return "discarded"

    def retry(self, number: int, player_id: str) -> str:
        """An operator's `parked retry`: the queue's head is tried now. Says what came of it."""
        found = self._find(number, player_id)
        if found is None:
            return "not found"
        queue, row = found
        if queue.rows[0] is not row:
            return "not the first of its queue"
        self._try_head(queue, at_end=False)
        return "released" if row.gone else "waits still"

    # -------------------------------------------------------------------------------------------- inner workings

    def _try_head(self, queue: Queue, *, at_end: bool) -> None:
        head = queue.rows[0]
        if not self._is_poisonous(head):
            self._parking.count_attempt(head)
        self._drain(queue, retried=head, at_end=at_end)

    def _drain(self, queue: Queue, *, retried: Parked | None = None, at_end: bool = False) -> None:
        """Apply from the head on, until the queue is empty or its head has to wait (for a bet, or as poison).

        ``at_end`` says that the batch's events are all taken, so that age may count.
        """
        overtaken: set[int] = set()
        while queue.rows:
            head = queue.rows[0]
            if head.reason == POISON and head is not retried:
                return
            if self._is_poisonous(head):
                self._fail(queue, head, self._poisonous[(head.partition, head.offset)])
                return
            too_old = at_end and self._parking.is_too_old(head)
            case = self._case(command_of(head), may_wait=not too_old)
            decision = _decide(case)
            if decision.awaits is None:
                queue.remove(head, self.books)
                self._answer(case, decision)
                continue
            awaited = queue.awaited(decision.awaits, case.profile)
            if awaited is None or id(awaited) in overtaken:
                self._parking.wait_for(head, decision.awaits)
                return
            overtaken.add(id(awaited))
            queue.bring_forward(awaited)

    def _keep_in_bounds(self, queue: Queue) -> None:
        """More than may be kept: the head gets its final outcome now."""
        while len(queue.rows) > self._parking.bounds.max_parked:
            self._finish(queue, queue.rows[0])
            self._drain(queue)

    def _finish(self, queue: Queue, row: Parked) -> None:
        """The final outcome of a kept event, now; poison becomes a dead letter."""
        if row.reason == POISON or self._is_poisonous(row):
            self._refuse_poison(queue, row)
            return
        case = self._case(command_of(row), may_wait=False)
        decision = _decide(case)
        queue.remove(row, self.books)
        self._answer(case, decision)

    def _fail(self, queue: Queue, row: Parked, error: str) -> None:
        if self._parking.count_failure(row, error):
            self._refuse_poison(queue, row)

    def _refuse_poison(self, queue: Queue, row: Parked) -> None:
        """Set the event aside as a dead letter; what queued behind it is due at once, in the next batch."""
        queue.remove(row, self.books)
        error = row.last_error or self._poisonous.get((row.partition, row.offset), "it kept failing")
        self.said.append(Refusal(command_of(row), "POISON", error, max(row.attempts, 1)))
        if queue.rows:
            self._parking.make_due(queue.rows[0])

    def _answer(self, case: Case, decision: Decision) -> None:
        """Let the decision take place, and say it."""
        known = decision.known
        if known is not None and decision.conflict is None:
            apply(case, decision, None)
            self.said.append(repeat(case, decision, known))
            return
        outcome = apply(case, decision, next(self._identifiers) if decision.burns_id else None)
        if decision.actions:
            decision.details = store_actions(case, decision, outcome, self._identifiers)
        self.said.append(answer(case, decision, outcome))

    def _refuse_partition(self, command: Command, partition: int) -> None:
        detail = (
            f"player {command.player_id!r} lives in partition {partition}, this came in {command.partition}: "
            "its sender's partitioner differs"
        )
        self.said.append(Refusal(command, "KEY_MISMATCH", detail))

    def _case(self, command: Command, *, may_wait: bool = True) -> Case:
        return make_case(command, self.books, self._reference, self._decided_at, may_wait)

    def _queue(self, player: Player, provider: str) -> Queue:
        queue = self._queues.get((player.player_id, provider))
        if queue is None:
            queue = self._queues[(player.player_id, provider)] = Queue.of(player, provider)
        return queue

    def _find(self, number: int, player_id: str) -> tuple[Queue, Parked] | None:
        player = self.books.players[player_id]
        for provider in player.queues:
            queue = self._queue(player, provider)
            row = queue.numbered(number)
            if row is not None:
                return queue, row
        return None

    def _is_poisonous(self, row: Parked) -> bool:
        return bool(self._poisonous) and (row.partition, row.offset) in self._poisonous


def _decide(case: Case) -> Decision:
    try:
        return decide_case(case)
    except Exception as error:
        raise PoisonError(case.command) from error
