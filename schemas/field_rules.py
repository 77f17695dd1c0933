"""Rules that a field's own form cannot say: what a kind of win or limit needs, how large metadata may be.

Each rule reads the sender's object and yields (field, what is wrong) pairs; a field that is wrong in itself
is left to the model's own complaint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from schemas.reading import has_nul

MAX_METADATA_BYTES: Final = 4096

Fault = tuple[str, str]
Rule = Callable[[Mapping[str, Any]], Iterator[Fault]]

_WITHOUT_PERIOD: Final = frozenset({"single_bet", "session_time"})
_WITH_PERIOD: Final = frozenset({"deposit", "loss", "wager"})


def metadata_faults(metadata: Any) -> Iterator[Fault]:
    """Metadata is at most 4 KiB in its shortest JSON and holds no NUL characters."""
    if not isinstance(metadata, dict):
        return
    if len(orjson.dumps(metadata)) > MAX_METADATA_BYTES:
        yield "metadata", f"is larger than {MAX_METADATA_BYTES} bytes"
    if has_nul(metadata):
        yield "metadata", "holds a NUL character"


def _win(raw: Mapping[str, Any]) -> Iterator[Fault]:
    kind = raw.get("kind")
    if kind is None or kind == "game":
        for field in ("game_id", "round_id"):
            if raw.get(field) is None:
                yield field, "is required for a win of kind game"


def _limit(raw: Mapping[str, Any]) -> Iterator[Fault]:
    limit, period = raw.get("limit"), raw.get("period")
    if not isinstance(limit, str):
        return
    if limit in _WITH_PERIOD and period is None:
        yield "period", "is required for this limit"
    if limit in _WITHOUT_PERIOD and period is not None:
        yield "period", "does not apply to this limit"


def _set_limit(raw: Mapping[str, Any]) -> Iterator[Fault]:
    yield from _limit(raw)
    limit = raw.get("limit")
    if limit == "session_time" and raw.get("amount") is not None:
        yield "amount", "does not apply to session_time, which takes minutes"
    if limit != "session_time" and raw.get("minutes") is not None:
        yield "minutes", "applies to session_time only"


def _open_player(raw: Mapping[str, Any]) -> Iterator[Fault]:
    time_zone = raw.get("time_zone")
    if isinstance(time_zone, str) and not _is_time_zone(time_zone):
        yield "time_zone", "is no IANA time zone"


def _is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


#: The rules of those types that have any.
RULES: Final[Mapping[str, Rule]] = {
    "win": _win,
    "set_limit": _set_limit,
    "confirm_limit": _limit,
    "open_player": _open_player,
}
