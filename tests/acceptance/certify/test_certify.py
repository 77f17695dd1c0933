"""`croupier certify` as a program, against a worker as a program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from processor.devstack.certify.cases import load_cases
from processor.devstack.child import Guardian
from processor.devstack.stack import Stack
from processor.devstack.worker import Worker
from processor.domain.precedence import DECIDED_TYPES
from tests.installations import Database, Topics

CASES = sorted((Path(__file__).parents[2] / "cases").glob("*.yaml"))


@pytest.fixture
async def environment(
    stack: Stack, database: Database, topics: Topics, tmp_path: Path
) -> AsyncIterator[dict[str, str]]:
    """The variables of a fresh installation on which one worker runs."""
    variables = {**stack.environment(), **database.environment(), **topics.environment()}
    guardian = Guardian()
    guardian.start()
    worker = Worker("certified", variables, tmp_path, guardian)
    await worker.start()
    try:
        await worker.wait_ready()
        yield variables
        assert await worker.stop() == 0
    finally:
        if worker.alive:
            await worker.kill()
        await guardian.stop()


def certify(environment: dict[str, str], *files: Path) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, "-m", "processor", "certify", *map(str, files), "--json"]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=170, check=False
    )
    assert done.stdout, done.stderr[-4000:]
    return done.returncode, json.loads(done.stdout)


def test_every_case_passes_that_uses_only_what_the_law_handles(environment: dict[str, str]) -> None:
    code, told = certify(environment, *CASES)
    later = {case.id for case in load_cases(CASES) if not case.types() <= DECIDED_TYPES}
    verdicts = {case["id"]: case["verdict"] for case in told["cases"]}
    assert [case for case in told["cases"] if case["verdict"] == "failed"] == []
    assert {name for name, verdict in verdicts.items() if verdict == "not yet covered"} == later
    assert told["passed"] == len(verdicts) - len(later) > 0
    assert code == 0


def test_a_case_that_expects_something_else_fails_and_says_what(
    environment: dict[str, str], tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(
        """
- {id: X1, title: a bet, given: {cash: "10.00"}, steps: [{bet: b1, amount: "1.00", expect: {cash: "8.00"}}]}
- {id: X2, title: a bet, given: {cash: "10.00"}, steps: [{bet: b1, amount: "1.00", expect: {dead_letter: POISON}}]}
- {id: X3, title: a bet, given: {cash: "10.00"}, steps: [{bet: b1, amount: "1.00", expect: {no_result: true}}]}
- {id: X4, title: a bet, given: {cash: "10.00"}, steps: [{bet: b1, amount: "1.00", expect: {cash: "9.00"}}]}
- {id: X5, title: a bet, profile: {rollback_after_win: allow}, given: {cash: "10.00"}, steps: [{bet: b1, amount: "1"}]}
"""
    )
    code, told = certify(environment, wrong)
    assert code == 1
    assert [case["verdict"] for case in told["cases"]] == [
        *["failed"] * 3,
        "passed",
        "not yet covered",
    ]
    assert "expected cash '8.00', got '9.00'" in told["cases"][0]["reasons"][0]
    assert told["cases"][4]["reasons"] == ['needs rollback_after_win = "allow"']
