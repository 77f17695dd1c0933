"""What the documents point at is there: files, headings, paths and tests."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from tests.house.sources import ROOT, named, project_files, text_of

LINK = re.compile(r"\[[^\]\n]+\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
TEST_NAME = re.compile(r"`(test_\w+)`")
PATH = re.compile(r"`((?:processor|schemas|tests|docs|requirements)/[\w./*-]+)`")

#: How an error message points at a section.
POINTED = re.compile(r"(docs/[\w/.-]+\.md), '([^']+)'")


def documents() -> list[Path]:
    """README and everything of docs/ that people read."""
    return [path for path in project_files() if path.suffix == ".md"]


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, as the usual viewers make them."""
    titles = HEADING.findall(text_of(document))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@cache
def names_of_tests() -> frozenset[str]:
    """Every test function and test module of the project."""
    found = set()
    for path in project_files():
        if path.suffix == ".py" and "tests" in path.relative_to(ROOT).parts:
            found |= set(re.findall(r"^\s*(?:async )?def (test_\w+)", text_of(path), re.MULTILINE)) | {
                path.stem
            }
    return frozenset(found)


def broken_links(document: Path) -> list[str]:
    """The links of a document that lead nowhere in the project."""
    broken = []
    for target in LINK.findall(text_of(document)):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        file = (document.parent / name).resolve() if name else document
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(f"{named(document)}: {target}")
    return broken


def test_every_link_leads_to_a_file_and_a_heading() -> None:
    assert [broken for document in documents() for broken in broken_links(document)] == []


def test_every_test_that_a_document_names_exists() -> None:
    spoken = {(named(one), name) for one in documents() for name in TEST_NAME.findall(text_of(one))}
    assert sorted(pair for pair in spoken if pair[1] not in names_of_tests()) == []


def test_every_path_that_a_document_names_exists() -> None:
    spoken = {(named(one), path) for one in documents() for path in PATH.findall(text_of(one))}
    assert sorted(pair for pair in spoken if not any(ROOT.glob(pair[1].rstrip("/")))) == []


def test_every_heading_that_a_message_of_the_program_points_at_exists() -> None:
    pointed = {
        (document, heading)
        for path in project_files()
        if path.suffix == ".py" and path.is_relative_to(ROOT / "processor")
        for document, heading in POINTED.findall(text_of(path))
    }
    assert pointed
    assert [pair for pair in pointed if pair[1] not in HEADING.findall(text_of(ROOT / pair[0]))] == []


def test_the_detector_sees_what_leads_nowhere() -> None:
    document = ROOT / "docs" / "architecture.md"
    assert "who-decides-who-writes" in anchors(document)
    assert LINK.findall("[a](b.md#c) and [d](https://e)") == ["b.md#c", "https://e"]
    assert TEST_NAME.findall("shown by `test_that_is_not_there`") == ["test_that_is_not_there"]
    assert PATH.findall("see `processor/lane/steps.py` and `processor/lane/`") == [
        "processor/lane/steps.py",
        "processor/lane/",
    ]
