"""What `croupier dead-letters export` and `import` do: letters into JSON lines, and back into the work list."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import BinaryIO

from processor.ops.desk import open_desk
from processor.ops.letter_lines import NotALetter, letter_of, line_of
from processor.postgres.desk.desk import Desk
from processor.postgres.desk.letters import LetterFilter, Move, Original, find, originals, put_back
from processor.settings import Settings

_PAGE = 200


@dataclass(slots=True)
class ImportReport:
    """What came of an import: ids by what happened to them, and the lines that are no letters."""

    imported: list[str] = field(default_factory=list)
    already_there: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    no_letters: list[str] = field(default_factory=list)

    @property
    def refused_some(self) -> bool:
        """Whether something of the file was left out."""
        return bool(self.differing or self.no_letters)


async def export(settings: Settings, wanted: LetterFilter, file: BinaryIO) -> int:
    """Write every letter of a filter, in the order of their events; how many there were."""
    written = 0
    async with open_desk(settings) as desk:
        async for original in _all(desk, wanted):
            file.write(line_of(original) + b"\n")
            written += 1
    return written


async def bring_in(
    settings: Settings, lines: Iterable[bytes], *, actor: str, why: str, dry_run: bool
) -> ImportReport:
    """Put exported letters into the work list; one that is there already stays as it is, whatever the file says."""
    report = ImportReport()
    async with open_desk(settings) as desk:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                original = letter_of(line)
            except NotALetter as fault:
                report.no_letters.append(f"line {number}: {fault}")
                continue
            await _bring_in_one(desk, original, Move(actor, "dead-letters.import", why), report, dry_run)
    return report


async def _bring_in_one(
    desk: Desk, original: Original, by: Move, report: ImportReport, dry_run: bool
) -> None:
    letter_id = original.letter.letter_id
    there = await find(desk, letter_id)
    if there is None and not dry_run and not await put_back(desk, original, by):
        there = await find(desk, letter_id)
    if there is None:
        report.imported.append(letter_id)
    elif there[1:] == original[1:]:
        report.already_there.append(letter_id)
    else:
        report.differing.append(letter_id)


async def _all(desk: Desk, wanted: LetterFilter) -> AsyncIterator[Original]:
    after: tuple[int, int, str] | None = None
    while page := await originals(desk, wanted, after=after, limit=_PAGE):
        for original in page:
            yield original
        last = page[-1].letter
        after = (last.event_partition, last.event_offset, last.letter_id)
