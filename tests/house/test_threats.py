"""docs/threats.md names a test for each threat, and each of them exists; what is installed is pinned."""

from __future__ import annotations

import re

from tests.house.sources import ROOT, project_files, text_of

DOCUMENT = ROOT / "docs" / "threats.md"
ROW = re.compile(r"^\| (?!threat |---)([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def named_in_the_project() -> set[str]:
    """The name of every test function."""
    files = [path for path in project_files() if path.name.startswith("test_") and path.suffix == ".py"]
    return {
        name
        for path in files
        for name in re.findall(r"^(?:async )?def (test_\w+)", text_of(path), re.MULTILINE)
    }


def test_each_threat_has_a_test_and_each_test_that_is_named_exists() -> None:
    rows = ROW.findall(text_of(DOCUMENT))
    assert len(rows) > 20
    known = named_in_the_project()
    for threat, _, cell in rows:
        named = re.findall(r"`(test_\w+)`", cell)
        assert named, f"no test is named for: {threat}"
        assert not set(named) - known, f"for {threat}: {set(named) - known}"


def test_every_locked_package_has_a_hash() -> None:
    for lock in sorted((ROOT / "requirements").glob("*.txt")):
        packages = re.findall(r"^[a-zA-Z0-9._-]+==.*(?:\n    .*)*", text_of(lock), re.MULTILINE)
        assert packages
        assert [one for one in packages if "--hash=sha256:" not in one] == []


def test_the_base_image_is_pinned() -> None:
    bases = re.findall(r"^FROM (\S+)", text_of(ROOT / "Dockerfile"), re.MULTILINE)
    assert bases
    for base in bases:
        assert re.search(r":\d+\.\d+\.\d+-|@sha256:[0-9a-f]{64}$", base), f"{base} is not an exact version"
