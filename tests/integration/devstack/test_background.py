"""`croupier stack`, as a person runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest

_TIMEOUT_SECONDS = 170


@pytest.fixture
def directory() -> Iterator[Path]:
    """A place for a stack that Postgres's unprivileged user can reach (pytest's own folders are closed)."""
    with tempfile.TemporaryDirectory(prefix="croupier-background-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "stack"
        _croupier("down", "--directory", str(Path(folder) / "stack"))


def _croupier(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "processor", "stack", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_SECONDS,
    )


def _json(*words: str) -> dict[str, Any]:
    done = _croupier(*words, "--json")
    assert done.returncode in (0, 1), done.stderr
    loaded: dict[str, Any] = orjson.loads(done.stdout)
    return loaded


@pytest.mark.timeout(600)
def test_a_stack_in_the_background_comes_goes_and_survives_its_owner(directory: Path) -> None:
    place = ("--directory", str(directory))
    assert _json("status", *place)["state"] == "down"
    assert _croupier("env", *place).returncode == 3

    first = _json("up", *place)
    again = _json("up", *place)
    assert (first["started"], again["started"]) == (True, False)
    assert _json("env", *place) == first["environment"]
    found = _json("status", *place)
    assert found["healthy"]

    # The owner dies without a word: its servers go with it, its directory stays good.
    servers = psutil.Process(found["pid"]).children(recursive=True)
    assert {"java", "postgres"} <= {server.name() for server in servers}
    os.kill(found["pid"], signal.SIGKILL)
    _, alive = psutil.wait_procs(servers, timeout=60)
    assert not alive
    assert _json("status", *place)["state"] == "down"

    recovered = _json("up", *place)
    assert recovered["environment"] == first["environment"]
    assert _json("status", *place)["healthy"]

    gone = _json("down", "--erase", "--yes", *place)
    assert (gone["stopped"], gone["erased"]) == (True, True)
    assert not directory.exists()
    assert not _json("down", *place)["stopped"]
