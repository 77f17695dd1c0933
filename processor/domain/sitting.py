"""A sitting: one pass over one batch, event by event, with the queues of what had to be kept back.

Everything here happens in memory, over books whose players are locked; what comes of it is in ``said`` (in the
order of decision) and in the books (entries, outcomes, parked rows), for the ledger to write in one piece.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from processor.domain import queues
from processor.domain.answers import Answer, Balance, Refusal
from processor.domain.books import apply
from processor.domain.case import STRICT, Case, make_case
from processor.domain.commands import Command
from processor.domain.decide import decide_case
from processor.domain.decision import Decision
from processor.domain.effects import TombstoneSet
from processor.domain.keys import answers_wait
from processor.domain.profiles import Profile, Reference
from processor.domain.queues import MISSING_BET, POISON, QUEUED, Queue, command_of
from processor.domain.queues import Bounds as Bounds
from processor.domain.state import BONUS, CASH, DEBT, Books, Outcome, Parked, Player, game_pool


class Original(Protocol):
    """An event as it came: what has to be kept of it while it is parked."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


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

    __slots__ = ("_bounds", "_decided_at", "_identifiers", "_jitter", "_poisonous", "_queues", "_reference",
                 "_watermarks", "books", "said")  # fmt: skip

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
        self._watermarks = watermarks
        self._bounds = bounds
        self._jitter = jitter
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
            case = make_case(command, self.books, self._reference, self._decided_at)
            decision = _decide(case)
            if decision.awaits is None:
                self._answer(case, decision)
            else:
                self._park_waiting(command, original, self._queue(player, command.provider), decision.awaits)

    def _take_behind(self, command: Command, original: Original | None, queue: Queue) -> None:
        """A queue stands: only what its head waits for, and rollbacks, do not line up."""
        head = queue.rows[0]
        if command.type == "rollback":
            self._roll_back(command, queue)
        elif head.awaits is not None and answers_wait(command, head.awaits, self._profile(command.provider)):
            case = self._case(command)
            decision = _decide(case)
            if decision.awaits is None:
                self._answer(case, decision)
            else:
                self._park_waiting(command, original, queue, decision.awaits)
            self._drain(queue)
        else:
            queue.append(self._row(command, original, QUEUED), self.books)
            self._keep_in_bounds(queue)

    def _roll_back(self, command: Command, queue: Queue) -> None:
        """A rollback never queues; the queued event that it names is taken out and answers `ROLLED_BACK`."""
        case = self._case(command)
        decision = _decide(case)
        named = queue.named(command.reference or "")
        tombstones = [effect for effect in decision.effects if isinstance(effect, TombstoneSet)]
        if named is not None and tombstones:
            tombstones[0].apply(queue.player, case.moment)
            queue.remove(named, self.books)
            refused = self._case(command_of(named))
            self._answer(refused, _decide(refused))
            case = self._case(command)
            decision = _decide(case)
        self._answer(case, decision)
        self._drain(queue)

    # --------------------------------------------------------------------------------------------- kept events

    def release(self, player_id: str, provider: str) -> None:
        """Try the head of a queue that is due; followers are applied in the same pass once it is done."""
        queue = self._queue(self.books.players[player_id], provider)
        if not queue.rows:
            return
        head = queue.rows[0]
        now = self._now(head)
        if min(head.next_attempt_at, head.expires_at) > now:
            return
        if self._is_poisonous(head):
            self.fail_head(player_id, provider, self._poisonous[(head.partition, head.offset)])
            return
        head.attempts += 1
        head.next_attempt_at = now + self._bounds.backoff(head.attempts, self._jitter())
        if head.reason == MISSING_BET:
            head.next_attempt_at = min(head.next_attempt_at, head.expires_at)
        head.changed = True
        self._drain(queue, retried=head, at_end=True)

    def park_poison(self, command: Command, error: str, original: Original | None = None) -> None:
        """Keep back an event on which the law raises: it is tried again a few times, then refused."""
        queue = self._queue(self.books.players[command.player_id], command.provider)
        row = self._row(command, original, POISON)
        row.last_error = error
        queue.put_first(row, self.books)
        row.attempts = 0
        self._count_failure(queue, row, error)

    def fail_head(self, player_id: str, provider: str, error: str) -> None:
        """Count one more failed attempt of a head on which the law raises; the last one refuses it."""
        queue = self._queue(self.books.players[player_id], provider)
        if queue.rows:
            self._count_failure(queue, queue.rows[0], error)

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
        row.next_attempt_at = self._now(row)
        self.release(player_id, queue.provider)
        return "waits still" if row in queue.rows else "released"

    # -------------------------------------------------------------------------------------------- inner workings

    def _drain(self, queue: Queue, *, retried: Parked | None = None, at_end: bool = False) -> None:
        """Apply from the head on, until the queue is empty or its head has to wait (for a bet, or as poison)."""
        overtaken: set[int] = set()
        while queue.rows:
            head = queue.rows[0]
            if head.reason == POISON and head is not retried:
                return
            if self._is_poisonous(head):
                self._count_failure(queue, head, self._poisonous[(head.partition, head.offset)])
                return
            too_old = at_end and self._expiry(head) <= self._now(head)
            case = self._case(command_of(head), may_wait=not too_old)
            decision = _decide(case)
            if decision.awaits is None:
                queue.remove(head, self.books)
                self._answer(case, decision)
                continue
            other = queue.awaited(decision.awaits, self._profile(queue.provider))
            if other is None or id(other) in overtaken:
                wait = self._wait(queue.provider)
                queues.start_waiting(head, decision.awaits, wait, self._now(head), self._bounds, self._jitter)
                return
            overtaken.add(id(other))
            queue.bring_forward(other)

    def _keep_in_bounds(self, queue: Queue) -> None:
        """More than may be kept: the head gets its final outcome now."""
        while len(queue.rows) > self._bounds.max_parked:
            self._finish(queue, queue.rows[0])
            self._drain(queue)

    def _finish(self, queue: Queue, row: Parked) -> None:
        """The final outcome of a kept event, now; poison becomes a dead letter."""
        if row.reason == POISON:
            self._refuse_poison(queue, row)
            return
        case = self._case(command_of(row), may_wait=False)
        decision = _decide(case)
        queue.remove(row, self.books)
        self._answer(case, decision)

    def _count_failure(self, queue: Queue, row: Parked, error: str) -> None:
        now = self._now(row)
        if row.reason != POISON:
            row.reason, row.awaits, row.attempts = POISON, None, 0
            row.expires_at = now + timedelta(seconds=self._bounds.poison_age_seconds)
        row.attempts += 1
        row.last_error = error
        row.changed = True
        if row.attempts >= self._bounds.poison_attempts or row.expires_at <= now:
            self._refuse_poison(queue, row)
        else:
            row.next_attempt_at = now + self._bounds.backoff(row.attempts, self._jitter())

    def _refuse_poison(self, queue: Queue, row: Parked) -> None:
        """Set the event aside as a dead letter; what queued behind it is due at once, in the next batch."""
        queue.remove(row, self.books)
        self.said.append(
            Refusal(command_of(row), "POISON", row.last_error or "it kept failing", row.attempts)
        )
        if queue.rows:
            head = queue.rows[0]
            head.next_attempt_at = min(head.next_attempt_at, self._now(head))
            head.changed = True

    def _park_waiting(self, command: Command, original: Original | None, queue: Queue, awaits: str) -> None:
        row = self._row(command, original, QUEUED)
        queue.put_first(row, self.books)
        wait = self._wait(command.provider)
        queues.start_waiting(row, awaits, wait, self._now(row), self._bounds, self._jitter)

    def _row(self, command: Command, original: Original | None, reason: str) -> Parked:
        now = self._watermarks.get(command.partition, command.broker_time)
        lasts = self._bounds.poison_age_seconds
        headers = () if original is None else tuple(original.headers)
        return Parked(
            command.player_id,
            command.provider,
            command.transaction_id,
            command.partition,
            command.offset,
            command.broker_time,
            None if original is None else original.key,
            None if original is None else original.value,
            headers,
            reason,
            awaits=None,
            attempts=0,
            parked_at=now,
            next_attempt_at=now + timedelta(seconds=lasts),
            expires_at=now + timedelta(seconds=lasts),
            command=command,
        )

    def _case(self, command: Command, *, may_wait: bool = True) -> Case:
        return make_case(command, self.books, self._reference, self._decided_at, may_wait)

    def _answer(self, case: Case, decision: Decision) -> None:
        """Let the decision take place, and say it; a repeat says the original's outcome and today's balance."""
        known = decision.known
        if known is not None and decision.conflict is None:
            apply(case, decision, None)
            self.said.append(_repeat(case, decision, known))
            return
        wallet_transaction_id = next(self._identifiers) if decision.burns_id else None
        outcome = apply(case, decision, wallet_transaction_id)
        self.said.append(
            Answer(
                case.command,
                decision.code,
                case.player.sequence,
                balance_of(case.player, case.command),
                wallet_transaction_id,
                False,
                decision.retryable,
                decision.moved_minor,
                decision.moved_currency,
                decision.split,
                decision.details,
                decision.conflict,
                decision.burns_id,
                outcome,
            )
        )

    def _refuse_partition(self, command: Command, partition: int) -> None:
        detail = (
            f"player {command.player_id!r} lives in partition {partition}, this came in {command.partition}: "
            "its sender's partitioner differs"
        )
        self.said.append(Refusal(command, "KEY_MISMATCH", detail))

    def _find(self, number: int, player_id: str) -> tuple[Queue, Parked] | None:
        player = self.books.players[player_id]
        for provider in player.queues:
            queue = self._queue(player, provider)
            row = queue.numbered(number)
            if row is not None:
                return queue, row
        return None

    def _queue(self, player: Player, provider: str) -> Queue:
        queue = self._queues.get((player.player_id, provider))
        if queue is None:
            queue = self._queues[(player.player_id, provider)] = Queue.of(player, provider)
        return queue

    def _profile(self, provider: str) -> Profile | None:
        return self._reference.providers.get(provider)

    def _wait(self, provider: str) -> timedelta:
        profile = self._profile(provider) or STRICT
        return timedelta(seconds=profile.missing_bet_wait_seconds)

    def _now(self, row: Parked) -> datetime:
        """The broker time up to which the row's partition has been read."""
        return self._watermarks.get(row.partition, row.broker_time)

    def _expiry(self, row: Parked) -> datetime:
        return row.expires_at if row.reason == MISSING_BET else row.broker_time + self._wait(row.provider)

    def _is_poisonous(self, row: Parked) -> bool:
        return bool(self._poisonous) and (row.partition, row.offset) in self._poisonous


def _decide(case: Case) -> Decision:
    try:
        return decide_case(case)
    except Exception as error:
        raise PoisonError(case.command) from error


def _repeat(case: Case, decision: Decision, known: Outcome) -> Answer:
    return Answer(
        case.command,
        decision.code,
        case.player.sequence,
        balance_of(case.player, case.command),
        known.wallet_transaction_id,
        replayed=True,
        moved_minor=known.moved_minor,
        moved_currency=known.moved_currency,
        split=known.split,
        details=known.details,
        outcome=known,
    )


def balance_of(player: Player, command: Command) -> Balance | None:
    """The wallet after a decision, in the command's currency if the player has it, else in the first opened one."""
    currencies = player.currencies
    if not currencies:
        return None
    currency = command.currency
    if currency is None or currency not in currencies:
        currency = currencies[0]
    cash = player.accounts.get((currency, CASH))
    if cash is not None and len(player.accounts) == 1:  # most players: nothing but cash
        return Balance(currency, cash.balance_minor, 0, 0, 0)
    return Balance(
        currency,
        player.balance_minor(currency, CASH),
        player.balance_minor(currency, BONUS),
        player.balance_minor(currency, game_pool(command.provider)),
        player.balance_minor(currency, DEBT),
    )
