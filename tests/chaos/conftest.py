"""Fixtures of the chaos suite: an installation to make trouble in, and the table of what was tried."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from processor.devstack.stack import Stack
from tests.chaos.report import Report
from tests.chaos.scene import Scene, staged

_REPORT: Final = pytest.StashKey[Report]()


def pytest_configure(config: pytest.Config) -> None:
    """One table for the session."""
    config.stash.setdefault(_REPORT, Report())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table, at the end."""
    made = config.stash.get(_REPORT, None)
    if made is not None and made.rows:
        terminalreporter.section("trouble")
        for line in made.lines():
            terminalreporter.write_line(line)


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Report:
    """The table that this session's scenarios are noted in."""
    return request.config.stash.setdefault(_REPORT, Report())


@pytest.fixture
async def scene(stack: Stack, template: str, tmp_path: Path) -> AsyncIterator[Scene]:
    """An installation on the session's servers, which stay whole: only workers are in trouble."""
    async with staged(stack, template, tmp_path) as made:
        yield made
