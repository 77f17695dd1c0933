"""A certification as JUnit XML, which build servers show."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from processor.devstack.certify.report import Report, Verdict


def write_junit(path: Path, reports: Sequence[Report]) -> None:
    """One suite for each file of cases; a case that is not played counts as skipped. Raises OSError."""
    suites = ElementTree.Element("testsuites", name="croupier certify")
    for file in dict.fromkeys(report.case.file for report in reports):
        _add_suite(suites, file, [report for report in reports if report.case.file == file])
    ElementTree.indent(suites)
    ElementTree.ElementTree(suites).write(path, encoding="utf-8", xml_declaration=True)


def _add_suite(suites: ElementTree.Element, file: str, reports: Sequence[Report]) -> None:
    suite = ElementTree.SubElement(
        suites,
        "testsuite",
        name=file,
        tests=str(len(reports)),
        failures=str(sum(report.verdict is Verdict.FAILED for report in reports)),
        skipped=str(sum(report.verdict is Verdict.NOT_PLAYED for report in reports)),
        time=f"{sum(report.seconds for report in reports):.3f}",
    )
    for report in reports:
        name = f"{report.case.id} {report.case.title}".strip()
        case = ElementTree.SubElement(
            suite, "testcase", classname=file, name=name, time=f"{report.seconds:.3f}"
        )
        if report.verdict is not Verdict.PASSED:
            kind = "failure" if report.verdict is Verdict.FAILED else "skipped"
            ElementTree.SubElement(case, kind, message=_printable("; ".join(report.reasons)))


def _printable(text: str) -> str:
    """XML 1.0 has no place for most control characters and lone surrogates."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
