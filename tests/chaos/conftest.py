"""Fixtures of the chaos suite: an installation to make trouble in, and the table of what was tried."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from processor.devstack.stack import Stack
from tests.chaos.scene import Scene, staged


@pytest.fixture
async def scene(stack: Stack, template: str, tmp_path: Path) -> AsyncIterator[Scene]:
    """An installation on the session's servers, which stay whole: only workers are in trouble."""
    async with staged(stack, template, tmp_path) as made:
        yield made
