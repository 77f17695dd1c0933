"""Metrics have stable names, and count what lanes tell."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from processor.lane.observer import Observer
from processor.lane.steps import Step
from processor.ports import KeyFacts
from processor.settings import Settings
from processor.telemetry.metrics import MetricsObserver
from processor.telemetry.watch import Watch


def observed() -> tuple[MetricsObserver, CollectorRegistry]:
    registry = CollectorRegistry()
    return MetricsObserver(registry, process=False), registry


def test_a_batch_counts_its_events_codes_and_reasons() -> None:
    metrics, registry = observed()
    metrics.applied(2, 17, 10, {"OK": 7, "INSUFFICIENT_FUNDS": 2}, {"UNDECODABLE": 1})
    metrics.applied(2, 18, 5, {"OK": 5}, {})
    assert registry.get_sample_value("croupier_events_total") == 15
    assert registry.get_sample_value("croupier_results_total", {"code": "OK"}) == 12
    assert registry.get_sample_value("croupier_dead_letters_total", {"reason": "UNDECODABLE"}) == 1
    assert registry.get_sample_value("croupier_applied_seq", {"lane": "2"}) == 18
    assert registry.get_sample_value("croupier_batch_events_sum") == 15


def test_steps_are_measured_by_their_name() -> None:
    metrics, registry = observed()
    metrics.step_taken(0, Step.PUBLISH, 0.25)
    metrics.step_taken(0, Step.PUBLISH, 0.5)
    labels = {"lane": "0", "step": "publish"}
    assert registry.get_sample_value("croupier_step_seconds_sum", labels) == 0.75
    assert registry.get_sample_value("croupier_step_seconds_count", labels) == 2


def test_lag_of_partitions_that_went_elsewhere_is_forgotten() -> None:
    metrics, registry = observed()
    metrics.lag(0, 4, 120, 3.5)
    assert registry.get_sample_value("croupier_lag_records", {"partition": "4"}) == 120
    assert registry.get_sample_value("croupier_lag_seconds", {"partition": "4"}) == 3.5
    metrics.rebalanced(0)
    assert registry.get_sample_value("croupier_lag_records", {"partition": "4"}) is None
    metrics.lag(0, 4, 7, 0.5)
    assert registry.get_sample_value("croupier_lag_records", {"partition": "4"}) == 7


def test_parked_events_come_and_go() -> None:
    metrics, registry = observed()
    metrics.answered(0, 3, 2)
    metrics.answered(0, 0, -1)
    assert registry.get_sample_value("croupier_parked_change") == 1
    assert registry.get_sample_value("croupier_replayed_total") == 3


def test_ages_and_uses_of_keys_are_told_and_those_of_keys_that_are_gone_forgotten() -> None:
    metrics, registry = observed()
    metrics.keys([KeyFacts("acme-1", "acme", 60.0, 5, 0), KeyFacts("acme-2", "acme", 30.0, 0, 0)])
    metrics.keys([KeyFacts("acme-1", "acme", 62.0, 7, 0)])
    first, second = ({"key_id": key_id, "owner": "acme"} for key_id in ("acme-1", "acme-2"))
    assert registry.get_sample_value("croupier_key_age_seconds", first) == 62
    assert registry.get_sample_value("croupier_key_uses_total", first) == 7
    assert registry.get_sample_value("croupier_key_age_seconds", second) is None
    metrics.keys_trouble("The keys' directory is empty.")
    assert registry.get_sample_value("croupier_key_troubles_total") == 1


def test_trouble_is_counted() -> None:
    metrics, registry = observed()
    metrics.retrying(1, TimeoutError("away"), 1)
    metrics.recovering(1, "the publishing failed")
    metrics.recovered(1, 5, 3, "the journal was republished")
    metrics.fenced(1, "another owner")
    metrics.stopped(1, "the receipt is ahead")
    metrics.poison(1, 0, 9, ValueError("x"))
    lane = {"lane": "1"}
    assert registry.get_sample_value("croupier_retries_total", {**lane, "fault": "TimeoutError"}) == 1
    assert registry.get_sample_value("croupier_producer_recycles_total", lane) == 1
    assert registry.get_sample_value("croupier_recoveries_total", lane) == 1
    assert registry.get_sample_value("croupier_republished_batches_total", lane) == 3
    assert registry.get_sample_value("croupier_fenced_total", lane) == 1
    assert registry.get_sample_value("croupier_lane_stops_total", lane) == 1
    assert registry.get_sample_value("croupier_poison_total", lane) == 1


def test_a_lane_that_left_is_no_longer_shown_as_ready() -> None:
    metrics, registry = observed()
    metrics.ready(3, True)
    assert registry.get_sample_value("croupier_lane_ready", {"lane": "3"}) == 1
    metrics.left(3)
    assert registry.get_sample_value("croupier_lane_ready", {"lane": "3"}) == 0


def test_both_observers_hear_everything_that_lanes_tell() -> None:
    watch = Watch(Settings(), metrics=MetricsObserver(CollectorRegistry(), process=False))
    observers: list[Observer] = [watch, watch.metrics]
    for observer in observers:
        observer.rebalanced(1)
        observer.turned(0)
        observer.ready(0, True)
    assert watch.health.readiness().good
    watch.fenced(0, "another owner")
    watch.rebalanced(0)
    assert watch.health.readiness().body["lanes"] == []


def test_a_scrape_renders_all_of_it() -> None:
    metrics, _ = observed()
    metrics.turned(0)
    content_type, text = metrics.render()
    assert content_type.startswith("text/plain")
    assert b'croupier_lane_turns_total{lane="0"} 1.0' in text
