"""Prometheus metrics of a worker, fed by what its lanes tell. Everything is counted per batch, children are
kept, so that an event costs no call of its own.

Names are stable: ``croupier_…_total`` counts, ``croupier_…_seconds`` measures time, labels are lane,
partition, step (docs/exactly-once.md), code and reason (the contract's).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from processor.lane.steps import Step
from processor.ports import KeyFacts

_STEP_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_BATCH_BUCKETS = (1, 2, 5, 10, 25, 50, 100, 150, 200, 250, 500, 1000, 2500, 5000)


class MetricsObserver:
    """Counts what lanes tell (`lane.observer.Observer`) into a registry of its own."""

    def __init__(self, registry: CollectorRegistry | None = None, *, process: bool = True) -> None:
        """``process`` adds the process's own memory, CPU and collector figures."""
        self.registry = CollectorRegistry() if registry is None else registry
        if process:
            ProcessCollector(registry=self.registry)
            PlatformCollector(registry=self.registry)
            GCCollector(registry=self.registry)
        self._make_lane_metrics(self.registry)
        self._make_event_metrics(self.registry)
        self._make_trouble_metrics(self.registry)
        self._make_key_metrics(self.registry)
        # A child is looked up by its label values once; the client's own look-up takes a lock each time.
        self._turned: Callable[[int], Counter] = cache(self._turns.labels)
        self._applied_to: Callable[[int], Gauge] = cache(self._applied_seq.labels)
        self._published_to: Callable[[int], Gauge] = cache(self._published_seq.labels)
        self._step: Callable[[int, str], Histogram] = cache(self._step_seconds.labels)
        self._code: Callable[[str], Counter] = cache(self._results.labels)
        self._lags: dict[int, tuple[Gauge, Gauge]] = {}

    def _make_lane_metrics(self, registry: CollectorRegistry) -> None:
        lane = ("lane",)
        self._ready = Gauge(
            "croupier_lane_ready", "1 when the lane can apply and publish.", lane, registry=registry
        )
        self._turns = Counter(
            "croupier_lane_turns_total", "Turns of the lane's loop.", lane, registry=registry
        )
        self._applied_seq = Gauge(
            "croupier_applied_seq", "Last batch applied in Postgres.", lane, registry=registry
        )
        self._published_seq = Gauge(
            "croupier_published_seq", "Last batch whose receipt Kafka holds.", lane, registry=registry
        )
        self._step_seconds = Histogram(
            "croupier_step_seconds",
            "Time of each numbered step of a batch.",
            ("lane", "step"),
            buckets=_STEP_BUCKETS,
            registry=registry,
        )
        self._batch_events = Histogram(
            "croupier_batch_events", "Events in a batch.", buckets=_BATCH_BUCKETS, registry=registry
        )
        self._lag_records = Gauge(
            "croupier_lag_records",
            "Records between the lane and the end of the partition.",
            ("partition",),
            registry=registry,
        )
        self._lag_seconds = Gauge(
            "croupier_lag_seconds",
            "Age (broker time) of the newest record read, while behind.",
            ("partition",),
            registry=registry,
        )

    def _make_event_metrics(self, registry: CollectorRegistry) -> None:
        self._events = Counter("croupier_events_total", "Events decided or set aside.", registry=registry)
        self._results = Counter("croupier_results_total", "Results by code.", ("code",), registry=registry)
        self._replayed = Counter(
            "croupier_replayed_total", "Results that repeated a known id.", registry=registry
        )
        self._dead_letters = Counter(
            "croupier_dead_letters_total", "Dead letters by reason.", ("reason",), registry=registry
        )
        self._parked = Gauge(
            "croupier_parked_change",
            "Parked events, as a change since this worker started.",
            registry=registry,
        )
        self._published = Counter("croupier_published_records_total", "Records published.", registry=registry)

    def _make_trouble_metrics(self, registry: CollectorRegistry) -> None:
        lane = ("lane",)
        self._retries = Counter(
            "croupier_retries_total",
            "Batches tried again, by the kind of fault.",
            ("lane", "fault"),
            registry=registry,
        )
        self._recycles = Counter(
            "croupier_producer_recycles_total",
            "Producers replaced by the recovery path.",
            lane,
            registry=registry,
        )
        self._recoveries = Counter(
            "croupier_recoveries_total", "Recoveries completed.", lane, registry=registry
        )
        self._republished = Counter(
            "croupier_republished_batches_total",
            "Journal rows published by a recovery.",
            lane,
            registry=registry,
        )
        self._fenced = Counter(
            "croupier_fenced_total", "Times another owner took the lane.", lane, registry=registry
        )
        self._stopped = Counter(
            "croupier_lane_stops_total", "Times a lane stopped itself.", lane, registry=registry
        )
        self._poison = Counter(
            "croupier_poison_total", "Events that made the program fail.", lane, registry=registry
        )
        self._rebalances = Counter("croupier_rebalances_total", "Rebalances of the group.", registry=registry)
        self._assigned = Gauge(
            "croupier_assigned_partitions", "Partitions of this worker.", registry=registry
        )

    def _make_key_metrics(self, registry: CollectorRegistry) -> None:
        labels = ("key_id", "owner")
        self._key_age = Gauge(
            "croupier_key_age_seconds", "Time since the key was made.", labels, registry=registry
        )
        self._key_uses = Counter(
            "croupier_key_uses_total",
            "Events that the key signed, by this worker.",
            labels,
            registry=registry,
        )
        self._key_troubles = Counter(
            "croupier_key_troubles_total", "Readings of the keys' directory with a fault.", registry=registry
        )
        self._uses_told: dict[str, int] = {}

    def render(self) -> tuple[str, bytes]:
        """Content type and text of all metrics, for a scrape."""
        return CONTENT_TYPE_LATEST, generate_latest(self.registry)

    # What lanes tell, in `Observer`'s order.

    def turned(self, lane: int) -> None:
        self._turned(lane).inc()

    def ready(self, lane: int, is_ready: bool, why: str = "") -> None:
        self._ready.labels(lane).set(is_ready)

    def step_taken(self, lane: int, step: Step, seconds: float) -> None:
        self._step(lane, step.word).observe(seconds)

    def applied(
        self, lane: int, seq: int, events: int, codes: Mapping[str, int], reasons: Mapping[str, int]
    ) -> None:
        self._applied_to(lane).set(seq)
        self._batch_events.observe(events)
        self._events.inc(events)
        for code, count in codes.items():
            self._code(code).inc(count)
        for reason, count in reasons.items():
            self._dead_letters.labels(reason).inc(count)

    def answered(self, lane: int, replayed: int, parked_change: int) -> None:
        if replayed:
            self._replayed.inc(replayed)
        if parked_change:
            self._parked.inc(parked_change)

    def published(self, lane: int, seq: int, records: int) -> None:
        self._published_to(lane).set(seq)
        self._published.inc(records)

    def lag(self, lane: int, partition: int, records: int, seconds: float) -> None:
        gauges = self._lags.get(partition)
        if gauges is None:
            gauges = self._lags[partition] = (
                self._lag_records.labels(partition),
                self._lag_seconds.labels(partition),
            )
        gauges[0].set(records)
        gauges[1].set(seconds)

    def retrying(self, lane: int, error: BaseException, attempt: int) -> None:
        self._retries.labels(lane, type(error).__name__).inc()

    def recovering(self, lane: int, why: str) -> None:
        self._recycles.labels(lane).inc()

    def recovered(self, lane: int, epoch: int, republished: int, concluded: str) -> None:
        self._recoveries.labels(lane).inc()
        self._republished.labels(lane).inc(republished)

    def fenced(self, lane: int, why: str) -> None:
        self._fenced.labels(lane).inc()

    def stopped(self, lane: int, reason: str) -> None:
        self._stopped.labels(lane).inc()

    def left(self, lane: int) -> None:
        """The lane is no longer this worker's: its gauges must not go on saying that it is ready."""
        self._ready.labels(lane).set(0)

    def poison(self, lane: int, partition: int, offset: int, error: BaseException) -> None:
        self._poison.labels(lane).inc()

    def rebalanced(self, assigned: int) -> None:
        """A rebalance: lags of partitions that went elsewhere are forgotten, the lanes tell those that
        stayed."""
        self._rebalances.inc()
        self._assigned.set(assigned)
        self._lags.clear()
        self._lag_records.clear()
        self._lag_seconds.clear()

    def keys(self, known: Sequence[KeyFacts]) -> None:
        """Ages and uses of the keys that there are; those of others are forgotten."""
        self._key_age.clear()
        for key in known:
            self._key_age.labels(key.key_id, key.owner).set(key.age_seconds)
            self._key_uses.labels(key.key_id, key.owner).inc(key.uses - self._uses_told.get(key.key_id, 0))
            self._uses_told[key.key_id] = key.uses

    def keys_trouble(self, sentence: str) -> None:
        self._key_troubles.inc()
