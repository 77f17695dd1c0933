"""The command blocks of docs/runbook.md: each with the name under which it is tried."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

RUNBOOK = Path(__file__).parents[3] / "docs" / "runbook.md"

_BLOCK = re.compile(r"(?:<!-- tried: (?P<name>[a-z-]+) -->\n)?```sh\n(?P<script>.*?)```", re.DOTALL)


class Block(NamedTuple):
    """One block: the name it is tried under (empty: none), and its text as it stands."""

    name: str
    script: str


def blocks() -> list[Block]:
    """All blocks, in their order."""
    return [Block(found["name"] or "", found["script"]) for found in _BLOCK.finditer(RUNBOOK.read_text())]


def script_of(name: str) -> str:
    """The block of that name."""
    return next(block.script for block in blocks() if block.name == name)
