"""The filter options that `dead-letters list`, `replay` and `discard` share."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from processor.errors import WrongUsage

if TYPE_CHECKING:
    from processor.postgres.desk.letters import LetterFilter


class Status(StrEnum):
    """Where a letter is in its life."""

    OPEN = "open"
    RESENDING = "resending"
    RESENT = "resent"
    DISCARDED = "discarded"


ReasonOption = Annotated[
    str | None, typer.Option("--code", help="Only letters with this reason: UNDECODABLE, …")
]
ProviderOption = Annotated[
    str | None, typer.Option("--provider", help="Only this provider's, as far as readable.")
]
PlayerOption = Annotated[str | None, typer.Option("--player", help="Only this player's, as far as readable.")]
SinceOption = Annotated[
    datetime | None, typer.Option("--since", help="Set aside at or after this time (UTC).")
]
UntilOption = Annotated[datetime | None, typer.Option("--until", help="Set aside before this time (UTC).")]
PlacesOption = Annotated[
    str | None,
    typer.Option(
        "--places", metavar="P[@FIRST[-LAST]]", help="Only events of this partition, or of these offsets."
    ),
]

_PLACES = re.compile(r"(\d+)(?:@(\d+)(?:-(\d+))?)?")


def letter_filter(
    *,
    status: str | None,
    code: str | None,
    provider: str | None,
    player: str | None,
    since: datetime | None,
    until: datetime | None,
    places: str | None,
) -> LetterFilter:
    """The filter that a command's options ask for. Raises `WrongUsage`."""
    from processor.ops.desk import as_utc
    from processor.postgres.desk.letters import LetterFilter
    from schemas.reasons import Reason

    if code is not None and code.upper() not in set(Reason):
        raise WrongUsage(f"--code {code}: no such reason. There are {', '.join(Reason)}.")
    partition, first, last = parse_places(places)
    return LetterFilter(
        status,
        None if code is None else code.upper(),
        provider,
        player,
        as_utc(since),
        as_utc(until),
        partition,
        first,
        last,
    )


def parse_places(places: str | None) -> tuple[int | None, int | None, int | None]:
    """``3``, ``3@17`` or ``3@17-20`` as partition, first and last offset. Raises `WrongUsage`."""
    if places is None:
        return None, None, None
    match = _PLACES.fullmatch(places)
    if match is None:
        raise WrongUsage(f"--places {places}: write P, P@OFFSET or P@FIRST-LAST, as in 3@17-20.")
    partition, first, last = (None if text is None else int(text) for text in match.groups())
    return partition, first, first if last is None else last
