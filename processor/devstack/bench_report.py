"""What a bench is asked to do and what it found: every measurement, and the medians that count."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Any

from processor.devstack.audience import percentile


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """Interleaved pairs of (bare, product); latency at each rate for so long, the warm-up not counted."""

    pairs: int = 5
    events: int = 100_000
    players: int = 8_000
    seconds: float = 10.0
    warm_up_seconds: float = 3.0
    rates: tuple[int, ...] = (500, 1000)
    bare_producers: tuple[int, ...] = (1, 4)


@dataclass(frozen=True, slots=True)
class Drain:
    """One pair of drains, events per second; ``bare`` is by number of producers, the better one counts.

    ``least`` is the bare loop with a ledger that does the least it can (`least_ledger.py`).
    """

    bare: dict[int, float]
    product: float
    least: float

    @property
    def best_bare(self) -> float:
        return max(self.bare.values())

    @property
    def ratio(self) -> float:
        return self.product / self.best_bare


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles of one run at one rate, milliseconds."""

    p50_ms: float
    p99_ms: float

    @classmethod
    def of(cls, latencies: list[float]) -> Latency:
        return cls(percentile(latencies, 0.5) or 0.0, percentile(latencies, 0.99) or 0.0)

    @classmethod
    def median_of(cls, runs: list[Latency]) -> Latency:
        return cls(median(run.p50_ms for run in runs), median(run.p99_ms for run in runs))


@dataclass(slots=True)
class Memory:
    """A worker's resident memory, MiB: the peak of all runs; at a quarter and at the end of a drain."""

    peak_mib: float = 0.0
    quarter_mib: list[float] = field(default_factory=list)
    end_mib: list[float] = field(default_factory=list)

    @property
    def growth(self) -> float:
        """The end over the quarter, the median of all drains."""
        return median(end / quarter for end, quarter in zip(self.end_mib, self.quarter_mib, strict=True))

    @property
    def flat(self) -> bool:
        """Whether the last three quarters of a drain add no more than a tenth."""
        return self.growth <= 1.1


@dataclass(slots=True)
class BenchReport:
    """Everything that was measured. ``bare_latency`` is by (rate, producers), ``product_latency`` by rate.

    ``product_cpu`` is the worker's processor time per event in each drain, start included, microseconds.
    """

    plan: BenchPlan
    drains: list[Drain] = field(default_factory=list)
    bare_latency: dict[tuple[int, int], list[Latency]] = field(default_factory=dict)
    product_latency: dict[int, list[Latency]] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)
    product_cpu: list[float] = field(default_factory=list)

    @property
    def bare_per_second(self) -> float:
        return median(drain.best_bare for drain in self.drains)

    @property
    def product_per_second(self) -> float:
        return median(drain.product for drain in self.drains)

    @property
    def least_per_second(self) -> float:
        return median(drain.least for drain in self.drains)

    @property
    def ratio_to_least(self) -> float:
        """The median of the product's ratios to the least ledger."""
        return median(drain.product / drain.least for drain in self.drains)

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios."""
        return median(drain.ratio for drain in self.drains)

    def bare(self, rate: int) -> Latency:
        """The bare loop's latency: of the number of producers with the lower p99."""
        by_producers = [
            Latency.median_of(runs) for (one, _), runs in self.bare_latency.items() if one == rate
        ]
        return min(by_producers, key=lambda latency: latency.p99_ms)

    def last_bare_p99_ms(self, rate: int) -> float:
        """The better p99 of the last pair's bare runs, for the progress line."""
        return min(runs[-1].p99_ms for (one, _), runs in self.bare_latency.items() if one == rate)

    def product(self, rate: int) -> Latency:
        return Latency.median_of(self.product_latency[rate])

    def as_document(self) -> dict[str, Any]:
        """What `croupier bench --json` prints."""
        return {
            "bare_per_second": round(self.bare_per_second),
            "product_per_second": round(self.product_per_second),
            "ratio": round(self.ratio, 3),
            "least_ledger_per_second": round(self.least_per_second),
            "ratio_to_least_ledger": round(self.ratio_to_least, 3),
            "latency": [self._latency_document(rate) for rate in self.plan.rates],
            "memory_mib": round(self.memory.peak_mib, 1),
            "memory": {
                "peak_mib": round(self.memory.peak_mib, 1),
                "start_mib": [round(one, 1) for one in self.memory.quarter_mib],
                "end_mib": [round(one, 1) for one in self.memory.end_mib],
                "flat": self.memory.flat,
            },
            "worker_cpu_us_per_event": round(median(self.product_cpu), 1),
            "events": self.plan.events,
            "pairs": [
                {
                    "bare_per_second": {
                        str(producers): round(rate) for producers, rate in drain.bare.items()
                    },
                    "product_per_second": round(drain.product),
                    "least_ledger_per_second": round(drain.least),
                    "ratio": round(drain.ratio, 3),
                }
                for drain in self.drains
            ],
        }

    def _latency_document(self, rate: int) -> dict[str, Any]:
        bare, product = self.bare(rate), self.product(rate)
        return {
            "rate": rate,
            "p50_ms": round(product.p50_ms, 1),
            "p99_ms": round(product.p99_ms, 1),
            "bare_p50_ms": round(bare.p50_ms, 1),
            "bare_p99_ms": round(bare.p99_ms, 1),
        }
