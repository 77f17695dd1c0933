"""Step 6, decide: the pure law, item by item in order, over the locked state; everything published is rendered here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from processor.domain.answers import Answer, Refusal
from processor.domain.books import house_changes
from processor.domain.profiles import Reference
from processor.domain.queues import Bounds
from processor.domain.seal import entry_line, outcome_line, seal, sealed_lines
from processor.domain.sitting import PoisonError, Sitting
from processor.domain.state import Books, Parked, Told
from processor.domain.telling_again import answer_again
from processor.lane.dead_letters import door_letter, refused_letter
from processor.lane.journal import Header, Rendered
from processor.lane.render import Renderer
from processor.lane.work import REPAIR, REPAIRED, Arrival, Due, Item
from processor.ports import DeadLetter, EventRecord, LaneRequest, UnparsableRecord

Original = EventRecord | UnparsableRecord | Parked


@dataclass(slots=True)
class Decided:
    """All that a batch decided: what to store, what to publish, and the counts for those who watch."""

    books: Books
    outcome_lines: list[str]
    entry_lines: list[str]
    seal: bytes
    house: Mapping[tuple[str, str, str], int]
    shared_headers: list[Header]
    rendered: list[Rendered] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    requests_done: list[tuple[int, str]] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    replayed: int = 0


@dataclass(slots=True)
class Bench:
    """What the deciding of one batch is given besides its items and books."""

    reference: Reference
    decided_at: datetime
    identifiers: Iterator[str]
    watermarks: Mapping[int, datetime]
    bounds: Bounds
    poisonous: Mapping[tuple[int, int], str]
    jitter: Callable[[], float]
    renderer: Renderer
    previous_seal: bytes


def decide(items: list[Item], books: Books, bench: Bench, said: list[Answer | Refusal]) -> Decided:
    """Decide every item. ``said`` is filled as it goes on, so that a failure can be traced to an event.

    Raises `domain.sitting.PoisonError` when the law raises over an event.
    """
    sitting = Sitting(
        books,
        bench.reference,
        decided_at=bench.decided_at,
        identifiers=bench.identifiers,
        watermarks=bench.watermarks,
        bounds=bench.bounds,
        jitter=bench.jitter,
        poisonous=bench.poisonous,
    )
    sitting.said = said
    originals: dict[tuple[int, int], Original] = _parked_originals(books)
    door_letters: list[tuple[int, Arrival]] = []
    requests_done = []
    again: list[Told] = []
    for item in items:
        if isinstance(item, Arrival):
            if item.command is None:
                door_letters.append((len(said), item))
            else:
                sitting.take(item.command, item.record)
                originals[(item.record.partition, item.record.offset)] = item.record
        elif isinstance(item, LaneRequest):
            requests_done.append((item.number, _carry_out(sitting, item, again)))
    for item in items:
        if isinstance(item, Due):
            sitting.release(item.player_id, item.provider)
    decided = _sealed(books, bench)
    decided.requests_done = requests_done
    decided.rendered += [_told_again(told, books, bench) for told in again]
    _render(decided, said, door_letters, originals, bench)
    return decided


def _parked_originals(books: Books) -> dict[tuple[int, int], Original]:
    return {
        (parked.partition, parked.offset): parked
        for player in books.players.values()
        for queue in player.queues.values()
        for parked in queue
    }


def _carry_out(sitting: Sitting, request: LaneRequest, again: list[Told]) -> str:
    if request.kind == REPAIR:
        return _repair(sitting.books, request, again)
    if request.kind == "parked.discard":
        return sitting.discard(request.target, request.player_id)
    return sitting.retry(request.target, request.player_id)


def _repair(books: Books, request: LaneRequest, again: list[Told]) -> str:
    """Have a stored decision told again. Says what came of it."""
    told = books.repairs.get((request.player_id, request.target))
    if told is None:
        return "not found"
    if told.actions > 1:
        return "not told again: several ids were decided with it"
    again.append(told)
    return "told again"


def _told_again(told: Told, books: Books, bench: Bench) -> Rendered:
    """The result as it was to be told, with the header that says that it was made up for, and of which batch it was."""
    answer = answer_again(told, books.players[told.outcome.player_id])
    decided_at = told.outcome.decided_at
    renderer = bench.renderer if decided_at is None else bench.renderer.as_of(decided_at)
    result = renderer.result(answer)
    return result._replace(own_headers=[*result.own_headers, (REPAIRED, told.batch.encode())])


def _sealed(books: Books, bench: Bench) -> Decided:
    """The batch's seal: over the one before and the ordered outcomes with the balances they left."""
    outcomes, entries = books.new_outcomes, books.new_entries
    outcome_lines = [outcome_line(outcome) for outcome in outcomes]
    entry_lines = [entry_line(entry) for entry in entries]
    digest = seal(bench.previous_seal, sealed_lines(outcomes, outcome_lines, entries, entry_lines))
    house, shared = house_changes(entries), bench.renderer.shared_headers(digest)
    return Decided(books, outcome_lines, entry_lines, digest, house, shared)


def _render(
    decided: Decided,
    said: list[Answer | Refusal],
    door_letters: list[tuple[int, Arrival]],
    originals: Mapping[tuple[int, int], Original],
    bench: Bench,
) -> None:
    """In decision order, each dead letter of the door at its place among the answers."""
    waiting = iter([*door_letters, (len(said) + 1, None)])
    place, arrival = next(waiting)
    for index, one in enumerate([*said, None]):
        while place <= index and arrival is not None:
            _render_letter(decided, door_letter(arrival, bench.renderer), arrival.record, bench)
            place, arrival = next(waiting)
        if isinstance(one, Answer):
            decided.rendered.append(_result(one, bench.renderer))
            decided.codes[one.code] += 1
            decided.replayed += one.replayed
        elif one is not None:
            record = originals[(one.command.partition, one.command.offset)]
            _render_letter(decided, refused_letter(one, record, bench.renderer), record, bench)


def _result(answer: Answer, renderer: Renderer) -> Rendered:
    """A result; an answer that cannot be rendered is its event's poison, like one that cannot be decided."""
    try:
        return renderer.result(answer)
    except Exception as error:
        raise PoisonError(answer.command) from error


def _render_letter(decided: Decided, letter: DeadLetter, record: object, bench: Bench) -> None:
    decided.dead_letters.append(letter)
    decided.reasons[letter.reason] += 1
    decided.rendered.append(bench.renderer.dead_letter(letter, record))
