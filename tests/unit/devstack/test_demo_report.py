"""The demonstration's last line: the figures that others read."""

from __future__ import annotations

from processor.devstack.demo_report import DemoReport


def test_the_figures_add_up() -> None:
    report = DemoReport(
        7, 10, events=20, seconds=4.0, accepted=10, rejected=3, replayed=2, letters={"POISON": 5}
    )
    document = report.as_document()
    assert (document["results"], document["dead_letters"], document["events_per_second"]) == (15, 5, 5.0)
    assert document["audit"] == "clean"


def test_faults_stand_in_place_of_clean() -> None:
    assert DemoReport(7, 10, faults=["a balance differs"]).as_document()["audit"] == ["a balance differs"]
