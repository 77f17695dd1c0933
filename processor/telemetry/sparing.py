"""Lines of libraries that come again and again, told sparingly.

A worker whose broker was away for seconds wrote thousands of them (counted in the logs of `make chaos`): nobody finds
what matters among them, and disks fill.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from cachetools import LRUCache

#: So long after a line, the same one is only counted.
QUIET_SECONDS = 10.0
#: So many different lines are remembered; the one not heard for longest is forgotten first.
_REMEMBERED = 256


@dataclass(slots=True)
class _Heard:
    told_at: float
    held_back: int = 0


class Sparing(logging.Filter):
    """Lets the first line of a kind through at once, and then one in ten seconds, with how many it stands for.

    A kind is the logger, the level and the text before its figures are put in. Loggers that are none of ``libraries``
    are not touched.
    """

    def __init__(self, libraries: Collection[str], monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._libraries = frozenset(libraries)
        self._monotonic = monotonic
        self._heard: LRUCache[tuple[str, int, str], _Heard] = LRUCache(_REMEMBERED)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is told; one that stands for others says so."""
        if record.name.partition(".")[0] not in self._libraries:
            return True
        now, kind = self._monotonic(), (record.name, record.levelno, str(record.msg))
        heard = self._heard.get(kind)
        if heard is not None and now - heard.told_at < QUIET_SECONDS:
            heard.held_back += 1
            return False
        if heard is not None and heard.held_back:
            record.msg = f"{record.getMessage()} (and {heard.held_back} more of this kind)"
            record.args = None
        self._heard[kind] = _Heard(now)
        return True
