"""The bench's arithmetic and its records."""

from __future__ import annotations

import orjson
import pytest

from processor.devstack.bare_loop import BarePlan
from processor.devstack.bench_report import BenchPlan, BenchReport, Drain, Latency
from processor.devstack.bench_signed import SignedReport
from processor.devstack.bench_traffic import BenchTraffic
from schemas.currencies import BUILT_IN_CURRENCIES
from schemas.decoding import decode


def report() -> BenchReport:
    made = BenchReport(BenchPlan(pairs=3, rates=(500,)))
    for bare, product in ((1000.0, 700.0), (2000.0, 900.0), (1500.0, 900.0)):
        made.drains.append(Drain({1: bare / 2, 4: bare}, product, bare * 0.75))
    made.bare_latency = {(500, 1): [Latency(5, 50)] * 3, (500, 4): [Latency(9, 30)] * 3}
    made.product_latency = {500: [Latency(10, 40), Latency(11, 80), Latency(12, 60)]}
    made.product_cpu = [50.0]
    made.memory.peak_mib, made.memory.quarter_mib, made.memory.end_mib = 120.0, [100.0], [105.0]
    return made


def test_the_median_counts_and_the_better_bare_loop() -> None:
    document = report().as_document()
    assert document["bare_per_second"] == 1500
    assert document["product_per_second"] == 900
    assert document["ratio"] == 0.6
    assert (document["least_ledger_per_second"], document["ratio_to_least_ledger"]) == (1125, 0.8)
    assert document["latency"] == [
        {"rate": 500, "p50_ms": 11, "p99_ms": 60, "bare_p50_ms": 9, "bare_p99_ms": 30}
    ]


def test_the_cost_of_verification_is_the_median_of_the_pairs() -> None:
    made = SignedReport(BenchPlan(pairs=3))
    made.per_second = [(950.0, 1000.0), (900.0, 1000.0), (1010.0, 1000.0)]
    made.cpu = [(55.0, 50.0)] * 3
    document = made.as_document()
    assert (document["cost"], document["signed_per_second"], document["unsigned_per_second"]) == (
        0.05,
        950,
        1000,
    )


def test_memory_that_grows_over_a_drain_is_not_flat() -> None:
    made = report()
    assert made.memory.flat
    made.memory.end_mib = [150.0]
    assert not made.memory.flat


def test_every_record_of_the_bench_passes_the_door() -> None:
    traffic = BenchTraffic(20)
    for event in [*traffic.opening(), *traffic.play(500)]:
        decode(event.key, event.value, currencies=BUILT_IN_CURRENCIES)


def test_every_win_names_a_bet_that_came_before_it_in_its_round() -> None:
    bets: dict[str, str] = {}
    for event in BenchTraffic(20).play(1000):
        body = orjson.loads(event.value)
        if body["type"] == "bet":
            bets[body["transaction_id"]] = body["round_id"]
        else:
            assert bets[body["reference"]] == body["round_id"]


def test_ids_are_never_used_twice_over_several_backlogs() -> None:
    traffic = BenchTraffic(20)
    ids = [orjson.loads(event.value)["transaction_id"] for _ in range(3) for event in traffic.play(333)]
    assert len(set(ids)) == 999


@pytest.mark.parametrize("ends", [None, {"0": 10}])
def test_a_plan_reaches_the_bare_loop_as_it_was(ends: dict[str, int] | None) -> None:
    plan = BarePlan("b:1", "in", "out", "g", 4, 250, {"0": 5}, ends, 850, [("a", "b")], "dsn")
    assert BarePlan.from_json(plan.to_json()) == plan
