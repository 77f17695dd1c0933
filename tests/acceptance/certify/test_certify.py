"""`croupier certify` as a program: every case, on a worker of its own that is killed on the way, events twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from processor.devstack.certify.cases import load_cases
from processor.devstack.child import Guardian
from processor.devstack.stack import Stack
from processor.devstack.worker import Worker
from tests.installations import Database, Topics

CASES = sorted((Path(__file__).parents[2] / "cases").glob("*.yaml"))
SHARE = "0.2"

WRONG_CASES = """
- {id: X1, title: a bet, given: {cash: "10.00"}, steps: [{bet: b1, amount: "1.00", expect: {cash: "8.00"}}]}
- {id: X2, title: a bet, given: {cash: "10.00"}, steps: [{bet: b1, amount: "1.00", expect: {dead_letter: POISON}}]}
- {id: X3, title: a bet, given: {cash: "10.00"}, steps: [{bet: b1, amount: "1.00", expect: {no_result: true}}]}
- {id: X5, title: a bet, rates: {XPF/EUR: "0.01"}, given: {cash: "10.00"}, steps: [{bet: b1, amount: "1.00"}]}
- {id: X4, title: a bet, given: {cash: "10.00"}, steps: [{bet: b1, amount: "1.00", expect: {cash: "9.00"}}]}
"""


@pytest.fixture
def installation(stack: Stack, database: Database, topics: Topics) -> dict[str, str]:
    """The variables of a fresh installation on which nothing runs."""
    return {**stack.environment(), **database.environment(), **topics.environment()}


@pytest.fixture
async def worked(installation: dict[str, str], tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """The same with one worker."""
    guardian = Guardian()
    guardian.start()
    worker = Worker("certified", installation, tmp_path, guardian)
    await worker.start()
    try:
        await worker.wait_ready()
        yield installation
        assert await worker.stop() == 0
    finally:
        if worker.alive:
            await worker.kill()
        await guardian.stop()


def certify(environment: dict[str, str], *words: object) -> tuple[int, dict[str, Any], str]:
    """Exit code, the JSON document, and what was said on the way."""
    command = [sys.executable, "-m", "processor", "certify", *map(str, words), "--json"]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.stdout, done.stderr[-4000:]
    return done.returncode, json.loads(done.stdout), done.stderr


@pytest.mark.long
def test_every_case_passes_with_events_sent_twice_and_the_worker_killed_on_the_way(
    installation: dict[str, str],
) -> None:
    code, told, said = certify(
        installation, *CASES, "--duplicate", SHARE, "--kill", "--with-rates", "--parallel", 32
    )
    assert [case for case in told["cases"] if case["verdict"] != "passed"] == []
    assert told["passed"] == len(load_cases(CASES)) > 0
    assert 0.1 < told["copies"] / (told["events"] - told["copies"]) < 0.3
    assert "The worker has its lanes again." in said
    assert code == 0


def test_a_case_that_expects_something_else_fails_and_says_what_on_screen_and_as_junit(
    worked: dict[str, str], tmp_path: Path
) -> None:
    wrong, junit = tmp_path / "wrong.yaml", tmp_path / "junit.xml"
    wrong.write_text(WRONG_CASES)
    code, told, _ = certify(worked, wrong, "--junit", junit)
    assert code == 1
    assert [case["verdict"] for case in told["cases"]] == [*["failed"] * 3, "not played", "passed"]
    assert "expected cash '8.00', got '9.00'" in told["cases"][0]["reasons"][0]
    (suite,) = ElementTree.parse(junit).getroot()
    assert suite.attrib["tests"] == "5"
    assert suite.attrib["failures"] == "3"
