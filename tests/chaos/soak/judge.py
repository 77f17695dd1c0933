"""What the samples of a soak say: which of the things that must not grow have grown, and whether the rest is linear."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.chaos.soak.fit import Fit, fit
from tests.chaos.soak.samples import OfWorker, Sample

#: The first part of a process's life is its growing up.
_WARM_UP_SHARE: Final = 0.25
_PERIOD_SECONDS: Final = 60.0
#: A minute that was not looked at up to here has not calmed down yet.
_WHOLE_SECONDS: Final = 50.0
#: Lag that is left when a minute has calmed down is no trend while it is below this.
_SOME_RECORDS: Final = 500


@dataclass(frozen=True)
class Judgement:
    """One row of the table."""

    what: str
    first: str
    last: str
    trend: str
    verdict: str
    good: bool


def judged(samples: Sequence[Sample]) -> list[Judgement]:
    """All rows that the samples are enough for."""
    return [
        *_flat("memory of a worker, MiB", _longest_life(samples, lambda one: one.memory_mib)),
        *_calm("open sockets of a worker", _longest_life(samples, lambda one: float(one.sockets))),
        *_calm("open files of a worker", _longest_life(samples, lambda one: float(one.files))),
        *_calm("connections to Postgres", _over_time(samples, lambda one: one.postgres_connections)),
        *_calm_lag(samples),
        *_linear("tables, MiB", _over_events(samples, lambda one: one.table_mib)),
        *_linear("indexes, MiB", _over_events(samples, lambda one: one.index_mib)),
    ]


def _longest_life(samples: Sequence[Sample], value: Callable[[OfWorker], float]) -> list[tuple[float, float]]:
    """Of the process that was looked at most often with the same number of lanes: others were killed by the trouble,
    and each lane has connections of its own."""
    lives: dict[tuple[int, int], list[tuple[float, float]]] = defaultdict(list)
    for sample in samples:
        for worker in sample.workers:
            lives[worker.pid, worker.lanes].append((sample.seconds, value(worker)))
    longest = max(lives.values(), key=len, default=[])
    return longest[int(len(longest) * _WARM_UP_SHARE) :]


def _flat(what: str, points: Sequence[tuple[float, float]]) -> list[Judgement]:
    if len(points) < 3:
        return []
    line = fit(points)
    trend = f"{line.slope * 3600:+.2f} an hour"
    return [_row(what, points, trend, "flat" if line.is_flat else "NOT FLAT", line.is_flat)]


def _calm(what: str, points: Sequence[tuple[float, float]]) -> list[Judgement]:
    """The least count of each minute: trouble cuts connections and makes others, a leak stays when it is over."""
    calm = _least_of_each_minute(points)
    if len(calm) < 3:
        return []
    line = fit(calm)
    good = line.is_flat or line.slope * line.span < 1
    trend = f"{line.slope * 60:+.2f} an hour"
    return [_row(f"{what}, least of each minute", calm, trend, "flat" if good else "GROWS", good)]


def _calm_lag(samples: Sequence[Sample]) -> list[Judgement]:
    """The least lag of each minute: what trouble has piled up must be gone again before the next."""
    points = _least_of_each_minute(_over_time(samples, lambda one: one.lag_records))
    if len(points) < 3:
        return []
    good = max(lag for _, lag in points[1:]) <= _SOME_RECORDS or fit(points).is_flat
    trend = f"{fit(points).slope * 60:+.0f} an hour"
    return [_row("lag in records, least of each minute", points, trend, "calm" if good else "GROWS", good)]


def _least_of_each_minute(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """(minute, least value) in order, of whole minutes: the last one may have ended with its trouble's begin."""
    least: dict[int, float] = {}
    for seconds, value in points:
        minute = int(seconds // _PERIOD_SECONDS)
        least[minute] = min(least.get(minute, float("inf")), value)
    if points and points[-1][0] % _PERIOD_SECONDS < _WHOLE_SECONDS:
        del least[max(least)]
    return [(float(minute), value) for minute, value in sorted(least.items())]


def _linear(what: str, points: Sequence[tuple[float, float]]) -> list[Judgement]:
    """Over events, not over time: a ledger grows with what is in it."""
    if len(points) < 3:
        return []
    line = fit(points)
    trend = f"{line.slope * 1024 * 1024:.0f} bytes an event"
    good = line.is_linear or line.is_flat
    return [_row(what, points, trend, _shape(line), good)]


def _shape(line: Fit) -> str:
    if line.is_linear:
        return f"linear (R² {line.r_squared:.3f})"
    return "flat" if line.is_flat else f"NEITHER (R² {line.r_squared:.3f})"


def _row(what: str, points: Sequence[tuple[float, float]], trend: str, verdict: str, good: bool) -> Judgement:
    return Judgement(what, f"{points[0][1]:,.1f}", f"{points[-1][1]:,.1f}", trend, verdict, good)


def _over_time(
    samples: Sequence[Sample], value: Callable[[Sample], float | None]
) -> list[tuple[float, float]]:
    seen = [(one.seconds, value(one)) for one in samples]
    return [(seconds, float(one)) for seconds, one in seen if one is not None]


def _over_events(
    samples: Sequence[Sample], value: Callable[[Sample], float | None]
) -> list[tuple[float, float]]:
    """x is what has been applied: events that only wait in Kafka take no room in the ledger."""
    return [
        (float(one.events - one.lag_records), float(size))
        for one in samples
        if one.events is not None and one.lag_records is not None and (size := value(one)) is not None
    ]
