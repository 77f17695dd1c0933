"""The soak's judgement: what is flat is called flat, what grows is found, a ledger grows with its events."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from tests.chaos.soak.fit import fit
from tests.chaos.soak.judge import judged
from tests.chaos.soak.samples import OfWorker, Sample
from tests.chaos.soak.soak import SoakPlan, SoakReport


def _samples(
    *, leak_mib: float = 0.0, lag: int = 0, bytes_squared: float = 0.0, sockets_an_hour: int = 0
) -> list[Sample]:
    return [
        Sample(
            seconds=5.0 * number,
            events=1_000 * number,
            lag_records=lag * number,
            table_mib=0.5 * number + bytes_squared * number**2,
            index_mib=0.25 * number,
            postgres_connections=6,
            workers=(_worker(number, leak_mib, sockets_an_hour), OfWorker(2 + number // 10, 1, 80, 4, 20)),
        )
        for number in range(100)
    ]


def _worker(number: int, leak_mib: float, sockets_an_hour: int) -> OfWorker:
    """One that lives long; every third look falls into a trouble that cuts two of its sockets."""
    sockets = 6 + sockets_an_hour * number // 720 - (2 if number % 3 == 0 else 0)
    return OfWorker(1, 2, 90 + leak_mib * number, sockets, 20)


def test_a_line_is_found_again() -> None:
    line = fit([(x, 3 * x + 1) for x in range(10)])
    assert line.slope == pytest.approx(3)
    assert line.r_squared == pytest.approx(1)
    assert line.is_linear
    assert not line.is_flat


@pytest.mark.parametrize("points", [[], [(0, 1), (1, 2)], [(1, 1), (1, 2), (1, 3)]])
def test_what_makes_no_line_is_refused(points: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match="points"):
        fit(points)


def test_a_calm_run_is_good_in_every_row() -> None:
    rows = judged(_samples())
    assert len(rows) == 7
    assert [row.what for row in rows if not row.good] == []


@pytest.mark.parametrize(
    ("samples", "what"),
    [
        (_samples(leak_mib=1.0), "memory of a worker, MiB"),
        (_samples(sockets_an_hour=40), "open sockets of a worker, least of each minute"),
        (_samples(lag=100), "lag in records, least of each minute"),
        (_samples(bytes_squared=0.5), "tables, MiB"),
    ],
    ids=["memory", "sockets", "lag", "tables"],
)
def test_what_grows_as_it_must_not_is_named(samples: list[Sample], what: str) -> None:
    assert [row.what for row in judged(samples) if not row.good] == [what]


def test_a_last_minute_that_has_just_begun_says_nothing() -> None:
    calm = _samples()[:97]
    just_begun = replace(calm[-1], lag_records=8_000)
    assert just_begun.seconds == 480.0
    assert all(row.good for row in judged([*calm[:-1], just_begun]))
    piled_up = [replace(one, lag_records=8_000) if one.seconds >= 480 else one for one in _samples()]
    to_the_end = [
        replace(one, lag_records=8_000, seconds=500.0 + 5 * number) for number, one in enumerate(calm[:8])
    ]
    assert [row.what for row in judged([*piled_up, *to_the_end]) if not row.good] == [
        "lag in records, least of each minute"
    ]


def test_an_earlier_soak_is_judged_again_from_its_file() -> None:
    plan = SoakPlan(3600, 60, 0, 0.6, 30_000, None)
    report = SoakReport(
        plan, events=7, faults=["one"], samples=[one.as_document() for one in _samples(lag=50)]
    )
    again = SoakReport.judged_again(orjson.loads(orjson.dumps(report.as_document())))
    assert (again.plan, again.events, again.faults, again.good) == (plan, 7, ["one"], False)
    assert [row.verdict for row in again.rows if not row.good] == ["GROWS"]


def test_moments_when_a_server_was_away_are_left_out() -> None:
    away = Sample(250.0, None, None, None, None, None, ())
    assert judged([*_samples()[:50], away, *_samples()[51:]]) == judged(_samples()[:50] + _samples()[51:])
