"""The README's first event by hand: its commands run as they are written, and the answer it shows is the real one."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
STEPS = README.split("## A first event by hand", 1)[1].split("\n## ", 1)[0]
SET_UP = "make setup && . .venv/bin/activate\n"
ENDING = "kill %1; wait"
#: What differs from run to run in a result.
OWN = {"wallet_transaction_id", "applied_at"}


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """A shell's environment with this very installation's programs, and a stack directory that goes away again."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("CROUPIER_STACK_D")}
    for name in [name for name in plain if name.startswith(("CROUPIER_KAFKA", "CROUPIER_POSTGRES"))]:
        del plain[name]
    directory = tempfile.mkdtemp(prefix="croupier-readme-")
    Path(directory).chmod(0o755)
    path = f"{Path(sys.executable).parent}{os.pathsep}{plain.get('PATH', '')}"
    made = {**plain, "PATH": path, "CROUPIER_STACK_DIRECTORY": f"{directory}/stack", "COLUMNS": "200"}
    yield made
    subprocess.run(["croupier", "stack", "down", "--erase", "--yes"], env=made, timeout=60, check=False)
    shutil.rmtree(directory, ignore_errors=True)


def shell_block() -> str:
    """The commands to type, but for those that make and enter the virtual environment."""
    (block,) = re.findall(r"^```sh\n(.+?)^```$", STEPS, re.MULTILINE | re.DOTALL)
    assert SET_UP in block
    assert ENDING in block
    return str(block).replace(SET_UP, "")


def shown_json() -> list[dict[str, Any]]:
    """The event and the result that the README shows."""
    blocks = re.findall(r"^```json\n(.+?)^```$", STEPS, re.MULTILINE | re.DOTALL)
    return [json.loads(block) for block in blocks]


def run(script: str, environment: dict[str, str]) -> str:
    """What a shell says that runs these lines; a worker that a failing line leaves behind goes with it."""
    shell = subprocess.Popen(
        ["bash", "-e", "-c", script], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = shell.communicate(timeout=240)
    finally:
        if shell.poll() is None or shell.returncode != 0:
            os.killpg(shell.pid, signal.SIGKILL)
    assert shell.returncode == 0, said[-4000:]
    return said


def test_the_shown_event_is_the_fourth_line_of_the_example() -> None:
    lines = (ROOT / "docs" / "examples" / "first-events.jsonl").read_text().splitlines()
    assert json.loads(lines[3]) == shown_json()[0]
    assert json.loads(lines[4]) == shown_json()[0]


@pytest.mark.timeout(300)
def test_the_first_steps_work_as_written(environment: dict[str, str], tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    keep = f"croupier tail --from-beginning --limit 7 --json > {results}\n{ENDING}"
    log = tmp_path / "worker.log"
    said = run(shell_block().replace(ENDING, keep).replace("worker.log", str(log)), environment)
    assert "INSUFFICIENT_FUNDS" in said
    assert "104.50" in said
    assert "The books are clean" in said
    answers = [json.loads(line) for line in results.read_text().splitlines()]
    first, repeat = answers[3], answers[4]
    assert {name: first[name] for name in first.keys() - OWN} == {
        name: value for name, value in shown_json()[1].items() if name not in OWN
    }
    assert repeat["replayed"] is True
    assert repeat["wallet_transaction_id"] == first["wallet_transaction_id"]
    assert json.loads(log.read_text().splitlines()[-1])["action"] == "worker.end"
