"""JUnit XML of a certification: counted by file, reasons kept, whatever characters they hold."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from processor.devstack.certify.cases import Case
from processor.devstack.certify.junit import write_junit
from processor.devstack.certify.report import Report, Verdict


def test_each_file_is_a_suite_with_its_failures_and_what_was_not_played(tmp_path: Path) -> None:
    def case(name: str, file: str) -> Case:
        return Case(name, "a title", "", file, {}, {}, [])

    write_junit(
        tmp_path / "out.xml",
        [
            Report(case("A1", "a.yaml"), Verdict.PASSED),
            Report(case("A2", "a.yaml"), Verdict.FAILED, ["bad \x1b[31m <b>"]),
            Report(case("B1", "b.yaml"), Verdict.NOT_PLAYED, ["brings rates"]),
        ],
    )
    first, second = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert (first.get("name"), first.get("tests"), first.get("failures")) == ("a.yaml", "2", "1")
    failure = first.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "bad \\x1b[31m <b>"
    assert (second.get("skipped"), second.get("failures")) == ("1", "0")
